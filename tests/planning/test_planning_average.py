"""Several laws as one source: means, worlds, and bases about which some laws are silent."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting import LawAverage, average_laws
from bootlaw.fitting.misfit import Misfit, RollOut
from bootlaw.planning import (
    allocate,
    as_source,
    breakeven,
    breakevens,
    choose_checkpoint,
    decide,
    forecast,
    forecasts,
)
from bootlaw.planning.bases import at_bases
from bootlaw.planning.checkpoints import Checkpoint
from bootlaw.planning.pilots import ForecastQuestion, next_runs

STUDY = Path(__file__).parents[1] / "data" / "two_stage_study.csv"
ADDITIVE = {"A": 10.0, "a1": 0.15, "B": 20.0, "a2": 0.2, "A_s": 60.0, "a_s": 0.2, "E": 1.4}
POINTS = {"tokens_stage1": np.array([1e10, 1e11]), "tokens_stage2": np.array([1e10, 1e12])}


def scattered(factory, key, values, n, seed, scale=0.01):
    draw = np.random.default_rng(seed)
    rows = [
        {name: value * math.exp(draw.normal(0, scale)) for name, value in values.items()}
        for _ in range(n)
    ]
    return factory.make_fit(key, values, replicates=rows, residual_scale=0.004)


@pytest.fixture
def laws_of(factory):
    """Give an average of the main law and the additive one, with the errors that are named."""

    def make(errors=(0.01, 0.02), n=200):
        fits = (
            scattered(factory, "bootstrapped+scratch", factory.JOINT, n, 0, 0.001),
            scattered(factory, "additive+scratch", ADDITIVE, n, 1, 0.001),
        )
        return LawAverage(fits, errors, ("largest-d1",))

    return make


def test_the_point_estimate_is_the_law_that_the_laws_make_together(laws_of):
    source = as_source(laws_of())
    for part, points in (
        ("reuse", POINTS),
        ("scratch", {**POINTS, "tokens_stage1": np.zeros(2)}),
    ):
        expected = source.law.loss(source.params[0], points)
        np.testing.assert_allclose(source.loss(points, part)[0], expected, rtol=1e-12)


def test_every_resample_is_a_resample_of_one_law(laws_of):
    source = as_source(laws_of())
    losses = source.loss(POINTS, "reuse")[1:]
    own = np.stack([member.loss(POINTS, "reuse")[1:] for member in source.members])
    is_of = np.all(np.isclose(losses, own, rtol=1e-13), axis=2)
    assert np.all(is_of.sum(axis=0) == 1)
    # A tenth is more than three standard errors of a share of 200 draws.
    assert is_of[0].mean() == pytest.approx(source.weights[0], abs=0.1)


def test_a_resample_follows_one_law_for_reuse_and_for_scratch(laws_of):
    source = as_source(laws_of()).at_bases(1e11, {})
    scratch = {**POINTS, "tokens_stage1": np.zeros(2)}
    which = []
    for part, points in (("reuse", POINTS), ("scratch", scratch)):
        losses = source.loss(points, part)[1:]
        own = np.stack([member.loss(points, part)[1:] for member in source.members])
        which.append(np.argmin(np.abs(own - losses).max(axis=2), axis=0))
    np.testing.assert_array_equal(*which)


def test_averages_of_two_methods_follow_one_law_in_one_resample(laws_of):
    one, other = as_source(laws_of()), as_source(laws_of(errors=(0.0101, 0.02)))
    first = [np.argmax(source.preferences, axis=0) for source in (one, other)]
    assert np.mean(first[0] == first[1]) > 0.98


def test_one_law_alone_gives_its_own_answers(factory):
    alone = scattered(factory, "bootstrapped+scratch", factory.JOINT, 100, 0)
    average = LawAverage((alone,), (0.01,), ("largest-d1",))
    np.testing.assert_allclose(
        as_source(average).loss(POINTS, "reuse"), as_source(alone).loss(POINTS, "reuse"), rtol=1e-12
    )
    found, expected = (breakeven(fit, tokens_stage1=1e11) for fit in (average, alone))
    assert found.tokens == pytest.approx(expected.tokens, rel=1e-9)
    assert found.verdict == expected.verdict
    assert found.reasons == expected.reasons


def test_where_a_law_has_no_answer_the_others_give_it(laws_of, factory):
    """Beyond exp(a2 / a3) the main law's loss would rise with stage 2, and it is no law there."""
    limit = math.exp(factory.JOINT["a2"] / factory.JOINT["a3"])
    average = laws_of()
    beyond = {"tokens_stage1": 10 * limit, "tokens_stage2": 1e10}
    source = as_source(average)
    expected = source.members[1].loss(beyond, "reuse")
    np.testing.assert_allclose(source.loss(beyond, "reuse"), expected, rtol=1e-12)
    answer = decide(average, tokens_stage1=10 * limit, tokens_stage2=1e10)
    assert any("is left out (its weight was" in warning for warning in answer.warnings)
    assert {o.kind for o in answer.outcomes} == {"reuse", "scratch"}
    additive = decide(average.fits[1], tokens_stage1=10 * limit, tokens_stage2=1e10)
    for one, other in zip(answer.outcomes, additive.outcomes, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-12)


def test_a_base_about_which_no_law_speaks_is_refused(factory):
    main = scattered(factory, "bootstrapped+scratch", factory.JOINT, 50, 0)
    average = LawAverage((main,), (0.01,), ("largest-d1",))
    limit = math.exp(factory.JOINT["a2"] / factory.JOINT["a3"])
    answer = breakeven(average, tokens_stage1=10 * limit)
    assert any("the fitted stage-2 exponent" in reason for reason in answer.reasons)


def test_laws_that_disagree_about_the_best_option_make_a_tie(laws_of):
    """Each law alone is sure of its own answer; together they are not."""
    average = laws_of(errors=(0.01, 0.01))
    asked = {"tokens_stage1": 1e12, "tokens_stage2": 1e11}
    alone = [decide(one, **asked) for one in average.fits]
    assert {one.status for one in alone} == {"ok"}
    assert {one.outcomes[0].kind for one in alone} == {"reuse", "scratch"}
    assert decide(average, **asked).status == "tie"


def test_an_interval_holds_what_the_laws_disagree_about(laws_of):
    average = laws_of(errors=(0.01, 0.01))
    asked = {"tokens_stage1": 1e12, "tokens_stage2": 1e12}
    found = forecast(average, **asked)
    alone = [forecast(one, **asked) for one in average.fits]
    assert found.lower == pytest.approx(min(one.lower for one in alone), rel=0.01)
    assert found.upper == pytest.approx(max(one.upper for one in alone), rel=0.01)


def test_arrays_are_the_single_answers(laws_of):
    average = laws_of()
    stage1 = np.array([1e9, 1e10, 1e12])
    many = forecasts(average, {"tokens_stage1": stage1, "tokens_stage2": 1e10})
    single = [forecast(average, tokens_stage1=d, tokens_stage2=1e10) for d in stage1]
    np.testing.assert_allclose(many.loss, [one.loss for one in single], rtol=1e-12)
    crossings = breakevens(average, tokens_stage1=stage1)
    for number, d in enumerate(stage1):
        one = breakeven(average, tokens_stage1=d)
        assert crossings.verdict[number] == one.verdict
        if one.tokens is not None:
            assert crossings.tokens[number] == pytest.approx(one.tokens, rel=1e-9)


def test_every_question_can_be_asked_of_a_real_average(tmp_path):
    average = average_laws(STUDY, method="stack", bootstrap=50)
    path = tmp_path / "laws.json"
    average.save(path)
    decision = decide(path, tokens_stage1=8e6, tokens_stage2=1e6)
    assert decision.outcomes[0].kind == "reuse"
    assert any("laws averaged by their error" in warning for warning in decision.warnings)
    assert breakeven(str(path), tokens_stage1=8e6).law == "average"
    plan = allocate(path, budget=4e6, unit="tokens")
    assert plan.status in ("ok", "tie")
    bases = [
        Checkpoint(name, params=50432, params_active=50432, tokens=d)
        for name, d in (("short", 5e5), ("long", 4e6))
    ]
    average_laws(STUDY, method="cpt", bootstrap=50).save(path)
    choice = choose_checkpoint(bases, path, tokens_stage2=1e6)
    assert choice.candidates[0].name == "long"


def test_what_an_average_does_not_know_is_refused(laws_of):
    with pytest.raises(InputError, match="does not read it"):
        forecast(laws_of(), tokens_stage1=1e10, tokens_stage2=1e10, at={"replay": 0.1})


def test_runs_that_tell_the_laws_apart_are_worth_doing(laws_of):
    """Each law is sure of the loss far out and they differ: a run where they part settles it."""
    average = laws_of(errors=(0.01, 0.01))
    candidates = {
        "tokens_stage1": [1e12, 1e10],
        "tokens_stage2": [1e12, 1e10],
        "cost": [1.0, 1.0],
    }
    asked = ForecastQuestion(1e12, 2e12)
    found = next_runs(average, decision=asked, candidates=candidates, budget=1.0)
    alone = next_runs(average.fits[0], decision=asked, candidates=candidates, budget=1.0)
    assert found.before > 3 * alone.before
    assert found.after < found.before / 2


def test_a_replicate_whose_law_is_silent_at_a_candidate_follows_another_there(laws_of, factory):
    limit = math.exp(factory.JOINT["a2"] / factory.JOINT["a3"])
    source = at_bases(as_source(laws_of()), 1e11, {})
    far = {"tokens_stage1": 10 * limit, "tokens_stage2": 1e10}
    assert np.isfinite(source.loss(far, "reuse")).all()


def test_averages_with_other_numbers_of_replicates_follow_the_same_laws(laws_of):
    """The draw of a law was another one for every number of replicates."""
    few, many = as_source(laws_of(n=60)), as_source(laws_of(n=200))
    np.testing.assert_array_equal(few.first, many.first[:60])


def test_a_law_whose_noise_is_unknown_takes_no_interval_away(laws_of):
    average = laws_of()
    unknown = replace(average.fits[1], residual_scale=math.nan)
    source = as_source(LawAverage((average.fits[0], unknown), average.errors, ("largest-d1",)))
    assert source.residual_scale == pytest.approx(average.fits[0].residual_scale)
    assert source.has_intervals


def test_ranges_are_those_of_all_laws(laws_of):
    """Those of the law of most weight said nothing of what the others read."""
    average = laws_of()
    tokens = {k: v for k, v in average.fits[0].ranges.items() if k == "tokens_stage2"}
    only = replace(average.fits[0], ranges=tokens)
    source = as_source(LawAverage((only, average.fits[1]), average.errors, ("largest-d1",)))
    assert source.ranges == as_source(average.fits[1]).ranges


def test_a_width_is_earned_where_most_laws_were_held_out(laws_of):
    average = laws_of(errors=(0.01, 0.0101))
    rollout = RollOut(1e12, 0.5, 0.01, 0.01, 10, 4)
    far, near = (
        Misfit("tokens_stage1", 1e12, (replace(rollout, decades=decades),), "reuse")
        for decades in (0.5, 0.3)
    )

    def source(*misfits):
        fits = (replace(f, misfits=m) for f, m in zip(average.fits, misfits, strict=True))
        return as_source(LawAverage(tuple(fits), average.errors, ("largest-d1",)))

    assert source((far,), (near,)).misfits == (near,)
    assert source((far,), ()).misfits == ()


def test_every_answer_names_its_laws_and_their_weights(laws_of):
    average = laws_of()
    expected = [
        {"law": one.law.key, "weight": pytest.approx(weight)}
        for one, weight in zip(average.fits, average.weights, strict=True)
    ]
    asked = {"tokens_stage1": 1e10, "tokens_stage2": 1e10}
    bases = [Checkpoint("base", params=1e9, params_active=1e9, tokens=1e10)]
    allocation = allocate(average, budget=1e11, unit="tokens").to_json()
    documents = (
        forecast(average, **asked).to_json(),
        breakeven(average, tokens_stage1=1e10).to_json(),
        choose_checkpoint(bases, average, tokens_stage2=1e10, params=1e9).to_json(),
        next_runs(average, decision=ForecastQuestion(**asked)).to_json(),
        allocation,
        *allocation["others"],
        *decide(average, **asked).to_json()["options"],
    )
    assert all(document["laws"] == expected for document in documents)
    alone = forecast(average.fits[0], **asked).to_json()
    assert alone["laws"] == [{"law": "bootstrapped+scratch", "weight": 1.0}]


def test_what_several_fits_warn_of_is_said_once(factory):
    fits = [
        factory.make_fit(key, values, warns=("at_bound",))
        for key, values in (
            ("bootstrapped+scratch", factory.JOINT),
            ("additive+scratch", ADDITIVE),
            ("multiplicative+scratch", {k: v for k, v in factory.JOINT.items() if k != "a3"}),
        )
    ]
    average = LawAverage(tuple(fits), (0.01, 0.011, 0.012), ("largest-d1",))
    said = [warning for warning in as_source(average).warnings if "at_bound" in warning]
    assert said == [
        "the bootstrapped+scratch, additive+scratch and multiplicative+scratch fits warn "
        "(at_bound): about at_bound"
    ]


def test_what_two_methods_average_is_said_of_each(laws_of):
    """Of the second only the weights were printed: its first words had been said before."""
    average = laws_of()
    other = tuple(replace(one, method="cpt") for one in average.fits)
    both = {"stack": average, "cpt": LawAverage(other, (0.01, 0.011), average.holdouts)}
    said = decide(both, tokens_stage1=1e10, tokens_stage2=1e10).summary()
    for method in both:
        assert f"laws averaged by their error on largest-d1 ({method}): bootstrapped" in said


def test_laws_without_runs_from_scratch_say_what_to_do(factory):
    """The words asked for a fit of average+scratch, which nobody can make."""
    fit = factory.make_fit("bootstrapped", factory.MAIN)
    average = LawAverage((fit,), (0.01,), ("largest-d1",))
    with pytest.raises(InputError, match="laws to a table with runs from scratch"):
        breakeven(average, tokens_stage1=1e10)


def test_a_resample_has_the_noise_of_the_law_that_it_follows(factory):
    """A law that misses the rows by far widened the intervals of the others as well."""
    near = scattered(factory, "bootstrapped+scratch", factory.JOINT, 200, 0, 1e-6)
    far = replace(
        scattered(factory, "additive+scratch", ADDITIVE, 200, 1, 1e-6), residual_scale=0.3
    )
    asked = {"tokens_stage1": 1e10, "tokens_stage2": 1e10}
    alone = forecast(near, level=0.5, **asked)
    found = forecast(LawAverage((near, far), (0.001, 0.1), ("largest-d1",)), level=0.5, **asked)
    assert found.upper - found.lower == pytest.approx(alone.upper - alone.lower, rel=0.05)
