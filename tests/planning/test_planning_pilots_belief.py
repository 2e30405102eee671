"""Beliefs, goals, costs and the search for a batch: closed forms and invariants."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from bootlaw.errors import InputError
from bootlaw.planning.pilots.belief import Belief, compressed, deviations
from bootlaw.planning.pilots.costs import CostRules, Ledger
from bootlaw.planning.pilots.goals import Information, Signs, Spread, Steps
from bootlaw.planning.pilots.search import choose, fill, single

seeds = st.integers(0, 10_000)


def random_belief(seed, k=12, m=4, n=6, noise=0.5):
    rng = np.random.default_rng(seed)
    return Belief.of(
        rng.normal(size=m), rng.normal(size=(k, m)), rng.normal(size=(k, n)), np.full(n, noise)
    )


def ledger(costs, trunk=None):
    n = len(costs)
    return Ledger(
        tokens=np.ones(n), rate=np.ones(n), trunk=np.arange(n) if trunk is None else trunk,
        base=np.full(n, -1), base_tokens=np.zeros(0), reach=np.zeros(n), there=np.zeros(0, bool),
        used=np.zeros(n, bool), rules=CostRules(), own=np.array(costs, dtype=float),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_runs_condition_as_the_joint_normal_does(seed):
    belief = random_belief(seed)
    every = np.hstack([belief.quantities, belief.runs])
    joint, done = every.T @ every, [4 + 1, 4 + 3, 4 + 1]
    observed = joint[np.ix_(done, done)] + np.diag(belief.noise[[1, 3, 1]])
    expected = joint - joint[:, done] @ np.linalg.solve(observed, joint[done])
    after = belief.after(1).after(3).after(1)
    found = np.hstack([after.quantities, after.runs])
    np.testing.assert_allclose(found.T @ found, expected, atol=1e-9)
    # what the means may move by is what the variances lost
    np.testing.assert_allclose((after.learned**2).sum(axis=0) + after.variance, belief.prior)
    np.testing.assert_allclose(
        after.information,
        0.5 * np.linalg.slogdet(observed / 0.5)[1],
    )


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_slopes_say_what_a_run_takes_off(seed):
    belief = random_belief(seed)
    for run in range(6):
        np.testing.assert_allclose(
            belief.variance - belief.slopes()[run] ** 2, belief.after(run).variance, atol=1e-9
        )


def test_wild_replicates_do_not_become_the_covariance():
    values = np.random.default_rng(0).normal(size=(1000, 1))
    values[:3] = 1e6
    assert math.sqrt((deviations(values) ** 2).sum()) == pytest.approx(1.0, abs=0.1)


def test_compressed_factors_keep_the_covariance():
    rng = np.random.default_rng(0)
    ways = rng.normal(size=(500, 7)) * 10.0 ** -np.arange(7)
    factor = ways @ rng.normal(size=(7, 300))
    short = compressed(factor)
    assert len(short) < 60
    np.testing.assert_allclose(short.T @ short, factor.T @ factor, atol=1e-9)


def signs(mean, prior):
    """Return a belief about one gap, and a run that shows it with variance 1."""
    factor = np.array([[math.sqrt(prior)]])
    return Belief.of(np.array([mean]), factor, factor, np.array([1.0]))


def test_wrong_verdicts_match_a_simulation():
    goal, belief = Signs(np.ones(1)), signs(0.7, 2.0)
    assert goal.now(belief) == pytest.approx(ndtr(-0.7 / math.sqrt(2)))
    rng = np.random.default_rng(1)
    gap = 0.7 + math.sqrt(2) * rng.normal(size=400_000)
    shown = gap + rng.normal(size=gap.size)
    guess = 0.7 + (2 / 3) * (shown - 0.7)
    wrong = np.mean((gap > 0) != (guess > 0))
    assert goal.after_each(belief)[0] == pytest.approx(wrong, abs=0.002)
    assert goal.now(belief.after(0)) == pytest.approx(wrong, abs=0.002)
    sure = Belief.of(belief.mean, belief.quantities, belief.runs, np.array([1e-12]))
    assert goal.after_each(sure)[0] == pytest.approx(0.0, abs=1e-5)


def test_regret_of_two_options_has_its_closed_form():
    # the difference is N(0.3, 1): taking the first gives away E max(-D, 0)
    mean, factor = np.array([0.3]), np.array([[1.0]])
    given_away = math.exp(-(0.3**2) / 2) / math.sqrt(2 * math.pi) - 0.3 * ndtr(-0.3)
    goal = Steps()
    perfect = Belief.of(mean, factor, factor, np.array([1e-12]))
    assert goal.now(perfect) == pytest.approx(given_away)
    assert goal.after_each(perfect)[0] == pytest.approx(0.0, abs=1e-6)
    noisy = Belief.of(mean, factor, factor, np.array([1.0]))
    rng = np.random.default_rng(0)
    d = 0.3 + rng.normal(size=400_000)
    guess = 0.3 + 0.5 * (d + rng.normal(size=d.size) - 0.3)
    wrong = np.mean(np.abs(d) * (np.sign(d) != np.sign(guess)))
    assert goal.after_each(noisy)[0] == pytest.approx(wrong, rel=0.02)
    assert goal.now(noisy.after(0)) == pytest.approx(goal.after_each(noisy)[0])


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_information_never_hurts(seed):
    belief = random_belief(seed)
    for goal, slack in (
        (Spread(), 1e-12),
        (Signs(np.ones(4)), 1e-9),
        (Steps(), 1e-9),
        (Information(), 0.0),
    ):
        assert (goal.after_each(belief) <= goal.now(belief) + slack).all()


def test_a_branch_costs_its_cooldown_and_what_its_trunk_lacks():
    own = Ledger(
        tokens=np.array([100.0, 50.0, 100.0, 100.0]),
        rate=np.full(4, 2.0),
        trunk=np.array([0, 0, 1, 1]),
        base=np.array([0, 0, 1, 1]),
        base_tokens=np.array([1000.0, 3000.0]),
        reach=np.array([40.0, 0.0]),
        there=np.array([True, False]),
        used=np.zeros(4, bool),
        rules=CostRules(cooldown=0.2),
    )
    np.testing.assert_allclose(own.costs(), 2 * np.array([20 + 40, 10, 100 + 3000, 100 + 3000]))
    longer = own.after(0).after(2)
    # the trunks are there now: siblings cost their cooldown, what was done is done
    np.testing.assert_allclose(longer.costs(), [np.inf, 20, np.inf, 40])
    shared = Ledger(**{**vars(own), "rules": CostRules(0.2, "shared", base_cost=0.5)})
    assert shared.costs()[2] == pytest.approx(2 * (100 + 0.5 * 2000))
    free = Ledger(**{**vars(own), "rules": CostRules(0.2, "free")})
    assert free.costs()[2] == pytest.approx(200)


@pytest.mark.parametrize("wrong", [{"cooldown": 0}, {"bases": "rented"}, {"base_cost": -1}])
def test_senseless_cost_rules_are_refused(wrong):
    with pytest.raises(InputError):
        CostRules(**wrong)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 4))
def test_a_batch_is_never_worse_than_a_single_run_of_its_budget(seed, most):
    belief = random_belief(seed)
    costs = np.random.default_rng(seed).uniform(1, 5, 6)
    own, goal, budget = ledger(costs), Signs(np.ones(4)), 6.0
    batch = choose(goal, belief, own, budget, most)
    after, paid = single(goal, belief, own)
    assert batch.cost <= budget
    assert len(batch.runs) == len(set(batch.runs)) <= most
    assert batch.final <= after[paid <= budget].min() + 1e-12


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_choices_do_not_hang_on_units(seed):
    belief = random_belief(seed)
    costs = np.random.default_rng(seed).uniform(1, 5, 6)
    scaled = Belief.of(7 * belief.mean, 7 * belief.quantities, 7 * belief.runs, 49 * belief.noise)
    goal = Signs(np.ones(4))
    one = choose(goal, belief, ledger(costs), 6.0, 3)
    other = choose(goal, scaled, ledger(1000 * costs), 6000.0, 3)
    assert set(one.runs) == set(other.runs)  # rounding may change the order of one set
    assert one.final == pytest.approx(other.final)


def test_what_is_known_already_is_worth_less():
    along = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    belief = Belief.of(np.zeros(1), np.array([[1.0], [0.8]]), along, np.full(3, 0.1))
    first = fill(Spread(), belief, ledger([1, 1, 1]), 2.0, 2, by_cost=True)
    # the twin of the best run falls behind the other direction once its twin is done
    assert first.runs == (0, 2)
    assert belief.after(0).slopes()[1, 0] < 0.5 * belief.slopes()[1, 0]


def test_runs_of_one_trunk_share_its_noise():
    # both runs measure the quantity itself; a trunk's deviation is shared by the first two
    trunk = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
    quantity = np.array([[1.0], [0.0], [0.0]])
    belief = Belief.of(np.zeros(1), quantity, trunk, np.full(3, 1e-6))
    assert fill(Spread(), belief, ledger([1, 1, 1]), 2.0, 2, by_cost=True).runs == (0, 2)
