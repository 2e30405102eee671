"""Contests whose outcome is known: simulated tables, and one real study."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bootlaw import laws as catalogue
from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import compare, fit
from bootlaw.fitting.holdouts import HOLDOUTS
from bootlaw.fitting.information import aicc, huber_log_likelihood
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow
from bootlaw.runs import read_runs

STUDY = Path(__file__).parents[1] / "data" / "two_stage_study.csv"

KEYS = {
    "law", "n_params", "rms_log_in", "rms_log_out", "coverage90_out", "weight", "tie", "status",
    "rms_log_all", "reason", "rms_log_out_se", "behind", "behind_se", "aicc",
}  # fmt: skip


def bootstrapped(d1, d2):
    return 12 * d1**-0.10 * d2 ** (-0.30 + 0.012 * np.log(d1)) + 1.0


def product(d1, d2):
    return 12 * d1**-0.10 * d2**-0.12 + 1.0


def table(noise=0.0, seed=0, law=bootstrapped, **columns):
    """Return a 6 x 5 grid of runs of a known law."""
    d1, d2 = (
        axis.ravel()
        for axis in np.meshgrid(np.geomspace(1e6, 3e7, 6), np.geomspace(5e5, 8e6, 5), indexing="ij")
    )
    errors = noise * np.random.default_rng(seed).normal(size=d1.size)
    rows = {
        "method": ["stack"] * d1.size,
        "tokens_stage1": d1,
        "tokens_stage2": d2,
        "loss": law(d1, d2) * np.exp(errors),
    }
    return read_runs({**rows, **columns})


@pytest.fixture(scope="module")
def exact():
    return compare(table(), bootstrap=0, holdout="largest-d1")


def test_the_true_law_wins_and_is_exact(exact):
    best = exact.rows[0]
    assert best.law == "bootstrapped"
    assert best.rms_log_out < 1e-6
    assert best.status == "converged"
    assert best.weight > 0.99
    assert (exact.n_in, exact.n_out, exact.method) == (25, 5, "stack")


def test_wrong_laws_do_not_tie_with_an_exact_one(exact):
    ties = {row.law for row in exact.rows if row.tie}
    assert ties == {"bootstrapped"}
    assert "no other law ties" in exact.summary()


def test_rows_are_ranked_by_held_out_error_and_weights_sum_to_1(exact):
    errors = [row.rms_log_out for row in exact.rows if row.rms_log_out is not None]
    assert errors == sorted(errors)
    weights = [row.weight for row in exact.rows if row.weight is not None]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0


def test_every_law_of_the_catalogue_enters_or_is_listed_with_the_reason(exact):
    entered = {row.law for row in exact.rows}
    absent = {law.law: law.reason for law in exact.not_applicable}
    assert {
        "bootstrapped",
        "multiplicative",
        "total-tokens",
        "additive",
        "effective-data",
    } <= entered
    assert entered.isdisjoint(absent)
    known = {key for key in catalogue.names() if not catalogue.get(key).has_scratch_part}
    assert entered | set(absent) == known
    assert "runs from scratch" in absent["power"]
    assert "not applicable:" in exact.summary()
    assert f"power: {absent['power']}" in exact.summary()


def test_rows_with_one_method_only_are_those_with_a_base():
    with_scratch = table()
    columns = {name: list(values) for name, values in with_scratch.columns.items()}
    for name, value in {
        "method": "scratch",
        "tokens_stage1": 0.0,
        "tokens_stage2": 1e6,
        "loss": 2.5,
    }.items():
        columns[name].append(value)
    alone, joined = (
        compare(source, ["multiplicative", "total-tokens"], bootstrap=0)
        for source in (with_scratch, read_runs(columns))
    )
    assert alone == joined


def test_errors_are_those_of_a_fit_to_the_same_rows():
    noisy = table(noise=0.004, seed=3)
    row = compare(noisy, ["bootstrapped"], bootstrap=0).rows[0]
    fitted = fit(noisy, "bootstrapped", drop_lowest=0.1)
    out = np.argsort(noisy.numbers("loss"))[:3]
    columns = {name: noisy.numbers(name)[out] for name in ("tokens_stage1", "tokens_stage2")}
    residuals = np.log(fitted.predict(columns) / noisy.numbers("loss")[out])
    assert row.rms_log_in == pytest.approx(fitted.rms_log, rel=1e-6)
    assert row.rms_log_out == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-6)
    assert row.rms_log_all == pytest.approx(fit(noisy, "bootstrapped").rms_log, rel=1e-6)


def test_prediction_intervals_cover_held_out_runs():
    shares = [
        compare(
            table(noise=0.004, seed=seed, law=product), ["multiplicative"], bootstrap=50,
            holdout="kfold",
        )
        for seed in range(4)
    ]  # fmt: skip
    covered = [
        row.coverage90_out
        for comparison in shares
        for row in comparison.rows
        if row.coverage90_out is not None
    ]
    # 120 held-out runs; three standard errors of a share of 0.9 are 0.08, and the residual
    # scale of 24 rows is itself uncertain by a fifth.
    assert 0.75 <= np.mean(covered) <= 0.99


def test_coverage_needs_a_bootstrap(exact):
    assert all(row.coverage90_out is None for row in exact.rows)


def test_kfold_pools_every_row_once_and_repeats_itself():
    noisy = table(noise=0.004)
    first, second = (
        compare(noisy, ["multiplicative"], bootstrap=0, holdout="kfold", seed=4) for _ in range(2)
    )
    assert first == second
    assert first.n_out == 30
    assert first.n_in == 24


def test_total_tokens_wins_on_its_own_table():
    def law(d1, d2):
        return 30 * (d1 + d2) ** -0.2 + 1.2

    comparison = compare(table(law=law), bootstrap=0, holdout="largest-d2")
    assert comparison.rows[0].law in ("total-tokens", "effective-data")
    assert next(row for row in comparison.rows if row.law == "total-tokens").tie
    assert not next(row for row in comparison.rows if row.law == "multiplicative").tie


def test_law_that_cannot_be_identified_comes_last_with_nulls():
    one_stage2 = table().where("tokens_stage2 < 6e5")
    comparison = compare(one_stage2, ["bootstrapped", "total-tokens"], bootstrap=0)
    last = comparison.rows[-1]
    assert last.law == "bootstrapped"
    assert last.status == "not_identifiable"
    assert last.reason
    assert (last.rms_log_in, last.rms_log_out, last.weight, last.tie) == (None, None, None, False)
    assert f"bootstrapped: {last.reason}" in comparison.summary()


def test_no_law_at_all_is_said():
    comparison = compare(
        table().where("tokens_stage2 < 6e5"), ["bootstrapped", "multiplicative"], bootstrap=0
    )
    assert not comparison.any_fitted
    assert "no law could be fitted" in comparison.summary()


def test_one_level_of_d1_cannot_be_held_out():
    with pytest.raises(UndeterminedError, match="largest-d1"):
        compare(table().where("tokens_stage1 < 1.1e6"), holdout="largest-d1", bootstrap=0)


def test_uncertainties_and_aicc_are_those_of_their_definitions():
    noisy = table(noise=0.004, seed=3, law=product)
    found = compare(noisy, ["multiplicative", "total-tokens"], bootstrap=0, holdout="kfold")
    for row in found.rows:
        fitted = fit(noisy, row.law)
        likelihood = huber_log_likelihood(fitted.objective, 30, 1e-3)
        assert row.aicc == pytest.approx(aicc(likelihood, row.n_params, 30))
        assert row.behind == pytest.approx(row.rms_log_out - found.rows[0].rms_log_out)
        assert 0 < row.rms_log_out_se < row.rms_log_out
    best, other = found.rows
    assert (best.behind, best.behind_se) == (0.0, 0.0)
    assert other.tie == (other.behind <= other.behind_se)


def test_expanding_predicts_every_level_from_the_fourth_on():
    found = compare(table(), ["bootstrapped", "multiplicative"], bootstrap=0, holdout="expanding")
    assert (found.n_folds, found.n_out, found.n_in) == (3, 15, 15)
    assert found.along == "tokens_stage1"
    assert found.rows[0].law == "bootstrapped"
    assert found.rows[0].rms_log_out < 1e-6
    assert "3 steps, each predicted from the lower levels of tokens_stage1" in found.summary()


def test_several_holdouts_give_the_same_as_one_by_one():
    noisy = table(noise=0.004, law=product)
    keys, names = ["multiplicative", "total-tokens"], ("lowest-loss", "largest-d1", "expanding")
    together = compare(noisy, keys, bootstrap=0, holdout=names)
    for name in names:
        assert together[name] == compare(noisy, keys, bootstrap=0, holdout=name)
    assert [contest.holdout for contest in together] == list(names)
    assert together.is_contest
    assert not together.only_law_fitted


def test_holdouts_share_the_fits_they_have_in_common(monkeypatch):
    made = []

    def counted(rows, law, **options):
        made.append((law.key, len(rows)))
        return fit(rows, law, **options)

    monkeypatch.setattr("bootlaw.fitting.scores.fit_law", counted)
    names = ("largest-d1", "expanding", "kfold")
    compare(table(0.004), ["multiplicative"], bootstrap=0, holdout=names)
    # All rows, five folds, and three steps of which the last is that of largest-d1.
    assert len(made) == 1 + 5 + 3


def test_holdouts_that_the_rows_do_not_allow_are_listed():
    found = compare(table(law=product), ["total-tokens"], bootstrap=0, holdout=HOLDOUTS)
    assert [skip.holdout for skip in found.skipped] == ["largest-n"]
    assert "largest-n: not held" in found.summary()
    assert found.summary().count("weight: share in the best mix") == 1
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [contest["holdout"] for contest in document["holdouts"]] == [
        name for name in HOLDOUTS if name != "largest-n"
    ]
    asked = found.with_forecast({"tokens_stage1": 1e7, "tokens_stage2": 1e7})
    assert asked.summary().count("forecast of the laws together") == 5
    with pytest.raises(InputError, match="params"):
        compare(table(), ["total-tokens"], bootstrap=0, holdout=("largest-n",))


def test_laws_of_a_users_own_may_enter():
    mine = replace(catalogue.get("multiplicative"), key="mine", title="A law of my own")
    found = compare(table(0.004, law=product), ["total-tokens", mine], bootstrap=0)
    twin = compare(table(0.004, law=product), ["total-tokens", "multiplicative"], bootstrap=0)
    assert found.rows[0].law == "mine"
    assert found.rows[0].rms_log_out == twin.rows[0].rms_log_out
    with pytest.raises(InputError, match="two different laws"):
        compare(table(), [replace(mine, key="total-tokens"), "total-tokens"], bootstrap=0)


def test_a_law_of_ones_own_may_join_all_others():
    mine = replace(catalogue.get("multiplicative"), key="mine")
    noisy = table(0.004, law=product)
    joined = compare(noisy, ["all", mine], bootstrap=0)
    alone = compare(noisy, bootstrap=0)
    assert {row.law for row in joined.rows} == {row.law for row in alone.rows} | {"mine"}
    assert joined.not_applicable == alone.not_applicable
    errors = {row.law: row.rms_log_out for row in joined.rows}
    assert errors["mine"] == errors["multiplicative"]
    assert compare(noisy, ["all"], bootstrap=0) == alone
    with pytest.raises(InputError, match="cannot enter"):
        compare(noisy, ["all", "power"], bootstrap=0)


def scratch_table(n=24, noise=0.003):
    tokens = np.geomspace(1e6, 1e9, n)
    errors = noise * np.random.default_rng(0).normal(size=n)
    return read_runs({"tokens": tokens, "loss": (40 * tokens**-0.2 + 1.5) * np.exp(errors)})


def test_runs_from_scratch_have_their_own_contest():
    found = compare(scratch_table(), bootstrap=0, holdout="largest-d2")
    assert "power" in {row.law for row in found.rows}
    assert found.n_in + found.n_out == 24
    assert found.method == "scratch"
    absent = {law.law: law.reason for law in found.not_applicable}
    assert "runs with a base" in absent["bootstrapped"]


def test_runs_from_scratch_expand_along_their_tokens():
    found = compare(scratch_table(), ["power"], bootstrap=0, holdout="expanding")
    assert found.along == "tokens_stage2"
    assert found.rows[0].rms_log_out < 0.02
    with pytest.raises(UndeterminedError, match="largest-d1"):
        compare(scratch_table(), holdout="largest-d1", bootstrap=0)


def test_one_base_is_a_contest_of_the_laws_that_one_base_allows():
    one_base = table(noise=0.004).where("tokens_stage1 < 1.1e6")
    found = compare(read_runs(one_base), bootstrap=0)
    assert "total-tokens" in {row.law for row in found.rows}
    absent = {law.law: law.reason for law in found.not_applicable}
    assert "every row has tokens_stage1 = 1e+06" in absent["multiplicative"]


@pytest.mark.parametrize("key", ["power", "bootstrapped+scratch"])
def test_laws_of_other_rows_are_refused(key):
    with pytest.raises(InputError, match="cannot enter the contest"):
        compare(table(), ["bootstrapped", key], bootstrap=0)


def test_unknown_law_is_refused():
    with pytest.raises(InputError, match="bootstraped"):
        compare(table(), ["bootstraped"], bootstrap=0)


@pytest.mark.parametrize("method", ["stack", "cpt"])
def test_real_study_main_law_beats_total_tokens(method):
    comparison = compare(STUDY, method=method, bootstrap=0)
    scores = {row.law: row for row in comparison.rows}
    assert scores["bootstrapped"].rms_log_out < 0.5 * scores["total-tokens"].rms_log_out
    assert scores["bootstrapped"].rms_log_all < scores["multiplicative"].rms_log_all
    assert scores["multiplicative"].tie
    assert not scores["total-tokens"].tie


def test_several_methods_need_a_choice():
    with pytest.raises(InputError, match="--method"):
        compare(STUDY, bootstrap=0)


def test_document_has_the_contract_keys(exact):
    document = json.loads(json.dumps(exact.to_json(), allow_nan=False))
    assert document["holdout"] == "largest-d1"
    assert set(document["rows"][0]) >= KEYS


def test_table_columns_are_aligned_and_ties_are_words():
    rows = tuple(
        ComparisonRow(law, 5, 0.01, 0.02, 0.9, 0.5, True, "converged", 0.011)
        for law in ("bootstrapped", "effective-data")
    )
    text = Comparison("lowest-loss", rows, 27, 3, "stack").summary()
    assert "bootstrapped and effective-data tie on the held-out rows" in text
    assert "3 held-out rows are few" in text
    lines = [line for line in text.splitlines() if "converged" in line]
    assert len({line.index("converged") for line in lines}) == 1


def test_one_fitted_law_is_no_contest():
    """The only law that could be fitted was said to tie."""
    one_stage2 = table().where("tokens_stage2 < 6e5")
    comparison = compare(one_stage2, ["bootstrapped", "total-tokens"], bootstrap=0)
    assert not comparison.is_contest
    assert not comparison.rows[0].tie
    assert "only total-tokens could be fitted: no contest" in comparison.summary()


def test_folds_are_said_to_hold_out_each_row_once():
    """The head said that 24 rows were fitted and 30 held out, of 30."""
    found = compare(table(noise=0.004), ["multiplicative"], bootstrap=0, holdout="kfold")
    assert "30 rows in 5 folds, each row held out once (kfold)" in found.summary()
    assert "only multiplicative was entered: no contest" in found.summary()


def test_equal_losses_are_no_contest():
    """A table with one loss throughout ended in a tie of all laws."""
    level = table(law=lambda d1, d2: np.full_like(d1, 2.5) + 0 * d2)
    comparison = compare(level, bootstrap=0)
    assert {row.status for row in comparison.rows} == {"not_identifiable"}
    assert "losses are equal (2.5)" in comparison.rows[0].reason


def test_delta_from_the_residuals_is_that_of_each_fit():
    laws = ["bootstrapped", "multiplicative"]
    found = compare(table(0.004), laws, holdout="largest-d1", delta="auto", bootstrap=0)
    whole = {key: fit(table(0.004), key, delta="auto") for key in laws}
    assert 1e-3 < whole["bootstrapped"].delta < whole["multiplicative"].delta
    for row in found.rows:
        assert row.rms_log_all == pytest.approx(whole[row.law].rms_log, rel=1e-6)
        assert found.fits[row.law].delta == pytest.approx(whole[row.law].delta, rel=1e-6)


def test_one_held_out_row_is_remarked():
    runs = table(0.002).select(np.arange(30) < 10)
    found = compare(runs, ["multiplicative", "total-tokens"], bootstrap=0)
    assert found.n_out == 1
    assert found.to_json()["notes"] == found.notes
    assert "cannot tell laws apart" in found.notes[0]
    assert found.notes[0] in found.summary()
    assert all(row.tie for row in found.rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"laws": "bootstrapped"}, "keys in a list"),
        ({"laws": [3]}, "law is the key"),
        ({"holdout": 3}, "a name or a list"),
        ({"holdout": [3]}, "holdout is text"),
        ({"method": 3}, "method is text"),
    ],
)
def test_options_of_another_type_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        compare(table(0.002), **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: {**c, "D1": np.where(np.arange(c["D1"].size) % 2, c["D1"], c["D1"] / 1e9)},
         "two groups of levels"),
        (lambda c: {**c, "loss": np.exp(3 * c["loss"])}, "a perplexity is no loss"),
        (lambda c: {n: np.concatenate([v, v[:3]]) for n, v in c.items()}, "3 rows repeat another"),
    ],
)  # fmt: skip
def test_what_is_odd_about_the_rows_is_noted(change, words):
    """Only a fit said it: contests on mixed units or repeated rows were printed like any other."""
    d1, d2 = np.repeat(np.geomspace(1e9, 64e9, 4), 4), np.tile(np.geomspace(1e9, 64e9, 4), 4)
    noise = np.random.default_rng(0).normal(0, 0.002, 16)
    clean = {"D1": d1, "D2": d2, "loss": (1.7 + 60 * d1**-0.08 * d2**-0.13) * np.exp(noise)}
    laws = ["multiplicative", "total-tokens"]
    assert len(compare(clean, laws, bootstrap=0).notes) == 1
    found = compare(change(clean), laws, bootstrap=0)
    assert words in found.notes[-1]
    assert words in found.summary()
    several = compare(change(clean), laws, bootstrap=0, holdout=["lowest-loss", "kfold"])
    assert several.summary().count(words) == 1
