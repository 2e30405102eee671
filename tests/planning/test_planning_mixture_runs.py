"""The replay share from runs that were evaluated on two texts."""

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.planning.mixture_runs import mixture_from_runs

SHARES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75)
TOKENS = (1e9, 4e9, 1.6e10)


def new_loss(n, d, r):
    return 400 * n**-0.34 + 800 * (1 - r) ** 0.05 * d**-0.3 + 0.6 * (1.1 - r) ** -0.4 + 1.2


def old_loss(n, d, r):
    return 400 * n**-0.34 + 20 * r**0.3 * d**-0.2 + 0.3 * (r + 0.1) ** -0.5 + 1.6


def runs(sizes=(1e9,), tokens=TOKENS, shares=SHARES, seeds=(0,), noise=5e-4, **columns):
    """Return runs on code, each evaluated on code and on web."""
    axes = (axis.ravel() for axis in np.meshgrid(sizes, tokens, shares, seeds, indexing="ij"))
    n, d, r, s = axes
    losses = np.concatenate([new_loss(n, d, r), old_loss(n, d, r)])
    scatter = np.random.default_rng(0).normal(0, noise, losses.size)
    return {
        "method": ["cpt"] * losses.size,
        "params": np.tile(n, 2),
        "tokens_stage1": np.full(losses.size, 1e11),
        "tokens_stage2": np.tile(d, 2),
        "replay": np.tile(r, 2),
        "seed": np.tile(s, 2),
        "data2": ["code"] * losses.size,
        "eval_data": ["code"] * n.size + ["web"] * n.size,
        "loss": losses * np.exp(scatter),
        **columns,
    }


def ask(table, limit=2.7, **options):
    asked = {"tokens_stage2": 4e9, "bootstrap": 50, **options}
    return mixture_from_runs(table, new="code", old="web", max_old_loss=limit, **asked)


def truth(limit, n=1e9, d=4e9):
    """Return the share at which the true old loss falls to the limit."""
    shares = np.linspace(0.01, 0.75, 200_001)
    return shares[np.flatnonzero(old_loss(n, d, shares) <= limit)[0]]


def test_the_law_is_fitted_where_the_rows_allow_it():
    answer = ask(runs(sizes=(5e8, 1e9, 2e9)), params=1e9)
    assert "the D-CPT law, fitted to 54 rows on code" in answer.basis
    assert answer.binding
    assert answer.best.replay == pytest.approx(truth(2.7), abs=0.01)
    assert answer.lower <= answer.best.replay <= answer.upper
    assert answer.best.new_loss == pytest.approx(new_loss(1e9, 4e9, truth(2.7)), rel=2e-3)


def test_runs_of_one_size_need_no_term_for_it():
    answer = ask(runs())
    assert "the D-CPT law" in answer.basis
    assert answer.best.replay == pytest.approx(truth(2.7), abs=0.01)


def test_few_runs_are_interpolated_between_the_shares_tried():
    answer = ask(runs(tokens=(4e9,), seeds=(0, 1)))
    assert "interpolated" in answer.basis
    assert answer.best.replay == pytest.approx(truth(2.7), abs=0.01)
    assert answer.lower < answer.best.replay < answer.upper
    assert any("1 level of tokens_stage2" in text for text in answer.warnings)
    assert answer.search == (0.0, 0.75)


def test_interpolation_goes_through_noiseless_runs():
    table = runs(tokens=(4e9,), noise=0.0)
    answer = ask(table, limit=old_loss(1e9, 4e9, 0.25) * (1 + 1e-12))
    assert answer.best.replay == pytest.approx(0.25, abs=1e-4)
    assert answer.best.old_loss == pytest.approx(old_loss(1e9, 4e9, 0.25), rel=1e-6)
    assert answer.lower is None
    assert any("no two runs at one share" in text for text in answer.warnings)


def test_shares_far_apart_are_warned_of():
    answer = ask(runs(tokens=(4e9,), shares=(0.0, 0.25, 0.75), seeds=(0, 1)), limit=2.7)
    assert any("straight lines between the runs" in text for text in answer.warnings)


def test_too_few_shares_are_no_answer():
    answer = ask(runs(tokens=(4e9,), shares=(0.0, 0.5)))
    assert answer.status == "undetermined"
    assert "only 2 replay shares" in answer.reasons[0]


def test_a_length_that_was_not_run_cannot_be_interpolated():
    answer = ask(runs(tokens=(4e9,)), tokens_stage2=8e9)
    assert answer.status == "undetermined"
    assert "at 8B stage-2 tokens" in answer.reasons[0]


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (runs(replay=np.full(36, np.nan)), {}, "no row has a base"),
        (runs(replay=np.full(36, 0.1)), {}, "all runs replay 10 %"),
        (runs(tokens_stage1=np.tile([1e11, 1e10], 18)), {}, "bases of several D1"),
        (runs(method=["cpt", "stack"] * 18), {}, "choose one with --method"),
        (runs(eval_data=["code"] * 36), {}, "no row has eval_data 'web'; the table has code"),
        (runs(sizes=(1e9, 2e9)), {}, "say which with params"),
        (runs(), {"limit": -1.0}, "max_old_loss is -1"),
        (runs(tokens=(4e9,)), {"search": (0.8, 0.9)}, "search there"),
    ],
)
def test_tables_that_cannot_answer_are_refused(table, options, words):
    with pytest.raises(InputError, match=words):
        ask(table, **options)


def test_a_table_without_the_share_is_refused():
    table = {name: column for name, column in runs().items() if name != "replay"}
    with pytest.raises(InputError, match="no column 'replay'"):
        ask(table)


def test_one_text_twice_is_refused():
    with pytest.raises(InputError, match="name two texts"):
        mixture_from_runs(runs(), new="web", old="web", tokens_stage2=4e9, max_old_loss=2.7)


def test_rows_can_be_chosen():
    table = runs(method=(["cpt"] * 3 + ["stack"] * 3) * 6)
    answer = ask(table, where="D2 == 4e9", method="cpt", limit=10.0)
    assert answer.search == (0.0, 0.1)


def test_without_refits_the_scatter_is_not_said_to_be_unknown():
    """With --bootstrap 0 it was denied that there are two runs at one share."""
    answer = ask(runs(tokens=(4e9,), seeds=(0, 1)), bootstrap=0)
    assert answer.lower is None
    assert not any("no two runs at one share" in text for text in answer.warnings)
