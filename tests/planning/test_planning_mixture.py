"""The replay share, from laws whose answer can be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.laws import get
from bootlaw.planning.critical_mixture import critical_mixture
from bootlaw.planning.mixture import mixture_share

NEW = "formula:reuse: A*(1 - replay)^-a*D2^-b + E"
OLD = "formula:reuse: H*(replay + K)^-c*D2^-b + E"
NEW_VALUES = {"A": 100.0, "a": 0.1, "b": 0.2, "E": 1.0}
OLD_VALUES = {"H": 30.0, "K": 0.1, "c": 0.5, "b": 0.2, "E": 1.5}
TOKENS = 1e10
RANGES = {"tokens_stage2": (1e9, 1e10), "replay": (0.0, 0.5)}


def new_loss(replay, **changes):
    v = {**NEW_VALUES, **changes}
    return v["A"] * (1 - replay) ** -v["a"] * TOKENS ** -v["b"] + v["E"]


def old_loss(replay, **changes):
    v = {**OLD_VALUES, **changes}
    return v["H"] * (replay + v["K"]) ** -v["c"] * TOKENS ** -v["b"] + v["E"]


def share_at(limit, **changes):
    """Return the share at which the old loss reaches the limit, from the algebra."""
    v = {**OLD_VALUES, **changes}
    return ((limit - v["E"]) / (v["H"] * TOKENS ** -v["b"])) ** (-1 / v["c"]) - v["K"]


@pytest.fixture
def laws(factory):
    """Return a maker of the two fits, with replicates that scatter H."""

    def make(n=0, spread=0.05, old=None, ranges=None):
        factors = np.exp(spread * np.linspace(-1, 1, n)) if n else []
        olds = OLD_VALUES | (old or {})
        shared = ranges or RANGES
        return (
            factory.make_fit(
                NEW, NEW_VALUES, replicates=[NEW_VALUES] * n, ranges=shared, residual_scale=0.001
            ),
            factory.make_fit(
                OLD, olds, replicates=[{**olds, "H": olds["H"] * f} for f in factors],
                ranges=shared, residual_scale=0.001,
            ),
        )  # fmt: skip

    return make


def ask(pair, limit, **options):
    return mixture_share(*pair, tokens_stage2=TOKENS, max_old_loss=limit, **options)


@settings(max_examples=25, deadline=None)
@given(replay=st.floats(0.02, 0.9))
def test_the_share_is_where_the_old_loss_reaches_the_limit(factory, replay):
    pair = (factory.make_fit(NEW, NEW_VALUES), factory.make_fit(OLD, OLD_VALUES))
    answer = ask(pair, old_loss(replay))
    assert answer.binding
    # The two laws bend, and the answer is interpolated between shares 5e-4 apart.
    assert answer.best.replay == pytest.approx(replay, abs=1e-5)
    assert answer.best.new_loss == pytest.approx(new_loss(replay), rel=1e-6)
    assert answer.best.old_loss == pytest.approx(old_loss(replay), rel=1e-6)


def test_a_limit_that_asks_for_nothing_asks_for_no_replay(laws):
    answer = ask(laws(), 10.0)
    assert answer.best.replay == 0.0
    assert not answer.binding
    assert len(answer.price) == 1


def test_no_share_may_keep_the_limit_and_that_is_an_answer(laws):
    answer = ask(laws(), 1.4)
    assert answer.status == "impossible"
    assert answer.best is None
    assert answer.nearest.replay == pytest.approx(1.0)
    assert answer.nearest.old_loss == pytest.approx(old_loss(1.0))
    assert "no share of replay" in answer.summary()


def test_the_interval_is_that_of_the_replicates(laws):
    limit = old_loss(0.2)
    answer = ask(laws(101), limit, level=0.9)
    shares = [share_at(limit, H=30 * f) for f in np.exp(0.05 * np.linspace(-1, 1, 101))]
    assert answer.lower == pytest.approx(shares[5], abs=2e-3)
    assert answer.upper == pytest.approx(shares[95], abs=2e-3)
    # The point estimate is the middle replicate, which keeps the limit as half of them do.
    assert answer.kept == pytest.approx(51 / 101)
    assert answer.impossible == 0.0


def test_a_law_without_replicates_goes_with_each_of_the_others(laws):
    with_replicates, without = laws(101), laws()
    limit = old_loss(0.2)
    lone = ask((without[0], with_replicates[1]), limit)
    both = ask(with_replicates, limit)
    assert (lone.lower, lone.upper) == (both.lower, both.upper)
    assert ask((with_replicates[0], without[1]), limit).lower == pytest.approx(0.2, abs=1e-5)


def test_replicates_without_a_share_leave_the_interval_open(laws):
    # With H 4 % larger no share up to a half keeps the limit that 45 % keep.
    limit = old_loss(0.48)
    answer = ask(laws(101), limit, search=(0.0, 0.5))
    assert 0 < answer.impossible < 1
    assert answer.upper is None
    assert answer.status == "undetermined"
    assert "keep the limit at no share" in answer.reasons[0]


def test_the_price_of_one_per_cent_either_way(laws):
    answer = ask(laws(), old_loss(0.2))
    less, more = answer.price
    assert (less.replay, more.replay) == pytest.approx((0.19, 0.21), abs=1e-5)
    assert less.new_loss < answer.best.new_loss < more.new_loss
    assert less.old_loss > answer.best.old_loss > more.old_loss
    assert more.new_loss == pytest.approx(new_loss(more.replay), rel=1e-9)


def test_the_flat_region_is_where_the_new_loss_rises_by_one_per_cent(laws):
    answer = ask(laws(), old_loss(0.2))
    low, high = answer.flat
    assert low == pytest.approx(0.2, abs=1e-4)
    assert new_loss(high) == pytest.approx(1.01 * answer.best.new_loss, rel=1e-3)


def test_an_optimum_that_no_limit_decides_is_found_between_the_points(factory):
    law = "formula:reuse: A*(1 - replay)^-a + H*(replay + K)^-c + E"
    values = {"A": 1.0, "a": 0.3, "H": 0.2, "K": 0.1, "c": 0.7, "E": 1.0}
    pair = (factory.make_fit(law, values), factory.make_fit(OLD, OLD_VALUES))
    answer = ask(pair, 10.0)

    def slope(x):
        return 0.3 * (1 - x) ** -1.3 - 0.14 * (x + 0.1) ** -1.7

    low, high = 0.0, 0.9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    assert answer.best.replay == pytest.approx(low, abs=1e-6)
    assert not answer.binding


def test_a_share_outside_those_tried_is_warned_of(laws):
    answer = ask(laws(), old_loss(0.7))
    assert any("outside the shares that the runs tried" in text for text in answer.warnings)
    assert not any("outside the shares" in text for text in ask(laws(), old_loss(0.3)).warnings)


def test_a_search_that_ends_too_early_is_warned_of(laws):
    answer = ask(laws(), 10.0, search=(0.1, 0.5))
    assert answer.best.replay == 0.1
    assert any("less may be better still" in text for text in answer.warnings)


def test_a_stage_longer_than_the_runs_is_warned_of(laws):
    answer = mixture_share(*laws(), tokens_stage2=1e12, max_old_loss=3.0)
    assert any("100 times above the fitted range" in text for text in answer.warnings)


def test_d_cpt_of_the_catalogue_may_be_asked(factory):
    values = {
        "A": 400.0, "al": 0.34, "B": 500.0, "eta": 0.1, "be": 0.28, "C_r": 0.4, "k": 0.1,
        "ga": 0.5, "E": 1.4,
    }  # fmt: skip
    pair = (factory.make_fit("d-cpt", values), factory.make_fit(OLD, OLD_VALUES))
    answer = ask(pair, old_loss(0.25), params=1e9)
    columns = {"params": 1e9, "tokens_stage2": TOKENS, "replay": answer.best.replay}
    assert answer.best.replay == pytest.approx(0.25, abs=1e-5)
    expected = get("d-cpt").loss([values[name] for name in get("d-cpt").names], columns)
    assert answer.best.new_loss == pytest.approx(float(expected[0]))
    without = factory.make_fit("d-cpt", values, ranges={"replay": (0.0, 0.5)})
    with pytest.raises(InputError, match="also reads params; say which with params"):
        ask((without, pair[1]), 3.0)


def test_a_failed_fit_has_no_answer(factory, laws):
    broken = factory.make_fit(OLD, OLD_VALUES, status="not_identifiable", ranges=RANGES)
    answer = ask((laws()[0], broken), 3.0)
    assert answer.status == "undetermined"
    assert answer.best is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limit": 0.0}, "max_old_loss is 0"),
        ({"limit": math.inf}, "max_old_loss is inf"),
        ({"limit": 3.0, "search": (0.5, 0.2)}, "the lower one first"),
        ({"limit": 3.0, "search": (0.0, 5.0)}, "between 0 and 1"),
        ({"limit": 3.0, "level": 1.0}, "level is 1"),
    ],
)
def test_senseless_questions_are_refused(laws, options, words):
    with pytest.raises(InputError, match=words):
        ask(laws(), **options)


def test_a_law_without_the_share_is_refused(factory, laws):
    other = factory.make_fit("bootstrapped", factory.MAIN)
    with pytest.raises(InputError, match="does not read the replay share"):
        ask((other, laws()[1]), 3.0)


@pytest.mark.parametrize(
    ("size", "share"), [("460m", 0.298), ("940m", 0.349), ("1.6b", 0.414), ("3.1b", 0.478)]
)
def test_published_critical_ratios(size, share):
    # Gu et al., arXiv 2407.17467: the worked values at 20e9 tokens, to the digits of the
    # published coefficients.
    answer = critical_mixture(f"gu2024-mixture-{size}", tokens_stage2=20e9)
    assert answer.domain_share == pytest.approx(share, abs=1e-3)
    assert answer.replay == pytest.approx(1 - share, abs=1e-3)
    assert (answer.lower, answer.upper) == (None, None)


def test_a_ratio_that_is_no_share_is_no_answer():
    answer = critical_mixture("gu2024-mixture-460m", tokens_stage2=1e8)
    assert answer.status == "undetermined"
    assert answer.domain_share is None
    assert "no share between 0 and 1" in answer.reasons[0]


def test_a_fitted_ratio_has_the_interval_of_its_replicates(factory):
    values = {"b0": 0.8, "b1": -2.0, "s": -0.4}
    fit = factory.make_fit(
        "mixture-ratio",
        values,
        replicates=[{**values, "b0": 0.8 + i / 1000} for i in range(-50, 51)],
    )
    answer = critical_mixture(fit, tokens_stage2=20e9, level=0.9)
    middle = 0.8 - 2.0 * 100**-0.4
    assert answer.domain_share == pytest.approx(middle)
    assert (answer.lower, answer.upper) == pytest.approx(
        (middle - 0.045, middle + 0.045), abs=1.1e-3
    )
    document = answer.to_json()
    assert document["lower"] == pytest.approx(1 - answer.upper)


def test_a_law_of_the_loss_is_no_critical_ratio():
    with pytest.raises(InputError, match="predicts loss"):
        critical_mixture("besiroglu2024", tokens_stage2=20e9)
