"""Several laws as one source where bases differ: which of them speak, and that they stay the same.

Beyond exp(a2 / a3) = 7e10 tokens the main law of this file has no answer; the additive one has.
"""

import math

import numpy as np
import pytest

from bootlaw.fitting import LawAverage
from bootlaw.planning import (
    Route,
    allocate,
    as_source,
    breakevens,
    choose_checkpoint,
    decide,
    forecast,
    forecasts,
)
from bootlaw.planning.bases import at_bases
from bootlaw.planning.checkpoints import Checkpoint
from bootlaw.planning.crossings import find_zeros
from bootlaw.planning.first_losses import Questions, first_losses
from bootlaw.planning.pilots.optimum import split_question
from bootlaw.planning.pilots.recommend import _about

MAIN = {"A": 40.0, "a1": -0.25, "a2": 0.5, "a3": 0.02, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
ADDITIVE = {"A": 10.0, "a1": 0.15, "B": 20.0, "a2": 0.2, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
PRODUCT = {"A": 90.0, "a1": 0.05, "a2": 0.2, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
TOTAL = {"A": 70.0, "a": 0.2, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
FIXED = {"A": 50.0, "a": 0.19, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
LIMIT = math.exp(MAIN["a2"] / MAIN["a3"])
RANGES = {"tokens_stage1": (1e8, 1e10), "tokens_stage2": (1e8, 1e10), "params": (1e8, 1e8)}


def scattered(factory, key, values, n=120, seed=0, scale=1e-3, **options):
    draw = np.random.default_rng(seed)
    rows = [
        {name: value * math.exp(draw.normal(0, scale)) for name, value in values.items()}
        for _ in range(n)
    ]
    return factory.make_fit(
        key, values, replicates=rows, residual_scale=0.004, **{"ranges": RANGES, **options}
    )


@pytest.fixture
def average(factory):
    fits = (
        scattered(factory, "bootstrapped+scratch", MAIN, seed=1),
        scattered(factory, "additive+scratch", ADDITIVE, seed=2),
        scattered(factory, "total-tokens+scratch", TOTAL, seed=3),
    )
    return LawAverage(fits, (0.01, 0.012, 0.015), ("largest-d1",))


def own_losses(source, columns, part):
    """Return (members, 1 + r) what each law says at one point."""
    point = {name: np.array([value]) for name, value in columns.items()}
    return np.stack([member.loss(point, part)[:, 0] for member in source.members])


def test_a_law_of_one_base_is_silent_about_another(factory):
    """It was left out in words, and went on speaking for the point and for replicates."""
    ranges = {**RANGES, "tokens_stage1": (1e9, 1e9)}
    fits = (
        scattered(factory, "fixed-base+scratch", FIXED, ranges=ranges),
        scattered(factory, "total-tokens+scratch", TOTAL, ranges=ranges),
    )
    both = LawAverage(fits, (0.01, 0.02), ("largest-d2",))
    asked = {"tokens_stage1": 5e9, "tokens_stage2": 1e9}
    found, alone = forecast(both, **asked), forecast(fits[1], **asked)
    assert found.loss == pytest.approx(alone.loss, rel=1e-12)
    assert (found.lower, found.upper) == pytest.approx((alone.lower, alone.upper), rel=1e-9)
    assert any("fixed-base+scratch fit has no answer" in warning for warning in found.warnings)
    assert found.laws == (("total-tokens+scratch", 1.0),)


def test_no_replicate_follows_a_law_that_is_left_out(factory):
    """A replicate whose own law fails at the base went on with the first law, silent or not."""
    wild = [{**MAIN, "a2": 0.9}] * 60
    failing = [{**PRODUCT, "a2": -0.1}] * 60
    fits = (
        factory.make_fit("bootstrapped+scratch", MAIN, replicates=wild, ranges=RANGES),
        factory.make_fit("multiplicative+scratch", PRODUCT, replicates=failing,
                         ranges=RANGES),
    )  # fmt: skip
    source = as_source(LawAverage(fits, (0.01, 0.01), ("largest-d1",)))
    speaking = at_bases(source, 10 * LIMIT)
    point = {"tokens_stage1": 10 * LIMIT, "tokens_stage2": 1e9}
    np.testing.assert_allclose(
        speaking.loss(point, "reuse")[:, 0], own_losses(source, point, "reuse")[1], rtol=1e-12
    )


def test_a_law_without_an_answer_from_scratch_speaks_of_no_base_either(factory):
    """Reuse by three laws against scratch by two compared other worlds."""
    rising = {**PRODUCT, "a_s": -0.01}
    fits = (
        scattered(factory, "multiplicative+scratch", rising),
        scattered(factory, "additive+scratch", ADDITIVE),
    )
    average = LawAverage(fits, (0.01, 0.02), ("largest-d1",))
    found = decide(average, tokens_stage1=1e10, tokens_stage2=1e9)
    alone = decide(fits[1], tokens_stage1=1e10, tokens_stage2=1e9)
    for one, other in zip(found.outcomes, alone.outcomes, strict=True):
        assert (one.name, one.times_best) == (other.name, other.times_best)
        assert one.loss == pytest.approx(other.loss, rel=1e-12)
    assert any("has no answer for runs from scratch" in note for note in found.warnings)


@pytest.mark.parametrize("base_cost", [0.0, 1.0])
def test_first_losses_law_by_law_are_those_of_the_curves(average, base_cost):
    source = as_source(average)
    bases = np.array([1e8, 3e9, 5e10, 1e11, 1e12])
    asked = Questions(
        source, None, {"tokens_stage1": bases}, base_cost, (math.log(1e7), math.log(1e13))
    )
    found = first_losses(asked)
    for number in range(bases.size):
        duel = asked.duel(number)
        zeros = find_zeros(duel.gap, 1 + duel.n_replicates, *asked.ends)
        np.testing.assert_allclose(found.first[number], zeros.first_rising(), atol=1e-8)
        np.testing.assert_array_equal(found.above[number], zeros.starts_above)
        np.testing.assert_array_equal(found.crossed[number], zeros.count() > 0)


def test_a_law_that_reads_no_base_has_break_evens_by_the_thousand(factory):
    """All questions cross at one place, and the arrays of one question did not fit the others."""
    ranges = {**RANGES, "tokens_stage1": (1e9, 1e9)}
    fit = scattered(factory, "fixed-base+scratch", FIXED, ranges=ranges)
    found = breakevens(fit, tokens_stage1=np.full(3, 1e9), stage1="free")
    assert found.tokens.shape == (3,)
    assert len(set(found.tokens.tolist())) == 1


def test_forecasts_in_arrays_have_the_intervals_of_single_ones(factory):
    """Just beyond its limit a law was left out of one, and some of its replicates not of the
    other."""
    fits = (
        scattered(factory, "bootstrapped+scratch", MAIN, scale=0.02, seed=1),
        scattered(factory, "additive+scratch", ADDITIVE, seed=2),
    )
    average = LawAverage(fits, (0.01, 0.012), ("largest-d1",))
    stage1 = np.array([1e9, 0.9 * LIMIT, 1.1 * LIMIT, 0.0])
    many = forecasts(average, {"tokens_stage1": stage1, "tokens_stage2": 1e9})
    single = [forecast(average, tokens_stage1=d, tokens_stage2=1e9) for d in stage1]
    for name in ("loss", "lower", "upper"):
        expected = [getattr(one, name) for one in single]
        np.testing.assert_allclose(getattr(many, name), expected, rtol=1e-12)


def test_no_plan_is_beyond_the_limit_of_a_law(average):
    """Where a law has no loss the mean of the others is of other worlds, and took the lead."""
    plans = {plan.route: plan for plan in allocate(average, budget=3e12, unit="tokens").plans}
    reuse = plans["stack"]
    assert 0 < reuse.tokens_stage1 < LIMIT
    speaking = as_source(average).at_bases([1e8, 1e10], {})
    bases = np.geomspace(1e9, 1e13, 9)[np.newaxis]
    which = np.arange(1 + speaking.n_replicates)
    falls = speaking.falls(which, bases)
    for vector in which[1:]:
        own = speaking.followed[vector - 1]
        np.testing.assert_array_equal(
            falls[vector], np.broadcast_to(own.falls(np.array([vector]), bases), (1, 9))[0]
        )
    np.testing.assert_array_equal(falls[0], bases[0] < LIMIT)


def test_a_given_base_is_planned_with_the_laws_that_decide_asks(average):
    asked = {"tokens_stage1": 10 * LIMIT, "stage1": "free"}
    plans = {p.route: p for p in allocate(average, budget=1e9, unit="tokens", **asked).plans}
    decision = decide(average, tokens_stage2=1e9, **asked)
    outcomes = {outcome.kind: outcome for outcome in decision.outcomes}
    for route, kind in (("stack", "reuse"), ("scratch", "scratch")):
        assert plans[route].loss == pytest.approx(outcomes[kind].loss, rel=1e-12)
        assert plans[route].share_best == pytest.approx(outcomes[kind].times_best / 120)
        assert plans[route].laws == outcomes[kind].laws
    other = Route(as_source(average), "reuse")
    three = allocate(average.fits[1], budget=1e9, unit="tokens", others=[other], **asked)
    assert any(plan.laws == outcomes["reuse"].laws for plan in three.plans)


def test_the_flat_region_is_a_share_of_what_compute_can_take_away(average):
    """All of the loss was taken for it, as if the laws of an average had no irreducible part."""
    source = as_source(average)
    assert source.floor == pytest.approx(1.4)
    assert source.reducible(2.4) == pytest.approx(1.0)
    one = as_source(LawAverage(average.fits[:1], (0.01,), ("largest-d1",)))
    alone = as_source(average.fits[0])
    assert (one.floor, one.reducible(3.0)) == (alone.floor, alone.reducible(3.0))
    plans = [
        {plan.route: plan for plan in allocate(fit, budget=1e10, unit="tokens").plans}["stack"]
        for fit in (one, alone)
    ]
    assert plans[0].flat["tokens_stage1"] == pytest.approx(plans[1].flat["tokens_stage1"], rel=1e-6)


def test_checkpoints_are_ranked_by_the_same_laws(average):
    """Beyond the limit of the law that warns, its silence made a checkpoint the best one."""
    bases = [
        Checkpoint(f"{tokens:g}", params=1e8, params_active=1e8, tokens=tokens)
        for tokens in (1e10, 0.9 * LIMIT, 1.1 * LIMIT)
    ]
    found = choose_checkpoint(bases, average, tokens_stage2=1e10, params=1e8)
    speaking = as_source(average).at_bases(1.1 * LIMIT, {})
    assert found.laws == speaking.shares
    assert [key for key, _ in found.laws] == ["additive+scratch", "total-tokens+scratch"]
    for one in found.candidates:
        point = {"tokens_stage1": one.tokens_stage1, "tokens_stage2": 1e10}
        own = own_losses(speaking, point, "reuse")[:, 0]
        assert one.loss == pytest.approx(math.exp(speaking.weights @ np.log(own)), rel=1e-12)
    near = choose_checkpoint(bases[:2], average, tokens_stage2=1e10, params=1e8)
    assert len(near.laws) == 3


def test_a_base_that_flips_a_decision_decides_otherwise_when_asked(factory):
    """Beyond a law's limit it spoke of scratch and not of reuse, and the flip came too late."""
    fits = (
        scattered(factory, "bootstrapped+scratch", {**MAIN, "A_s": 40.0}, n=20, seed=1),
        scattered(factory, "additive+scratch", ADDITIVE, n=20, seed=2),
    )
    average = LawAverage(fits, (0.01, 0.012), ("largest-d1",))
    found = decide(average, tokens_stage1=0.8 * LIMIT, tokens_stage2=3e10)
    (flip,) = (one for one in found.flips if one.what == "tokens_stage1" and one.factor > 1)
    for beyond, wins in ((1.001, True), (0.999, False)):
        there = decide(average, tokens_stage1=flip.value * beyond, tokens_stage2=3e10)
        assert (there.outcomes[0].name == flip.winner) is wins


def test_two_methods_are_compared_by_the_same_laws(average, factory):
    """The main law's worlds were those of another law in the method with the lower limit."""
    further = {**MAIN, "a3": 0.019}
    other = (scattered(factory, "bootstrapped+scratch", further, seed=1), *average.fits[1:])
    both = {"stack": average, "depth": LawAverage(other, average.errors, average.holdouts)}
    found = decide(both, tokens_stage1=1.1 * LIMIT, tokens_stage2=1e9)
    heard = [[law for law, _ in one.laws] for one in found.outcomes]
    assert heard == [["additive+scratch", "total-tokens+scratch"]] * 3
    assert any("another method has no answer by this law" in note for note in found.warnings)
    near = decide(both, tokens_stage1=0.9 * LIMIT, tokens_stage2=1e9)
    assert {len(one.laws) for one in near.outcomes} == {3}


def test_an_average_of_which_one_law_answers_is_no_second_opinion(average):
    """The warning that resamples of one law do not show others was left out for any average."""
    asked = {"tokens_stage1": 0.9 * LIMIT, "tokens_stage2": 1e9}
    alone = LawAverage(average.fits[:1], (0.01,), average.holdouts)
    warned = "resamples of one law do not show it"
    assert any(warned in note for note in decide(alone, **asked).warnings)
    assert not any(warned in note for note in decide(average, **asked).warnings)


def test_splits_to_decide_between_are_compared_by_the_same_laws(average):
    source = as_source(average)
    question = split_question(source, total_tokens=3 * LIMIT)
    speaking = _about(question, source)
    assert [key for key, _ in speaking.shares] == ["additive+scratch", "total-tokens+scratch"]
