"""Break-evens against closed forms, published values and invariants."""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.planning import breakeven, words
from bootlaw.planning.breakeven import breakeven_grid

QUICK = settings(deadline=None, max_examples=40)

WIDE = (1e3, 1e20)


def joint_values():
    return st.fixed_dictionaries(
        {
            "A": st.floats(5, 50),
            "a1": st.floats(0.02, 0.1),
            "a2": st.floats(0.05, 0.2),
            "a3": st.floats(0.0, 0.001),
            "A_s": st.floats(5, 200),
            "a_s": st.floats(0.05, 0.4),
            "E": st.floats(0, 2),
        }
    )


EITHER = st.booleans()


@st.composite
def crossing_laws(draw, *, catches_up=EITHER):
    """Return joint parameters, D1 and ln D*: the scratch law is made to cross at that place."""
    values = draw(joint_values())
    ln_stage1, ln_root = math.log(10) * draw(st.floats(9, 12)), draw(st.floats(14, 34))
    steeper = draw(st.floats(0.01, 0.3)) * (1 if draw(catches_up) else -1)
    exponent = values["a2"] - values["a3"] * ln_stage1
    values["a_s"] = max(exponent + steeper, 1e-4)
    head = (exponent - values["a_s"]) * ln_root
    values["A_s"] = values["A"] * math.exp(-values["a1"] * ln_stage1 - head)
    return values, math.exp(ln_stage1), ln_root


@QUICK
@given(crossing_laws())
def test_joint_law_has_the_root_of_its_closed_form(factory, case):
    values, tokens_stage1, ln_root = case
    assume(abs(values["a_s"] - values["a2"] + values["a3"] * math.log(tokens_stage1)) > 1e-3)
    fit = factory.make_fit("bootstrapped+scratch", values)
    answer = breakeven(fit, tokens_stage1=tokens_stage1, search=WIDE)
    assert len(answer.crossings) == 1
    assert math.log(answer.crossings[0].tokens) == pytest.approx(ln_root, abs=1e-8)
    assert math.log(answer.closed_form) == pytest.approx(ln_root, abs=1e-8)
    catches_up = values["a_s"] > values["a2"] - values["a3"] * math.log(tokens_stage1)
    assert (answer.tokens is not None) == catches_up
    assert answer.crossings[0].winner_above == ("scratch" if catches_up else "reuse")


@pytest.mark.parametrize(
    ("params", "tokens_stage1", "expected"),
    [
        # arXiv 2502.03009, coefficients of the upcycled and the scratch MoE laws
        (1e9, 1e9, 1.5e9),
        (1e9, 1e10, 7.1e9),
        (1e9, 1e11, 5.1e10),
        (1e8, 1e10, 1.3e10),
        (7e9, 1e10, 3.9e9),
    ],
)
def test_published_upcycling_laws(factory, params, tokens_stage1, expected):
    fit, scratch = factory.upcycled(params)
    answer = breakeven(fit, scratch=scratch, tokens_stage1=tokens_stage1)
    assert answer.status == "crossing"
    assert answer.tokens == pytest.approx(expected, rel=0.03)
    assert answer.closed_form is None
    assert "nats and do not cancel" in answer.closed_form_reason


def test_published_recrossing_is_found_and_words_tell_both(factory):
    fit, scratch = factory.upcycled(1e9)
    answer = breakeven(fit, scratch=scratch, tokens_stage1=1e10, search=(1e8, 1e15))
    assert [c.winner_above for c in answer.crossings] == ["scratch", "reuse"]
    assert answer.crossings[1].tokens == pytest.approx(3.3e14, rel=0.05)
    assert "reuse above" in answer.summary()


def test_published_overtrained_base_has_no_crossing(factory):
    fit, scratch = factory.upcycled(1e9)
    answer = breakeven(fit, scratch=scratch, tokens_stage1=1e12)
    assert answer.status == "reuse_always_wins"
    assert (answer.tokens, answer.loss, answer.crossings) == (None, None, ())
    assert "between 100M and 100T stage-2 tokens" in answer.summary()


def test_scratch_that_is_better_everywhere(factory):
    fit = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "A_s": 1.0})
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.status == "scratch_always_wins"
    assert answer.tokens is None


def test_reuse_that_overtakes_is_a_crossing_without_tokens(factory):
    values = {**factory.JOINT, "A_s": 1.2, "a_s": 0.01}
    answer = breakeven(
        factory.make_fit("bootstrapped+scratch", values), tokens_stage1=1e10, search=WIDE
    )
    assert [c.winner_above for c in answer.crossings] == ["reuse"]
    assert answer.verdict == "crossing"
    assert answer.tokens is None
    # The headline said that starting over "never catches up", which denies that it is ahead first.
    place = words.tokens(answer.crossings[0].tokens)
    assert f"better only below {place} stage-2 tokens; reuse from there on" in answer.summary()
    assert answer.extrapolation["tokens_stage2"] > 1


@QUICK
@given(joint_values(), st.floats(9, 12), st.floats(0.1, 3))
def test_paid_stage_1_never_helps_reuse(factory, values, log_d1, base_cost):
    fit = factory.make_fit("bootstrapped+scratch", values)
    asked = {"tokens_stage1": 10**log_d1, "search": WIDE}
    free = breakeven(fit, **asked)
    paid = breakeven(fit, **asked, stage1="paid", base_cost=base_cost)
    assert paid.closed_form is None
    if free.tokens is not None and paid.tokens is not None:
        starts_with_reuse = free.crossings[0].winner_below == "reuse"
        assert not starts_with_reuse or paid.tokens <= free.tokens * (1 + 1e-9)
    if free.verdict == "scratch_always_wins":
        assert paid.verdict == "scratch_always_wins"


def test_paid_with_no_gain_from_stage_1_is_a_draw_of_total_tokens(factory):
    # With total-tokens for reuse and the same power law for scratch, equal compute is equal loss:
    # a cheaper base favours reuse everywhere, a dearer one favours starting over.
    power = {"A": 20, "a": 0.1, "E": 1}
    fit, scratch = factory.make_fit("total-tokens", power), factory.make_fit("power", power)
    asked = {"tokens_stage1": 1e10, "scratch": scratch, "stage1": "paid"}
    assert breakeven(fit, **asked, base_cost=0.5).verdict == "reuse_always_wins"
    assert breakeven(fit, **asked, base_cost=2.0).verdict == "scratch_always_wins"
    assert breakeven(fit, **asked, base_cost=1.0).status == "undetermined"


@QUICK
@given(crossing_laws(catches_up=st.just(True)))
def test_more_stage_1_delays_the_crossing_where_it_still_helps(factory, case):
    values, tokens_stage1, ln_root = case
    fit = factory.make_fit("bootstrapped+scratch", values)
    root, later = (
        breakeven(fit, tokens_stage1=d1, search=(1e3, 1e30)).tokens
        for d1 in (tokens_stage1, tokens_stage1 * 1.001)
    )
    # dL/dD1 has the sign of a3 ln D2 - a1: past exp(a1 / a3) a longer base is a worse one.
    helps = values["a1"] - values["a3"] * ln_root
    assume(abs(helps) > 1e-3)
    assert (later > root) == (helps > 0)


@QUICK
@given(crossing_laws(), st.floats(0.1, 1000))
def test_unit_of_tokens_does_not_matter(factory, case, unit):
    values, tokens_stage1, _ = case
    ln_unit = math.log(unit)  # tokens counted in multiples of `unit`
    head = -(values["a1"] + values["a2"]) * ln_unit + values["a3"] * ln_unit**2
    other = {
        **values,
        "a1": values["a1"] - values["a3"] * ln_unit,
        "a2": values["a2"] - values["a3"] * ln_unit,
        "A": values["A"] * math.exp(head),
        "A_s": values["A_s"] * unit ** -values["a_s"],
    }
    first, second = (
        breakeven(
            factory.make_fit("bootstrapped+scratch", law),
            tokens_stage1=tokens_stage1 / scale,
            search=(WIDE[0] / scale, WIDE[1] / scale),
        )
        for law, scale in ((values, 1.0), (other, unit))
    )
    assume(first.verdict is not None and second.verdict is not None)
    np.testing.assert_allclose(
        [c.tokens for c in first.crossings],
        [c.tokens * unit for c in second.crossings],
        rtol=1e-5,
    )


def spread(factory, scale, count=200, **changes):
    """Return `count` joint parameter sets whose A_s varies by `scale` in the logarithm."""
    steps = np.linspace(-1, 1, count)
    base = {**factory.JOINT, **changes}
    return [{**base, "A_s": base["A_s"] * math.exp(scale * step)} for step in steps]


def test_interval_is_made_of_the_replicates_own_roots(factory):
    replicates = spread(factory, 0.05)
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, replicates=replicates)
    answer = breakeven(fit, tokens_stage1=1e10, search=WIDE, level=0.9)
    roots = np.sort([math.exp(factory.closed_form(row, 1e10)) for row in replicates])
    assert answer.lower == pytest.approx(roots[9], rel=1e-6)
    assert answer.upper == pytest.approx(roots[-10], rel=1e-6)
    assert answer.interval.without_crossing == 0
    assert answer.lower < answer.tokens < answer.upper


def test_replicates_without_crossing_open_the_interval(factory):
    values = factory.JOINT
    never = [{**values, "a_s": 0.01, "A_s": 100.0}] * 20
    fit = factory.make_fit(
        "bootstrapped+scratch", values, replicates=[*spread(factory, 0.02, 180), *never]
    )
    answer = breakeven(fit, tokens_stage1=1e10, search=WIDE)
    assert answer.lower is not None
    assert answer.upper is None
    assert math.isinf(answer.interval.upper)
    assert answer.to_json()["share_without_crossing"] == pytest.approx(0.1)
    assert answer.status == "crossing"
    assert "beyond the range" in answer.summary()


def test_disagreeing_replicates_are_undetermined_and_keep_the_numbers(factory):
    never = [{**factory.JOINT, "a_s": 0.01, "A_s": 100.0}] * 60
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=[*spread(factory, 0.02, 140), *never]
    )
    answer = breakeven(fit, tokens_stage1=1e10, search=WIDE)
    assert answer.status == "undetermined"
    assert answer.verdict == "crossing"
    assert "30 % of the bootstrap replicates" in answer.reasons[0]
    assert answer.tokens is not None


def test_far_crossing_with_a_wide_interval_is_undetermined(factory):
    ranges = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e5, 2e7)}
    asked = {"tokens_stage1": 1e10, "search": WIDE}
    narrow, wide = (
        breakeven(
            factory.make_fit(
                "bootstrapped+scratch",
                factory.JOINT,
                replicates=spread(factory, scale),
                ranges=ranges,
            ),
            **asked,
        )
        for scale in (0.01, 0.3)
    )
    assert narrow.extrapolation["tokens_stage2"] > 1
    assert narrow.status == "crossing"
    assert any("decades out" in warning for warning in narrow.warnings)
    assert wide.status == "undetermined"
    assert "outside the data" in wide.reasons[0]


def test_laws_closer_than_the_residuals_are_undetermined(factory):
    values = {**factory.JOINT, "A_s": 16.3 * 1e10**-0.043, "a_s": 0.085 - 7.98e-4 * math.log(1e10)}
    values["A_s"] *= 1.0001
    fit = factory.make_fit("bootstrapped+scratch", values, residual_scale=0.01)
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.status == "undetermined"
    assert "residual scale" in answer.reasons[0]


def test_without_replicates_intervals_are_null_and_it_says_so(factory):
    answer = breakeven(factory.make_fit("bootstrapped+scratch", factory.JOINT), tokens_stage1=1e10)
    document = answer.to_json()
    assert document["lower"] is None
    assert document["upper"] is None
    assert document["share_without_crossing"] is None
    assert any("bootstrap" in warning for warning in answer.warnings)


def test_replicates_of_separate_fits_are_used_up_to_the_shorter(factory):
    fit, scratch = factory.upcycled(1e9)
    one = {name: fit.value(name) for name in fit.law.names}
    two = {name: scratch.value(name) for name in scratch.law.names}
    answer = breakeven(
        factory.make_fit("bootstrapped", one, replicates=[one] * 30),
        scratch=factory.make_fit("power", two, replicates=[two] * 50),
        tokens_stage1=1e10,
    )
    assert answer.lower == pytest.approx(answer.tokens)
    assert answer.upper == pytest.approx(answer.tokens)


@pytest.mark.parametrize("status", ["not_converged", "not_identifiable"])
def test_unusable_fit_is_undetermined_without_numbers(factory, status):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, status=status)
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.status == "undetermined"
    assert answer.tokens is None
    assert "rank deficient" in answer.summary()


def test_beyond_the_laws_validity_is_undetermined(factory):
    fit = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "a2": 0.5, "a3": 0.02})
    answer = breakeven(fit, tokens_stage1=1e11)
    assert answer.status == "undetermined"
    assert "exp(a2/a3)" in answer.reasons[0]


def test_scratch_law_that_rises_is_undetermined(factory):
    answer = breakeven(
        factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "a_s": -0.1}), tokens_stage1=1e10
    )
    assert answer.status == "undetermined"
    assert "a_s" in answer.reasons[0]


def test_laws_that_cannot_be_set_against_each_other(factory):
    joint = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    reuse = factory.make_fit("bootstrapped", factory.MAIN)
    power = factory.make_fit("power", {"A": 10, "a": 0.1, "E": 1})
    with pytest.raises(InputError, match="no scratch law"):
        breakeven(reuse, tokens_stage1=1e10)
    with pytest.raises(InputError, match="holds a scratch law already"):
        breakeven(joint, scratch=power, tokens_stage1=1e10)
    with pytest.raises(InputError, match="law of two stages"):
        breakeven(reuse, scratch=reuse, tokens_stage1=1e10)
    with pytest.raises(InputError, match="two stages"):
        breakeven(power, tokens_stage1=1e10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens_stage1": 0.0},
        {"tokens_stage1": math.nan},
        {"search": (1e10, 1e9)},
        {"search": (0.0, 1e9)},
        {"base_cost": 0.0},
        {"stage1": "rented"},
        {"level": 95},
    ],
)
def test_senseless_numbers_are_input_errors(factory, wrong):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    with pytest.raises(InputError):
        breakeven(fit, **({"tokens_stage1": 1e10} | wrong))


def test_document_has_the_contract_keys(factory):
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=spread(factory, 0.05, 20)
    )
    document = json.loads(json.dumps(breakeven(fit, tokens_stage1=1e10).to_json(), allow_nan=False))
    assert {
        "status", "tokens", "lower", "upper", "crossings", "range", "closed_form", "loss", "stage1",
    } <= set(document)  # fmt: skip
    assert set(document["crossings"][0]) == {"tokens", "winner_below", "winner_above"}


def test_a_crossing_or_a_base_out_of_sight_is_undetermined(factory):
    # A verdict 18 decades beyond the runs was given without a word of doubt.
    near = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e2, 1e3)}
    rows = spread(factory, 0.001)
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, replicates=rows, ranges=near)
    answer = breakeven(fit, tokens_stage1=1e10, search=WIDE)
    assert answer.extrapolation["tokens_stage2"] > 3
    assert "do runs in between first" in " ".join(answer.reasons)
    far = factory.make_fit("bootstrapped+scratch", factory.JOINT, replicates=rows)
    assert breakeven(far, tokens_stage1=1e16).status == "undetermined"


def overtaking(factory, scale, count=200, **options):
    """Return a fit whose runs from scratch are ahead first only, A_s scattered by `scale`."""
    values = {**factory.JOINT, "A_s": 1.2, "a_s": 0.01}
    rows = spread(factory, scale, count, A_s=1.2, a_s=0.01)
    return factory.make_fit("bootstrapped+scratch", values, replicates=rows, **options)


def test_a_crossing_the_other_way_is_held_to_the_same_rules(factory):
    """A crossing from scratch to reuse 1.9 decades out passed whatever its interval was."""
    asked = {"tokens_stage1": 1e10, "search": WIDE}
    narrow, wide = (breakeven(overtaking(factory, scale), **asked) for scale in (0.02, 0.4))
    place = narrow.crossings[0].tokens
    assert narrow.extrapolation["tokens_stage2"] > 1
    assert (narrow.status, narrow.lower) == ("crossing", None)
    assert narrow.turn[0] < place < narrow.turn[1]
    assert wide.status == "undetermined"
    assert "outside the data and its interval" in wide.reasons[0]
    assert f"95 % interval if the law holds: {words.tokens(narrow.turn[0])}" in narrow.summary()
    assert narrow.to_json()["turn"] == pytest.approx(list(narrow.turn))
    bare = factory.make_fit("bootstrapped+scratch", {**factory.JOINT, "A_s": 1.2, "a_s": 0.01})
    assert "has no interval" in " ".join(breakeven(bare, **asked).reasons)


def test_replicates_that_cross_the_other_way_disagree(factory):
    """They counted as agreeing: a crossing is a crossing, whoever wins above it."""
    other_way = spread(factory, 0.01, 100, A_s=1.2, a_s=0.01)
    rows = [*spread(factory, 0.01, 100), *other_way]
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT, replicates=rows)
    answer = breakeven(fit, tokens_stage1=1e10, search=WIDE)
    assert answer.agreement == pytest.approx(0.5)
    assert "50 % of the bootstrap replicates give another verdict" in answer.reasons[0]


def test_the_search_ends_where_verdicts_do(factory):
    """It went on for a decade in which every crossing was too far out to be an answer."""
    near = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (2e5, 1e6)}
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=spread(factory, 0.001), ranges=near
    )
    answer = breakeven(fit, tokens_stage1=1e10)
    assert answer.search == (2e4, 1e9)
    beyond = breakeven(fit, tokens_stage1=1e10, search=(2e4, 1e13))
    assert beyond.tokens > 1e9
    assert beyond.status == "undetermined"
    assert answer.status == "reuse_always_wins"
    assert "between 20k and 1B stage-2 tokens" in answer.summary()


def test_a_range_out_of_sight_of_the_reuse_runs_is_no_verdict(factory):
    """Without a crossing only the scratch law's runs were looked at."""
    fit, scratch = factory.upcycled(1e9)
    ranges = {"tokens_stage2": (1e9, 1e18)}
    wide = factory.make_fit("power", {n: scratch.value(n) for n in "AaE"}, ranges=ranges)
    answer = breakeven(fit, scratch=wide, tokens_stage1=1e10, search=(1e16, 1e17))
    assert answer.extrapolation["tokens_stage2"] == pytest.approx(5)
    assert "stage-2 tokens lie 5.0 decades" in " ".join(answer.reasons)
    inside = breakeven(fit, scratch=wide, tokens_stage1=1e12)
    assert inside.extrapolation["tokens_stage2"] == 0


@pytest.mark.parametrize("options", [{}, {"stage1": "paid", "base_cost": 0.5}])
def test_a_grid_holds_what_single_questions_answer(factory, options):
    fit = factory.make_fit(
        "bootstrapped+scratch", factory.JOINT, replicates=spread(factory, 0.05), residual_scale=1e-3
    )
    cells = [(10.0**k, None) for k in (8, 9, 10, 11, 15)]
    for answer, (stage1, _) in zip(breakeven_grid(fit, cells, **options), cells, strict=True):
        assert answer.to_json() == breakeven(fit, tokens_stage1=stage1, **options).to_json()


def test_laws_of_two_sizes_are_no_duel_where_nobody_names_one(factory):
    """Runs of 1B parameters were set against runs from scratch of half that size, unremarked."""
    reuse = factory.make_fit("bootstrapped", factory.MAIN)
    small = {"tokens_stage2": (1e9, 1e11), "params": (5e8, 5e8)}
    scratch = {"A": 32.0, "a": 0.14, "E": 1.0}
    answer = breakeven(
        reuse, scratch=factory.make_fit("power", scratch, ranges=small), tokens_stage1=1e10
    )
    assert answer.status == "undetermined"
    assert "was fitted to runs of 500M parameters; it says nothing about 1B" in answer.reasons[0]
    same = {**small, "params": (1e9, 1e9)}
    alike = factory.make_fit("power", scratch, ranges=same)
    assert breakeven(reuse, scratch=alike, tokens_stage1=1e10).verdict is not None
