"""The catalogue: formulas, units, published values, and refusals."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from typical import grid, typical, typical_vector

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws.expression import evaluate as value_of

CONTRACT = (
    *("bootstrapped", "bootstrapped-joint", "fixed-base", "fixed-stage2", "total-tokens"),
    *("additive", "multiplicative", "hybrid", "effective-data", "effective-data-joint"),
    *("cpt-dynamics", "base-loss", "tokens-per-param", "d-cpt", "mixture-ratio"),
    *("cross-lingual", "repeated-data", "chinchilla", "over-training", "power"),
)
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


def test_the_catalogue_has_every_key_of_the_contract_and_the_joint_forms() -> None:
    assert set(CONTRACT) <= set(laws.names())
    joint = {key.removesuffix("+scratch") for key in laws.names() if key.endswith("+scratch")}
    sized = {key for key in joint if key.endswith("+size")}
    joint -= sized
    assert joint == {
        *("bootstrapped", "bootstrapped-joint", "fixed-base", "total-tokens", "additive"),
        *("multiplicative", "hybrid", "effective-data", "effective-data-joint", "cpt-dynamics"),
        *("tokens-per-param", "cross-lingual"),
    }
    assert sized == {
        *("total-tokens+size", "additive+size", "multiplicative+size", "hybrid+size"),
        "effective-data+size",
    }


def main_law(p: SimpleNamespace, stage1: np.ndarray, d2: np.ndarray) -> np.ndarray:
    return p.A * stage1**-p.a1 * d2 ** (-p.a2 + p.a3 * np.log(stage1))


def repeated(p: SimpleNamespace, n: np.ndarray, d: np.ndarray, unique: np.ndarray) -> np.ndarray:
    """Return the loss of arXiv 2305.16264, step by step."""
    g = (p.a * p.A / (p.b * p.B)) ** (1 / (p.a + p.b))
    fresh = np.minimum(unique, d)
    fed = np.minimum(g * (fresh * g) ** (p.b / p.a), n)
    tokens = fresh * (1 + p.R_D * (1 - np.exp(-(d / fresh - 1) / p.R_D)))
    size = fed * (1 + p.R_N * (1 - np.exp(-(n / fed - 1) / p.R_N)))
    return p.A * size**-p.a + p.B * tokens**-p.b + p.E


def published(key: str, p: SimpleNamespace, x: SimpleNamespace) -> np.ndarray:
    """Return the law `key` as its source writes it; `p` holds parameters, `x` columns."""
    d1, d2, n = x.d1, x.d2, x.n
    forms = {
        "bootstrapped": lambda: main_law(p, d1, d2) + p.E,
        "bootstrapped-joint": lambda: main_law(p, d1, d2) + p.B * n**-p.b + p.E,
        "fixed-base": lambda: p.A * d2**-p.a + p.E,
        "fixed-stage2": lambda: p.A * d1**-p.b + p.E,
        "total-tokens": lambda: p.A * (d1 + d2) ** -p.a + p.E,
        "additive": lambda: p.A * d1**-p.a1 + p.B * d2**-p.a2 + p.E,
        "multiplicative": lambda: p.A * d1**-p.a1 * d2**-p.a2 + p.E,
        "hybrid": lambda: (p.A * d1**-p.a1 + p.G) * d2**-p.a2 + p.E,
        "effective-data": lambda: p.B * (d2 + p.k * d1**p.c) ** -p.b + p.E,
        "effective-data-joint": lambda: (
            p.A * n**-p.a + p.B * (d2 + p.k * d2**p.al * n**p.be) ** -p.b + p.E
        ),
        "cpt-dynamics": lambda: p.A * (d1 + d2) ** -p.a + p.B * (1 - (1 + p.F * d2) ** -p.b) + p.E,
        "base-loss": lambda: p.A * x.l1**p.g * d2**-p.a + p.E,
        "tokens-per-param": lambda: main_law(p, d1 / n, d2) + p.E,
        "d-cpt": lambda: (
            p.A * n**-p.al + p.B * x.r**p.eta * d2**-p.be + p.C_r * (x.r + p.k) ** -p.ga + p.E
        ),
        "data-transferred": lambda: p.k * d2**p.al * n**p.be,
        "mixture-ratio": lambda: p.b0 + p.b1 * (d2 / 0.2e9) ** p.s,
        "cross-lingual": lambda: p.A * n**-p.al + p.B * d2**-p.be * n**-p.ga + p.E,
        "repeated-data": lambda: repeated(p, n, d2, x.u),
        "chinchilla": lambda: p.A * n**-p.a + p.B * d2**-p.b + p.E,
        "over-training": lambda: (
            (p.A * (d2 / n) ** p.eta + p.B * (d2 / n) ** -p.eta) * (6 * n * d2) ** -p.eta + p.E
        ),
        "rectified": lambda: p.B / (p.Dl + d2**p.b) + p.E,
        "power": lambda: p.A * d2**-p.a + p.E,
    }
    return forms[key]()


@pytest.mark.parametrize("key", [key for key in laws.names() if "+" not in key])
def test_each_law_is_the_published_form(key: str) -> None:
    law = laws.get(key)
    table = grid(law)
    x = SimpleNamespace(
        d1=table.get("tokens_stage1"),
        d2=table.get("tokens_stage2"),
        n=table.get("params"),
        u=table.get("unique_tokens"),
        l1=table.get("loss_base"),
        r=1 - table["replay"] if "replay" in table else None,
    )
    expected = published(key, SimpleNamespace(**typical(law)), x)
    np.testing.assert_allclose(law.loss(typical_vector(law), table), expected, rtol=1e-12)


@pytest.mark.parametrize("key", laws.names())
def test_the_tree_and_the_compiled_law_agree(key: str) -> None:
    law = laws.get(key)
    params, table = typical_vector(law), grid(law)
    values = typical(law) | table
    with np.errstate(all="ignore"):  # the part of the other rows has no value at D1 = 0
        by_rows = {part.rows: value_of(part.expression, values) for part in law.parts}
    expected = by_rows.get("all")
    if expected is None:
        expected = np.where(table["tokens_stage1"] > 0, by_rows["reuse"], by_rows["scratch"])
    np.testing.assert_allclose(law.loss(params, table), expected, rtol=1e-12)


@pytest.mark.parametrize("key", [key for key in laws.names() if "+scratch" in key])
def test_joint_forms_share_the_constant_and_nothing_else(key: str) -> None:
    law = laws.get(key)
    base = laws.get(key.removesuffix("+scratch"))
    assert law.irreducible == base.irreducible == "E"
    sized = "params" in base.variables
    one_stage = laws.from_formula(f"A_s*D^-a_s{' + B_s*N^-b_s' if sized else ''} + E")
    table = grid(law)
    found = law.loss(typical_vector(law), table)
    values = typical(law)
    for alone, rows in (
        (base, table["tokens_stage1"] > 0),
        (one_stage, table["tokens_stage1"] == 0),
    ):
        columns = {name: table[name][rows] for name in alone.variables}
        params = [values[name] for name in alone.names]
        np.testing.assert_allclose(found[rows], alone.loss(params, columns), rtol=1e-13)


def test_one_base_is_two_stage_although_its_formula_does_not_read_d1() -> None:
    law = laws.get("fixed-base")
    assert law.is_two_stage
    assert law.single_level == ("tokens_stage1",)
    assert "D1" not in law.formula
    assert laws.get("fixed-stage2").single_level == ("tokens_stage2",)
    assert laws.get("fixed-base+scratch").single_level == ("tokens_stage1",)
    with pytest.raises(InputError, match=r"fixed-stage2\+scratch"):
        laws.get("fixed-stage2+scratch")


def test_laws_of_other_quantities_say_so() -> None:
    assert {laws.get(key).output for key in laws.names()} == {
        "loss",
        "critical_ratio",
        "tokens_transferred",
    }


@pytest.mark.parametrize("key", laws.names())
def test_parameters_are_declared_with_units_and_all_used(key: str) -> None:
    law = laws.get(key)
    assert all(p.unit and p.meaning and p.latex for p in law.parameters)
    assert law.irreducible == ("E" if law.output == "loss" else None)
    assert law.irreducible in (None, law.names[-1])
    assert "arXiv" in law.source
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


def test_importing_the_laws_loads_numpy_alone() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import bootlaw.laws as laws; "
        "laws.get('bootstrapped'); "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'numpy', 'bootlaw'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
