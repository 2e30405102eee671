"""Compiled formulas: the value of the tree, and derivatives that differences confirm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws import Design, tape
from bootlaw.laws.expression import evaluate
from bootlaw.laws.program import Op

FORMULAS = (
    "A*D1^-a1*D2^(-a2+a3*log(D1)) + E",
    "A*N^-a + B*D^-b + E",
    "B*(D2 + K*D1^c)^-b + E",
    "A*(D1+D2)^-a + B*(1 - (1 + F*D2/1e6)^-b) + E",
    "A*N^-a + B*(U + U*R*(1 - exp(-(D2/U)/R)))^-b + E",
    "x*sin(y*log(D2)) + cos(x) + arctan(y*log(D1)) + 9",
    "A*max(a*log(D1), b*log(D2))^2 + E",
    "sqrt(A*D1^-a + B) * exp(-c*D2/1e6) + E",
    "(x + y*log(D1))/(1 + z*log(D2)^2) + 3",
    "(D2/1e5)^-(a*b) * (A + log(D1)) + E",
)


def columns(n: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    names = ("tokens_stage1", "tokens_stage2", "params", "unique_tokens")
    return {name: np.exp(rng.uniform(np.log(1e4), np.log(1e7), n)) for name in names}


def point(law: laws.Law, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, len(law.names))


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_program_has_the_value_of_the_tree(formula: str) -> None:
    law = laws.from_formula(formula)
    table = columns()
    u = point(law, 1)
    natural = dict(zip(law.names, law.from_internal(u), strict=True))
    expected = evaluate(law.parts[0].expression, table | natural)
    np.testing.assert_allclose(Design(law, table).loss(u), expected, rtol=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
def test_slopes_and_curvatures_are_those_of_differences(formula: str) -> None:
    law = laws.from_formula(formula)
    design = Design(law, columns())
    u, step = point(law, 2), 1e-6
    jet = tape.run(design.groups[0].program, u)
    for j in range(u.size):
        move = step * np.eye(u.size)[j]
        up, down = (tape.run(design.groups[0].program, u + sign * move) for sign in (1, -1))
        slope = np.broadcast_to(jet.slopes.get(j, 0.0), jet.value.shape)
        change = (up.value - down.value) / (2 * step)
        # Differences lose what the value has beyond sixteen digits.
        rounding = 1e-9 * (1 + np.abs(jet.value).max())
        np.testing.assert_allclose(slope, change, rtol=1e-6, atol=rounding)
        for k in range(j, u.size):
            bend = np.subtract(up.slopes.get(k, 0.0), down.slopes.get(k, 0.0)) / (2 * step)
            curve = jet.curves.get((j, k), 0.0)
            np.testing.assert_allclose(
                np.broadcast_to(curve, jet.value.shape),
                np.broadcast_to(bend, jet.value.shape),
                rtol=1e-5,
                atol=1e-7 * (1 + np.abs(jet.value).max()),
            )


def test_a_product_of_powers_costs_one_exponential() -> None:
    law = laws.get("bootstrapped")
    program = Design(law, columns()).groups[0].program
    assert sum(op == Op.EXP for op, _, _ in program.nodes) == 1
    assert len(program.nodes) == 4  # the predictor, its exponential, E and their sum


def test_a_formula_without_parameters_in_a_part_reads_it_once() -> None:
    law = laws.from_formula("A*(log(D1)+log(D2))^2 + A*(log(D1)+log(D2))^2*x + E")
    program = Design(law, columns()).groups[0].program
    assert len(program.columns) <= 3


@given(st.floats(0.0, 3.0), st.floats(0.01, 2.0), st.floats(0.01, 2.0))
@settings(max_examples=50, deadline=None)
def test_no_tokens_of_stage_1_are_worth_nothing(k: float, c: float, b: float) -> None:
    law = laws.from_formula("B*(D2 + K*D1^c)^-b + E")
    with_none = law.loss(
        dict_to_vector(law, {"B": 9.0, "K": np.exp(k), "c": c, "b": b, "E": 1.0}),
        {"tokens_stage1": [0.0, 1e3], "tokens_stage2": [1e4, 1e4]},
    )
    assert with_none[0] == pytest.approx(9.0 * 1e4**-b + 1.0, rel=1e-13)
    assert with_none[1] < with_none[0] + 1e-12


def dict_to_vector(law: laws.Law, values: dict[str, float]) -> list[float]:
    return [values[name] for name in law.names]


def test_rows_where_a_formula_has_no_value_are_refused_by_name() -> None:
    law = laws.from_formula("A*log(D1 - 2e4) + E")
    with pytest.raises(InputError, match=r"no value at tokens_stage1 = 10000"):
        Design(law, {"tokens_stage1": [1e4, 1e6]})
    with pytest.raises(InputError, match="no value at tokens_stage1 = 0"):
        Design(laws.from_formula("A*D1^-a + E"), {"tokens_stage1": [0.0, 1e6]})


@pytest.mark.parametrize("replay", [1.0, 1.5])
def test_bases_of_powers_that_are_not_positive_are_refused_by_row(replay: float) -> None:
    law = laws.get("d-cpt")
    table = {"params": 1e6, "tokens_stage2": 1e7, "replay": [0.5, replay]}
    with pytest.raises(InputError, match=f"law d-cpt has no value at replay = {replay:g}"):
        Design(law, table)
    whole = laws.from_formula("A*(D1 - 1e6)^2 + E")
    assert np.isfinite(whole.loss([1e-9, 1.0], {"tokens_stage1": [1e3, 1e6, 1e9]})).all()
