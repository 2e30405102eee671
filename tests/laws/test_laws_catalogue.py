"""The catalogue: formulas, units, published values, and refusals."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.errors import InputError

PLAIN = {
    "bootstrapped": "L = A D1^-a1 D2^(-a2 + a3 ln D1) + E",
    "multiplicative": "L = A D1^-a1 D2^-a2 + E",
    "total-tokens": "L = A (D1 + D2)^-a + E",
    "additive": "L = A D1^-a1 + B D2^-a2 + E",
    "effective-data": "L = B (D2 + k D1^c)^-b + E",
    "power": "L = A D2^-a + E",
}


def evaluate(law: laws.Law, values: dict[str, float], stage1: float, stage2: float) -> float:
    params = [values[name] for name in law.names]
    return float(law.loss(params, {"tokens_stage1": stage1, "tokens_stage2": stage2})[0])


def by_formula(formula: str, values: dict[str, float], stage1: float, stage2: float) -> float:
    """Evaluate the printed formula itself."""
    code = formula.removeprefix("L = ").replace("ln D1", "ln_D1").replace("^-", "**-")
    code = code.replace("^", "**")
    words, out = code.split(" "), []
    for word in words:
        joined = out and out[-1] not in "+-" and not out[-1].endswith("(") and word not in "+-"
        out += ["*", word] if joined else [word]
    names = values | {"D1": stage1, "D2": stage2, "ln_D1": np.log(stage1)}
    return float(eval(" ".join(out), {"__builtins__": {}}, names))


@pytest.mark.parametrize("key", PLAIN)
def test_the_printed_formula_is_what_is_computed(key: str) -> None:
    law = laws.get(key)
    assert law.formula == PLAIN[key]
    rng = np.random.default_rng(0)
    values = {name: float(v) for name, v in zip(law.names, rng.uniform(0.1, 0.9, 9), strict=False)}
    expected = by_formula(law.formula, values, 7e3, 2e4)
    assert evaluate(law, values, 7e3, 2e4) == pytest.approx(expected, rel=1e-12)


def test_every_two_stage_law_has_a_joint_form() -> None:
    assert set(laws.names()) == set(PLAIN) | {f"{k}+scratch" for k in PLAIN if k != "power"}


@pytest.mark.parametrize("key", laws.names())
def test_parameters_are_declared_with_units_and_all_used(key: str) -> None:
    law = laws.get(key)
    assert all(p.unit and p.meaning and p.latex for p in law.parameters)
    assert law.names[-1] == "E"
    assert law.source
    assert set(law.names) <= set(re.findall(r"\w+", law.formula))
    assert law.latex.count("{") == law.latex.count("}")


def test_published_upcycling_numbers() -> None:
    """arXiv 2502.03009: (74e9, 37e9) with a 1B dense base gives 2.144, exponent 0.0666 at 1e10."""
    law = laws.get("bootstrapped")
    at_size = 0.165 + 8.53 * 1e9**-0.112
    params = [16.3, 0.043, 0.085, 7.98e-4, at_size]
    columns = {"tokens_stage1": 74e9, "tokens_stage2": 37e9}
    assert law.loss(params, columns)[0] == pytest.approx(2.144, abs=5e-4)
    pair = law.loss(params, {"tokens_stage1": 1e10, "tokens_stage2": [1e9, 1e10]}) - at_size
    assert np.log(pair[0] / pair[1]) / np.log(10) == pytest.approx(0.0666, abs=5e-5)


def test_joint_law_gives_scratch_rows_the_scratch_part() -> None:
    law, reuse, power = (laws.get(k) for k in ("bootstrapped+scratch", "bootstrapped", "power"))
    params = [20.0, 0.05, 0.3, 0.012, 30.0, 0.25, 1.1]
    columns = {"tokens_stage1": [0.0, 1e6], "tokens_stage2": [3e5, 3e5]}
    both = law.loss(params, columns)
    assert both[0] == pytest.approx(power.loss([30.0, 0.25, 1.1], {"tokens_stage2": 3e5})[0])
    only = {"tokens_stage1": 1e6, "tokens_stage2": 3e5}
    assert both[1] == pytest.approx(reuse.loss([20.0, 0.05, 0.3, 0.012, 1.1], only)[0])


def test_effective_data_without_a_base_is_the_power_law() -> None:
    law = laws.get("effective-data")
    value = evaluate(law, {"B": 9.0, "k": 3.0, "c": 0.7, "b": 0.2, "E": 1.0}, 0.0, 1e6)
    assert value == pytest.approx(9.0 * 1e6**-0.2 + 1.0, rel=1e-14)


def test_total_tokens_is_symmetric_in_the_stages() -> None:
    law = laws.get("total-tokens")
    values = {"A": 9.0, "a": 0.2, "E": 1.0}
    assert evaluate(law, values, 1e5, 7e6) == pytest.approx(evaluate(law, values, 7e6, 1e5))


@pytest.mark.parametrize("key", laws.names())
def test_internal_coordinates_round_trip_and_laws_pickle(key: str) -> None:
    law = laws.get(key)
    params = np.linspace(0.2, 3.0, len(law.names))
    np.testing.assert_allclose(law.from_internal(law.to_internal(params)), params, rtol=1e-15)
    assert pickle.loads(pickle.dumps(law)) == law
    assert laws.get(key) is law


def test_unknown_names_are_refused_with_a_near_match() -> None:
    with pytest.raises(InputError, match="did you mean 'bootstrapped'"):
        laws.get("bootstraped")
    with pytest.raises(InputError, match="no parameter 'alpha'; it has A, a, E"):
        laws.get("power").index("alpha")


def test_a_law_without_a_value_somewhere_says_so() -> None:
    law = laws.get("bootstrapped")
    params = [20.0, 0.05, 0.3, 0.012, 1.1]
    with pytest.raises(InputError, match=r"no value at tokens_stage1 = 0; use bootstrapped\+scra"):
        law.loss(params, {"tokens_stage1": 0.0, "tokens_stage2": 1e6})
    with pytest.raises(InputError, match="no value at tokens_stage2 = 0"):
        law.loss(params, {"tokens_stage1": 1e6, "tokens_stage2": 0.0})
    with pytest.raises(InputError, match="needs the column 'tokens_stage1'"):
        law.loss(params, {"tokens_stage2": 1e6})
    with pytest.raises(InputError, match="takes 5 parameters"):
        law.loss(params[:4], {"tokens_stage1": 1e6, "tokens_stage2": 1e6})


def test_a_scratch_part_is_added_once_and_only_to_two_stages() -> None:
    joint = laws.get("additive+scratch")
    assert laws.with_scratch(joint) is joint
    with pytest.raises(InputError, match="one stage"):
        laws.with_scratch(laws.get("power"))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("nonsense", "no law is called 'nonsense'. The laws are bootstrapped, "),
        ("Effective_Data", "did you mean 'effective-data'? The laws are "),
        ("bootstrap", "did you mean 'bootstrapped'? "),
    ],
)
def test_an_unknown_law_is_refused_in_sentences(key: str, words: str) -> None:
    """Without a near match a full stop was missing, and capitals hid near matches."""
    with pytest.raises(InputError) as refusal:
        laws.get(key)
    assert words in str(refusal.value)
