"""Planning by the thousand gives the answers of one call each."""

from dataclasses import replace

import numpy as np
import pytest

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Misfit, RollOut
from bootlaw.planning import breakeven, forecast
from bootlaw.planning.many import breakevens, forecasts
from bootlaw.planning.source import as_source

STAGE1 = np.array([1e9, 3e9, 1e10, 1e11])
JOINT = {
    "A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "B": 8.53, "b": 0.112, "E": 0.165,
    "A_s": 32.0, "a_s": 0.161, "B_s": 7.05, "b_s": 0.080,
}  # fmt: skip
RANGES = {"tokens_stage1": (1e9, 1e11), "tokens_stage2": (1e9, 1e11), "params": (1e8, 1e10)}
LAWS = {
    "bootstrapped+scratch": {},
    "bootstrapped-joint+scratch": JOINT,
    "multiplicative+scratch": {},
    "additive+scratch": {"A": 5.0, "a1": 0.1, "B": 25.0, "a2": 0.16, "E": 0.4},
    "hybrid+scratch": {"A": 10.0, "a1": 0.043, "G": 2.0, "a2": 0.12},
    "effective-data+scratch": {"B": 16.0, "k": 0.5, "c": 0.9, "b": 0.12, "E": 1.0},
}


def source_of(factory, key, n=40, spread=0.004):
    """Return a source whose replicates scatter around values that cross within the data."""
    values = {**factory.JOINT, **LAWS[key]}
    rng = np.random.default_rng(5)
    drawn = [
        {k: v * (1 + spread * rng.standard_normal()) for k, v in values.items()} for _ in range(n)
    ]
    fit = factory.make_fit(key, values, replicates=drawn, residual_scale=0.004, ranges=RANGES)
    return as_source(fit)


def misfits(step=0.02):
    rollout = RollOut(1.0, 0.5, step, step, 20, 5)
    return tuple(
        Misfit(name, high, (rollout,) * 3)
        for name, high in (("tokens_stage1", 3e10), ("tokens_stage2", 2e10), ("params", 5e8))
    )


@pytest.mark.parametrize("key", LAWS)
@pytest.mark.parametrize("options", [{}, {"stage1": "paid", "base_cost": 0.5}])
def test_break_evens_are_those_of_one_call_each(factory, key, options):
    source = source_of(factory, key)
    sizes = np.geomspace(3e8, 3e9, 4) if "params" in source.law.variables else None
    many = breakevens(source, tokens_stage1=STAGE1, params=sizes, **options)
    for i, stage1 in enumerate(STAGE1):
        size = None if sizes is None else float(sizes[i])
        one = breakeven(source, tokens_stage1=float(stage1), params=size, **options)
        assert many.verdict[i] == one.verdict
        assert many.tokens[i] == pytest.approx(np.inf if one.tokens is None else one.tokens)
        assert (many.lower[i], many.upper[i]) == pytest.approx(
            (one.interval.lower, one.interval.upper)
        )
        assert many.without_crossing[i] == pytest.approx(one.interval.without_crossing)
        assert many.agreement[i] == pytest.approx(one.agreement)


@pytest.mark.parametrize("key", ["bootstrapped+scratch", "bootstrapped-joint+scratch"])
@pytest.mark.parametrize("options", [{}, {"stage1": "paid"}])
def test_what_hold_outs_missed_moves_both_alike(factory, key, options):
    source = replace(source_of(factory, key), misfits=misfits())
    bare = replace(source, misfits=())
    size = {"params": 1e9} if key == "bootstrapped-joint+scratch" else {}
    options = {**options, "search": (1e8, 1e15)}
    many = breakevens(source, tokens_stage1=STAGE1, **size, **options)
    one = breakeven(source, tokens_stage1=float(STAGE1[3]), **size, **options)
    assert many.tokens[3] == pytest.approx(np.inf if one.tokens is None else one.tokens)
    assert (many.lower[3], many.upper[3]) == pytest.approx((one.interval.lower, one.interval.upper))
    assert many.without_crossing[3] == pytest.approx(one.interval.without_crossing)
    narrow = breakevens(bare, tokens_stage1=STAGE1, **size, **options)
    assert many.upper[3] > narrow.upper[3] or many.lower[3] < narrow.lower[3]


def test_the_check_values_of_published_coefficients():
    upcycled, rival = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"
    found = breakevens(
        upcycled,
        scratch=rival,
        tokens_stage1=[1e9, 1e10, 1e11, 1e12, 1e10, 1e10],
        params=[1e9, 1e9, 1e9, 1e9, 1e8, 7e9],
    )
    np.testing.assert_allclose(found.tokens[:3], [1.5e9, 7.1e9, 5.1e10], rtol=0.03)
    np.testing.assert_allclose(found.tokens[4:], [1.3e10, 3.9e9], rtol=0.03)
    assert found.tokens[3] == np.inf
    assert found.verdict[3] == "reuse_always_wins"
    assert np.isnan(found.lower).all()


def test_forecasts_are_those_of_one_call_each(factory):
    source = replace(source_of(factory, "bootstrapped-joint+scratch"), misfits=misfits())
    stage1 = np.array([0.0, 2e9, 1e12, 0.0])
    stage2 = np.array([5e9, 1e10, 1e12, 1e13])
    many = forecasts(source, {"D1": stage1, "D2": stage2, "N": 2e9}, level=0.8)
    for i in range(4):
        one = forecast(
            source, tokens_stage1=stage1[i], tokens_stage2=stage2[i], params=2e9, level=0.8
        )
        assert (many.loss[i], many.lower[i], many.upper[i]) == pytest.approx(
            (one.loss, one.lower, one.upper), rel=1e-9
        )


def test_without_an_answer_there_is_no_number(factory):
    steep = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "a2": 0.02})
    found = breakevens(steep, tokens_stage1=[1e9, 1e12])
    assert np.isfinite(found.tokens[0]) or found.verdict[0]
    assert np.isnan(found.tokens[1])
    assert found.verdict[1] == ""
    loss = forecasts(steep, {"tokens_stage1": [1e9, 1e12], "tokens_stage2": 1e9}).loss
    assert np.isfinite(loss[0])
    assert np.isnan(loss[1])


def test_a_ratio_to_the_one_fitted_size_needs_no_size(factory):
    """It ended in a KeyError."""
    ranges = {**RANGES, "params": (1e9, 1e9)}
    fit = factory.make_fit("tokens-per-param+scratch", {**JOINT, "A_s": 20.0}, ranges=ranges)
    found = breakevens(fit, tokens_stage1=STAGE1)
    for stage1, said in zip(STAGE1, found.verdict, strict=True):
        assert said == breakeven(fit, tokens_stage1=float(stage1)).verdict


def test_scratch_laws_that_cannot_be_asked_have_no_number(factory):
    """A law from scratch whose loss rises, or of another size, was asked all the same."""
    rising = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "a_s": -0.1})
    assert np.isnan(breakevens(rising, tokens_stage1=STAGE1).tokens).all()
    reuse = factory.make_fit("bootstrapped-joint", {**JOINT}, ranges=RANGES)
    power = factory.make_fit("power", {"A": 32.0, "a": 0.16, "E": 0.5})
    found = breakevens(reuse, scratch=power, tokens_stage1=1e10, params=[1e9, 2e9])
    assert found.verdict.tolist()[1] == ""
    assert found.verdict.tolist()[0] != ""


def test_refusals(factory):
    broken = factory.make_fit("bootstrapped+scratch", factory.JOINT, status="not_identifiable")
    good = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    with pytest.raises(UndeterminedError, match="cannot be asked"):
        forecasts(broken, {"tokens_stage1": 1e9, "tokens_stage2": 1e9})
    with pytest.raises(InputError, match="above zero"):
        forecasts(good, {"tokens_stage1": 1e9, "tokens_stage2": [1e9, 0.0]})
    with pytest.raises(InputError, match="above zero"):
        breakevens(good, tokens_stage1=[1e9, -1.0])
    with pytest.raises(InputError, match="stage1 is"):
        breakevens(good, tokens_stage1=1e9, stage1="gift")


def test_a_replicate_whose_loss_no_float_holds_is_behind_without_a_warning(factory):
    """The loss at the lower end overflowed where a replicate's exponent had run away."""
    wild = {**factory.JOINT, "a3": -0.9}
    fit = factory.make_fit(
        "bootstrapped+scratch",
        factory.JOINT,
        replicates=[factory.JOINT] * 19 + [{**wild, "a2": -30.0}],
        residual_scale=0.01,
    )
    found = breakevens(fit, tokens_stage1=[1e11])
    assert found.agreement[0] == pytest.approx(0.95)


def test_laws_of_two_sizes_have_no_number(factory):
    reuse = factory.make_fit("bootstrapped", factory.MAIN)
    small = {"tokens_stage2": (1e9, 1e11), "params": (5e8, 5e8)}
    scratch = factory.make_fit("power", {"A": 32.0, "a": 0.14, "E": 1.0}, ranges=small)
    assert breakevens(reuse, scratch=scratch, tokens_stage1=1e10).verdict.tolist() == [""]
