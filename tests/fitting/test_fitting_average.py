"""Averages of laws: which laws, which weights, and what a file keeps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting import Fit, LawAverage, average_laws, compare, fit
from bootlaw.fitting.average import average_of, plain_laws
from bootlaw.fitting.average_document import load
from bootlaw.runs import read_runs

DATA = Path(__file__).parents[1] / "data"
STUDY = DATA / "two_stage_study.csv"
LAWS = ["bootstrapped", "multiplicative", "hybrid"]


@pytest.fixture(scope="module")
def average():
    return average_laws(STUDY, LAWS, method="stack", bootstrap=50)


def sized_table(law, rng):
    """Return runs of three sizes, four bases and four second stages on `law(d1, d2, n)`."""
    axes = np.meshgrid(
        np.geomspace(1e8, 1e9, 3), np.geomspace(1e9, 1e11, 4), np.geomspace(1e9, 1e10, 4)
    )
    n, d1, d2 = (axis.ravel() for axis in axes)
    loss = law(d1, d2, n) * np.exp(0.001 * rng.normal(size=n.size))
    columns = {"params": n, "tokens_stage1": d1, "tokens_stage2": d2, "loss": loss}
    return read_runs({**columns, "method": ["cpt"] * n.size})


def test_each_law_is_fitted_with_the_runs_from_scratch(average):
    assert {one.law.key for one in average.fits} == {f"{key}+scratch" for key in LAWS}
    alone = fit(STUDY, "multiplicative+scratch", method="stack", bootstrap=50)
    (same,) = (one for one in average.fits if one.law.key == "multiplicative+scratch")
    np.testing.assert_array_equal(same.values, alone.values)
    np.testing.assert_array_equal(same.replicates, alone.replicates)


def test_errors_are_those_of_the_contest_over_all_hold_outs(average):
    contests = compare(
        STUDY, LAWS, method="stack", holdout=["largest-d1", "largest-d2"], bootstrap=0
    )
    for one, error in zip(average.fits, average.errors, strict=True):
        rows = [row for c in contests for row in c.rows if f"{row.law}+scratch" == one.law.key]
        assert error == pytest.approx(np.sqrt(np.mean([row.rms_log_out**2 for row in rows])))
    assert list(average.errors) == sorted(average.errors)


def test_weights_fall_with_the_square_of_the_error_above_the_noise(average):
    noise = min(one.residual_scale for one in average.fits)
    expected = 1 / (np.square(average.errors) + noise**2)
    np.testing.assert_allclose(average.weights, expected / expected.sum())


def test_a_law_that_meets_a_few_rows_by_luck_does_not_take_all(average):
    """A held-out error far below the noise of single runs is no better than one at the noise."""
    noise = min(one.residual_scale for one in average.fits)
    lucky = replace(average, errors=(noise / 1000, noise / 10, noise))
    assert lucky.weights[0] < 1.02 * lucky.weights[1]
    assert lucky.weights[2] == pytest.approx(lucky.weights[0] / 2, rel=0.01)


def test_a_file_restores_it_exactly(average, tmp_path):
    average.save(tmp_path / "laws.json")
    restored = LawAverage.load(tmp_path / "laws.json")
    assert restored.to_json() == average.to_json()
    np.testing.assert_array_equal(restored.fits[0].replicates, average.fits[0].replicates)
    assert isinstance(load(tmp_path / "laws.json"), LawAverage)


def test_a_fit_and_an_average_are_told_apart(average, tmp_path):
    average.fits[0].save(tmp_path / "fit.json")
    average.save(tmp_path / "laws.json")
    assert isinstance(load(tmp_path / "fit.json"), Fit)
    with pytest.raises(InputError, match="a fit of one law"):
        LawAverage.load(tmp_path / "fit.json")
    with pytest.raises(InputError, match="several laws"):
        Fit.load(tmp_path / "laws.json")


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("laws"),
        lambda d: d.update(laws=[]),
        lambda d: d["laws"][0].update(error=None),
        lambda d: d["laws"][0].update(error=-1.0),
        lambda d: d["laws"][0]["fit"].update(status="not_identifiable"),
        lambda d: d["laws"][0].pop("fit"),
    ],
)
def test_a_damaged_file_is_refused_by_name(average, tmp_path, damage):
    document = average.to_json()
    damage(document)
    path = tmp_path / "laws.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"laws\.json"):
        load(path)


def test_runs_of_one_size_are_averaged_by_laws_of_tokens_alone():
    found = {law.key for law in plain_laws(read_runs(STUDY), "stack", None)}
    assert {"bootstrapped", "additive", "hybrid", "total-tokens"} <= found
    assert not any("size" in key or "joint" in key for key in found)


def test_runs_of_several_sizes_are_averaged_by_laws_that_read_the_size():
    def law(d1, d2, n):
        return 20 * d1**-0.1 * d2**-0.12 + 50 * n**-0.3 + 1.5

    table = sized_table(law, np.random.default_rng(0))
    found = {one.key for one in plain_laws(table, None, None)}
    assert {"bootstrapped-joint", "multiplicative+size", "additive+size"} <= found
    assert "bootstrapped" not in found
    true = [
        fit for fit in average_laws(table, bootstrap=0).fits if fit.law.stem == "multiplicative"
    ]
    expected = law(1e12, 1e11, 1e9)
    asked = {"tokens_stage1": 1e12, "tokens_stage2": 1e11, "params": 1e9}
    assert true[0].predict(asked)[0] == pytest.approx(expected, rel=0.01)


def test_runs_from_scratch_alone_are_averaged_too():
    average = average_laws(DATA / "chinchilla_digitised.csv", bootstrap=0)
    assert {"chinchilla", "over-training"} <= {one.law.key for one in average.fits}


def test_laws_that_cannot_be_fitted_are_left_out_with_the_reason():
    found = average_laws(
        STUDY, ["effective-data", "additive"], method="cpt", holdout="largest-d1", bootstrap=0
    )
    assert [one.law.key for one in found.fits] == ["additive+scratch"]
    assert "lies at infinity" in found.left_out["effective-data"]
    assert "without effective-data" in found.summary()


def test_no_law_that_can_be_fitted_is_no_average():
    contest = compare(STUDY, ["effective-data"], method="cpt", holdout="largest-d1", bootstrap=0)
    with pytest.raises(UndeterminedError, match="no law can be fitted to all rows"):
        average_of(contest, read_runs(STUDY))


def test_a_formula_takes_part_and_gets_a_part_for_runs_from_scratch():
    where = "tokens_stage1 > 0"
    own = "formula:A*D1^-a*D2^-b + E"
    found = average_laws(STUDY, [own, "additive"], method="stack", where=where, bootstrap=0)
    assert any(one.law.key.startswith("formula:") for one in found.fits)
    joint = average_laws(STUDY, [own, "additive"], method="stack", bootstrap=0)
    assert all(one.law.has_scratch_part for one in joint.fits)
    assert LawAverage.from_json(joint.to_json()).to_json() == joint.to_json()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"law": "another"}, "is called another"),
        ({"weight": 0.9}, "the weight of"),
        ({"weight": None}, "not an average"),
    ],
)
def test_what_a_file_says_of_a_law_must_be_the_law_s_own(average, change, found):
    """A name or a weight that was changed by hand was read by nobody."""
    document = average.to_json()
    document["laws"][0].update(change)
    with pytest.raises(InputError, match=found):
        LawAverage.from_json(document)


def test_hold_outs_in_a_file_are_a_list(average):
    """Of a text the letters were taken for hold-outs."""
    for wrong in ("largest-d1", [], [1]):
        with pytest.raises(InputError, match=r"holdouts|held out"):
            LawAverage.from_json({**average.to_json(), "holdouts": wrong})


def test_fits_that_cannot_be_averaged_are_refused_with_the_file(average):
    """Laws named twice, of other rows or out of order came through to the first question."""
    first, second, *_ = average.fits
    errors, held = (0.01, 0.02), ("largest-d1",)
    with pytest.raises(InputError, match="twice"):
        LawAverage((first, first), errors, held)
    with pytest.raises(InputError, match="do not speak of the same runs"):
        LawAverage((first, fit(STUDY, "additive", method="stack", bootstrap=0)), errors, held)
    with pytest.raises(InputError, match="several methods"):
        LawAverage((first, replace(second, method="cpt")), errors, held)
    with pytest.raises(InputError, match="in the order of their errors"):
        LawAverage((first, second), (0.02, 0.01), held)


def test_a_law_that_its_own_rows_speak_against_takes_no_part():
    """Total tokens lay four times as far from the rows as the best law, and had a weight of 0.1."""
    laws = ["multiplicative", "total-tokens"]
    found = average_laws(STUDY, laws, method="cpt", bootstrap=0)
    assert [one.law.key for one in found.fits] == ["multiplicative+scratch"]
    assert "times as far from it as from multiplicative+scratch" in found.left_out["total-tokens"]


def test_a_table_without_sizes_is_averaged_by_laws_of_tokens():
    """It was refused for want of a column that none of these laws reads."""
    rows = read_runs(STUDY).where("method == 'stack' or params == 100864")
    kept = ("method", "tokens_stage1", "tokens_stage2", "loss")
    table = read_runs({name: rows.columns[name].tolist() for name in kept})
    assert average_laws(table, LAWS, method="stack", bootstrap=0).fits
    assert "bootstrapped" in {law.key for law in plain_laws(table, "stack", None)}


def test_one_hold_out_decides_where_the_other_leaves_one_law():
    """Total tokens alone, 7 % off, was the average of a table that the main law fits to 1 %."""
    rows = read_runs(STUDY).where("tokens_stage2 < 300000")
    laws = ["bootstrapped", "multiplicative", "total-tokens"]
    both = compare(rows, laws, method="stack", holdout=["largest-d1", "largest-d2"], bootstrap=0)
    assert [row.law for row in both["largest-d2"].fitted] == ["total-tokens"]
    found = average_laws(rows, laws, method="stack", bootstrap=0)
    assert found.holdouts == ("largest-d1",)
    assert "bootstrapped+scratch" in {one.law.key for one in found.fits}


def test_a_table_that_no_plain_law_fits_is_undetermined():
    rows = read_runs(STUDY).where("tokens_stage2 == 249856 and tokens_stage1 < 600000")
    with pytest.raises(UndeterminedError, match="no law of tokens alone"):
        average_laws(rows, method="stack", bootstrap=0)


def test_rows_that_lie_on_one_law_reject_the_others():
    d1, d2 = (
        a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(1e8, 1e10, 5))
    )
    loss = 20 * d1**-0.1 * d2**-0.12 + 1.5
    table = {"method": ["cpt"] * 25, "tokens_stage1": d1, "tokens_stage2": d2, "loss": loss}
    found = average_laws(table, ["multiplicative", "total-tokens"], bootstrap=0)
    assert [one.law.key for one in found.fits] == ["multiplicative"]
    assert "times as far" in found.left_out["total-tokens"]
