"""Fixed and tied parameters leave the formula, and come back in the results."""

from __future__ import annotations

import numpy as np
import pytest
from typical import grid, typical, typical_vector

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws import constrain


def test_a_constrained_law_has_the_losses_of_the_full_one() -> None:
    law = laws.get("additive")
    held = constrain(law, {"E": 1.3}, {"a2": "a1"})
    assert held.law.names == ("A", "a1", "B")
    assert held.law.irreducible is None
    values = typical(law)
    free = np.array([values["A"], values["a1"], values["B"]])
    full = held.expand(free)
    assert dict(zip(law.names, full, strict=True)) == {
        **values, "a2": values["a1"], "E": 1.3,
    }  # fmt: skip
    columns = grid(law)
    np.testing.assert_allclose(held.law.loss(free, columns), law.loss(full, columns), rtol=1e-14)


def test_without_constraints_the_law_is_itself() -> None:
    law = laws.get("bootstrapped")
    same = constrain(law, {}, {})
    assert same.law is law
    np.testing.assert_array_equal(same.expand(typical_vector(law)), typical_vector(law))


@pytest.mark.parametrize(
    ("fixed", "tied", "words"),
    [
        ({"alpha": 1.0}, {}, "no parameter 'alpha'"),
        ({"A": -2.0}, {}, "A is finite and above 0"),
        ({"A": 0.0}, {}, "above 0"),
        ({"E": -0.1}, {}, "at least 0"),
        ({"E": float("nan")}, {}, "cannot be fixed"),
        ({"a1": 0.1}, {"a1": "a2"}, "both fixed and tied"),
        ({}, {"a1": "a2", "a2": "a1"}, "free parameter itself"),
        ({}, {"a1": "a1"}, "free parameter itself"),
        ({}, {"a1": "A"}, "they cannot be equal"),
        ({"A": 2.0, "a1": 0.1, "a2": 0.2, "E": 1.0}, {}, "leave one free"),
    ],
)
def test_senseless_constraints_are_refused(
    fixed: dict[str, float], tied: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        constrain(laws.get("multiplicative"), fixed, tied)
