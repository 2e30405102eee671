import numpy as np
import pytest
from typical import grid, typical

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws.size import with_size

SIZED = [key for key in laws.names() if key.endswith("+size")]


@pytest.mark.parametrize("key", SIZED)
def test_the_size_adds_a_term_that_does_not_depend_on_the_tokens(key):
    law, plain = laws.get(key), laws.get(key.removesuffix("+size"))
    values, rows = typical(law), grid(law)
    own = [values[name] for name in plain.names]
    expected = plain.loss(own, rows) + values["B_n"] * rows["params"] ** -values["b_n"]
    np.testing.assert_allclose(law.loss(list(values.values()), rows), expected, rtol=1e-12)


def test_formulas_end_with_the_irreducible_loss():
    assert laws.get("additive+size").formula == "L = A D1^-a1 + B D2^-a2 + B_n N^-b_n + E"


@pytest.mark.parametrize("key", SIZED)
def test_a_scratch_part_reads_the_size_as_well(key):
    joint = laws.get(f"{key}+scratch")
    assert joint.stem == key.removesuffix("+size")
    assert joint.formula.endswith("A_s D2^-a_s + B_s N^-b_s + E where D1 = 0")


@pytest.mark.parametrize("key", ["bootstrapped", "chinchilla", "base-loss", "fixed-base", "d-cpt"])
def test_laws_that_read_the_size_or_more_have_no_such_form(key):
    with pytest.raises(InputError, match="no form with a term in the size"):
        with_size(laws.get(key))
    with pytest.raises(InputError, match="no law is called"):
        laws.get(f"{key}+size")
