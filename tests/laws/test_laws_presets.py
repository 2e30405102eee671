"""Published coefficients give the published numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import brentq

from bootlaw import laws
from bootlaw.errors import InputError

DENSE, MOE, UPCYCLED = (
    laws.preset(f"liew2025-upcycling-{kind}") for kind in ("dense", "moe", "upcycled")
)


def gap(d1: float, n: float, ln_d2: float | np.ndarray) -> np.ndarray:
    """Upcycled minus scratch MoE, nats, with stage 1 free."""
    d2 = np.exp(ln_d2)
    reuse = UPCYCLED.loss({"tokens_stage1": d1, "tokens_stage2": d2, "params": n})
    return reuse - MOE.loss({"tokens_stage2": d2, "params": n})


def crossings(d1: float, n: float) -> list[float]:
    """Return all D2 between 1e6 and 1e18 where the gap changes its sign."""
    grid = np.linspace(np.log(1e6), np.log(1e18), 400)
    signs = np.sign(gap(d1, n, grid))
    at = np.flatnonzero(signs[1:] != signs[:-1])
    return [
        float(np.exp(brentq(lambda x: float(gap(d1, n, x)[0]), grid[i], grid[i + 1]))) for i in at
    ]


@pytest.mark.parametrize("name", laws.preset_names())
def test_a_preset_is_complete_and_says_where_it_is_from(name: str) -> None:
    preset = laws.preset(name)
    assert set(preset.values) == set(preset.law.names)
    assert set(preset.standard_errors) <= set(preset.law.names)
    assert "arXiv" in preset.source
    np.testing.assert_array_equal(preset.params, [preset.values[n] for n in preset.law.names])
    document = preset.to_json()
    assert json.loads(json.dumps(document)) == document
    for parameter in preset.law.parameters:
        if parameter.kind == "coefficient":
            assert preset.values[parameter.name] > 0


def test_upcycling_losses() -> None:
    """arXiv 2502.03009: 1B dense at 74e9 tokens, and upcycled from it on 37e9."""
    dense = DENSE.loss({"tokens_stage2": 74e9, "params": 1e9})
    upcycled = UPCYCLED.loss({"tokens_stage1": 74e9, "tokens_stage2": 37e9, "params": 1e9})
    assert dense[0] == pytest.approx(2.253, abs=5e-4)
    assert upcycled[0] == pytest.approx(2.144, abs=5e-4)


@pytest.mark.parametrize(
    ("d1", "exponent"), [(1e9, 0.0685), (1e10, 0.0666), (1e11, 0.0648), (1e12, 0.0630)]
)
def test_upcycling_exponents_of_stage_2(d1: float, exponent: float) -> None:
    columns = {"tokens_stage1": d1, "tokens_stage2": [1e9, 1e10], "params": 1e9}
    constant = UPCYCLED.values["E"] + UPCYCLED.values["B"] * 1e9 ** -UPCYCLED.values["b"]
    first, second = UPCYCLED.loss(columns) - constant
    assert np.log(first / second) / np.log(10) == pytest.approx(exponent, abs=5e-5)


@pytest.mark.parametrize(
    ("d1", "n", "expected"),
    [
        (1e9, 1e9, 1.5e9),
        (1e10, 1e9, 7.1e9),
        (1e11, 1e9, 5.1e10),
        (1e10, 1e8, 1.3e10),
        (1e10, 7e9, 3.9e9),
    ],
)
def test_upcycling_budgets_where_starting_over_catches_up(
    d1: float, n: float, expected: float
) -> None:
    assert float(f"{crossings(d1, n)[0]:.1e}") == expected


def test_upcycling_crosses_twice_or_not_at_all() -> None:
    assert crossings(1e10, 1e9)[1] == pytest.approx(3.3e14, rel=0.02)
    assert crossings(1e9, 1e9)[1] == pytest.approx(9.7e14, rel=0.02)
    assert len(crossings(1e10, 1e9)) == 2
    assert crossings(1e12, 1e9) == []
    closest = np.linspace(np.log(1e6), np.log(1e18), 4000)
    assert gap(1e12, 1e9, closest).max() == pytest.approx(-0.005, abs=5e-4)
    assert np.exp(closest[gap(1e12, 1e9, closest).argmax()]) == pytest.approx(2.6e12, rel=0.05)


def test_the_closed_form_is_far_off_where_the_terms_in_n_differ() -> None:
    """ln D* = (ln(A/A_s) - a1 ln D1) / (a2 - a3 ln D1 - a_s) would give 4.6e7, not 7.1e9."""
    u, m = UPCYCLED.values, MOE.values
    ln_d1 = np.log(1e10)
    ln_tokens = (np.log(u["A"] / m["B"]) - u["a1"] * ln_d1) / (u["a2"] - u["a3"] * ln_d1 - m["b"])
    assert np.exp(ln_tokens) == pytest.approx(4.6e7, rel=0.02)


@pytest.mark.parametrize(
    ("size", "percent"), [("460m", 29.8), ("940m", 34.9), ("1.6b", 41.4), ("3.1b", 47.8)]
)
def test_critical_mixture_ratios(size: str, percent: float) -> None:
    """arXiv 2407.17467, at 20e9 tokens."""
    ratio = laws.preset(f"gu2024-mixture-{size}").loss({"tokens_stage2": 20e9})
    assert 100 * ratio[0] == pytest.approx(percent, abs=0.1)


def test_chinchilla_presets_predict_chinchilla() -> None:
    """70e9 parameters on 1.4e12 tokens: both sets of coefficients, by hand."""
    at = {"params": 70e9, "tokens_stage2": 1.4e12}
    expected = 1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28
    assert laws.preset("hoffmann2022").loss(at)[0] == pytest.approx(expected, rel=1e-13)
    expected = 1.8172 + 482.01 / 70e9**0.3478 + 2085.43 / 1.4e12**0.3658
    assert laws.preset("besiroglu2024").loss(at)[0] == pytest.approx(expected, rel=1e-13)


def repeated_loss(n: float, d: float, unique: float) -> float:
    """arXiv 2305.16264, written out step by step from its text."""
    v = laws.preset("muennighoff2023").values
    g = (v["a"] * v["A"] / (v["b"] * v["B"])) ** (1 / (v["a"] + v["b"]))
    unique_tokens = min(unique, d)
    # The compute at which these tokens are optimal, and the size that it pays for.
    compute = 6 * (unique_tokens * g) ** ((v["a"] + v["b"]) / v["a"])
    unique_size = min(n, g * (compute / 6) ** (v["b"] / (v["a"] + v["b"])))
    repeats, excess = d / unique_tokens - 1, n / unique_size - 1
    tokens = unique_tokens * (1 + v["R_D"] * (1 - np.exp(-repeats / v["R_D"])))
    size = unique_size * (1 + v["R_N"] * (1 - np.exp(-excess / v["R_N"])))
    return float(v["E"] + v["A"] / size ** v["a"] + v["B"] / tokens ** v["b"])


@pytest.mark.parametrize(
    ("n", "d", "unique"),
    [
        (2.8e9, 55e9, 55e9),
        (2.8e9, 55e9, 14e9),
        (8.7e9, 178e9, 25e9),
        (1e8, 1e9, 1e7),
        (1e7, 1e9, 9e9),
    ],
)
def test_repeated_data(n: float, d: float, unique: float) -> None:
    columns = {"params": n, "tokens_stage2": d, "unique_tokens": unique}
    found = laws.preset("muennighoff2023").loss(columns)[0]
    assert found == pytest.approx(repeated_loss(n, d, unique), rel=1e-12)


def test_data_seen_once_and_models_no_larger_than_it_feeds_are_chinchilla() -> None:
    preset = laws.preset("muennighoff2023")
    columns = {"params": 1e8, "tokens_stage2": 1e10, "unique_tokens": 1e10}
    values = {name: preset.values[name] for name in ("A", "a", "B", "b", "E")}
    expected = laws.get("chinchilla").loss(list(values.values()), columns)
    np.testing.assert_allclose(preset.loss(columns), expected, rtol=1e-13)


def test_effective_data_transferred() -> None:
    """arXiv 2102.01293: at 40e6 parameters and 3e5 characters, tens of times the data itself."""
    at = {"params": 40e6, "tokens_stage2": 3e5}
    worth = laws.preset("hernandez2021-text-python").loss(at)[0]
    assert worth == pytest.approx(1.9e4 * 3e5**0.18 * 40e6**0.38, rel=1e-12)
    assert laws.preset("hernandez2021-mixed-python").loss(at)[0] > worth


def test_unknown_presets_are_refused_with_a_near_match() -> None:
    with pytest.raises(InputError, match="did you mean 'hoffmann2022'"):
        laws.preset("hofmann2022")
    with pytest.raises(InputError, match="The presets are hoffmann2022, "):
        laws.preset("nonsense")
