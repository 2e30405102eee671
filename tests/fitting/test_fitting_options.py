"""What a fit can be told: parameters, losses, weights, errors, delta."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from typical import table

from bootlaw import laws
from bootlaw.cli.main import main
from bootlaw.errors import InputError
from bootlaw.fitting import Fit, fit
from bootlaw.runs import read_runs

RUNS = Path(__file__).parents[1] / "data" / "two_stage_study.csv"
LAW = laws.get("bootstrapped")


def noisy(seed: int = 1, noise: float = 0.002) -> dict[str, np.ndarray]:
    return {n: np.asarray(v) for n, v in table(LAW, noise, seed).items()}


def test_fixed_and_tied_parameters_come_back_in_the_fit() -> None:
    found = fit(noisy(), "additive", fixed={"E": 1.3}, tied={"a2": "a1"}, bootstrap=50)
    assert found.value("E") == 1.3
    assert found.value("a2") == found.value("a1")
    assert found.n_free == 3
    assert (found.replicates[:, found.law.index("E")] == 1.3).all()
    assert found.estimates["E"].lower == found.estimates["E"].upper == 1.3
    again = Fit.from_json(json.loads(json.dumps(found.to_json())))
    assert again.fixed == {"E": 1.3}
    assert again.tied == {"a2": "a1"}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).values, found.values)


def test_a_fixed_parameter_at_the_free_optimum_changes_nothing() -> None:
    free = fit(noisy())
    held = fit(noisy(), fixed={"E": free.value("E")})
    assert held.objective == pytest.approx(free.objective, rel=1e-9)


def test_a_bound_holds_and_is_remarked() -> None:
    free = fit(noisy())
    held = fit(noisy(), bounds={"a2": (None, free.value("a2") - 0.02)})
    assert held.value("a2") == pytest.approx(free.value("a2") - 0.02, abs=1e-12)
    assert held.objective > free.objective
    assert "at_bound" in {d.code for d in held.diagnostics}
    loose = fit(noisy(), bounds={"a2": (0.0, 5.0), "A": (1e-9, None)})
    assert loose.objective == pytest.approx(free.objective, rel=1e-9)


def test_a_prior_pulls_as_far_as_it_is_sharp() -> None:
    free = fit(noisy(), loss="squared").value("E")
    values = [
        fit(noisy(), loss="squared", priors={"E": (0.5, sd)}).value("E") for sd in (1e3, 0.05, 1e-6)
    ]
    assert values[0] == pytest.approx(free, rel=1e-6)
    assert abs(values[1] - 0.5) < abs(free - 0.5)
    assert values[2] == pytest.approx(0.5, abs=1e-4)


def test_a_prior_of_linear_least_squares_is_the_textbook_one() -> None:
    """One parameter, y = m + noise: the posterior mean weighs precisions."""
    rng = np.random.default_rng(0)
    values = 3.0 + 0.2 * rng.standard_normal(400)
    law = laws.from_formula("m*x", columns=("x",))
    columns = {"x": np.ones(400), "y": values}
    found = fit(columns, law, target="y", loss="squared", scale="level", priors={"m": (3.5, 0.01)})
    spread = np.median(np.sort(np.abs(values - values.mean()))[1:]) / 0.6745
    data, prior = 400 / spread**2, 1 / 0.01**2
    expected = (data * values.mean() + prior * 3.5) / (data + prior)
    assert found.value("m") == pytest.approx(expected, rel=1e-5)


def test_weights_of_zero_leave_rows_out_and_whole_weights_repeat_them() -> None:
    runs = noisy()
    counts = np.random.default_rng(2).integers(0, 3, len(runs["loss"])).astype(float)
    rows = np.repeat(np.arange(counts.size), counts.astype(int))
    weighted = fit({**runs, "w": counts}, weights="w")
    repeated = fit({name: values[rows] for name, values in runs.items()})
    assert weighted.objective == pytest.approx(repeated.objective, rel=1e-9)
    np.testing.assert_allclose(weighted.values, repeated.values, rtol=1e-6)


def test_rows_with_large_known_errors_count_for_less() -> None:
    runs = noisy(noise=0.001)
    wrong = np.zeros(len(runs["loss"]))
    wrong[::5] = 0.1
    runs["loss"] = runs["loss"] * np.exp(np.where(wrong > 0, 0.05, 0.0))
    runs["loss_se"] = 1e-4 + wrong
    truth = LAW.loss(fit(noisy(noise=0.0)).values, runs)
    miss = [
        np.abs(fit(runs, loss="squared", **how).predict(runs) / truth - 1).max()  # type: ignore[arg-type]
        for how in ({}, {"errors": "loss_se"})
    ]
    assert miss[1] < 0.5 * miss[0]


def test_an_automatic_delta_is_1345_robust_standard_deviations() -> None:
    found = fit(noisy(noise=0.004), delta="auto")
    assert found.delta == pytest.approx(1.345 * 0.004, rel=0.5)
    assert found.objective_standard == pytest.approx(fit(noisy(noise=0.004)).objective, rel=0.2)
    assert found.objective_standard >= fit(noisy(noise=0.004)).objective


@pytest.mark.parametrize("loss", ["squared", "student-t", "huber"])
def test_every_loss_finds_the_parameters_of_clean_runs(loss: str) -> None:
    found = fit(noisy(noise=1e-6), loss=loss, delta="auto")  # type: ignore[arg-type]
    clean = fit(noisy(noise=0.0))
    np.testing.assert_allclose(found.predict(noisy()), clean.predict(noisy()), rtol=1e-5)


def test_students_t_shrugs_off_a_wild_row_and_squares_do_not() -> None:
    runs = noisy(noise=0.001)
    clean = fit(runs, loss="squared").predict(runs)
    runs["loss"][7] *= 1.5
    robust = fit(runs, loss="student-t", delta="auto").predict(runs)
    squared = fit(runs, loss="squared").predict(runs)
    assert np.abs(robust / clean - 1).max() < 0.1 * np.abs(squared / clean - 1).max()


def test_predict_takes_short_names_tables_and_files(tmp_path: Path) -> None:
    found = fit(RUNS, method="stack")
    by_name = found.predict({"D1": [1e6], "D2": [5e5]})
    assert by_name == found.predict({"tokens_stage1": 1e6, "tokens_stage2": 5e5})
    runs = read_runs(RUNS).where("tokens_stage1 > 0")
    assert found.predict(runs).shape[0] == len(runs)
    path = tmp_path / "asked.csv"
    path.write_text("D1,D2,loss\n1e6,5e5,2\n")
    assert found.predict(path) == by_name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delta": -1.0}, "delta is a log residual above 0"),
        ({"loss": "cubic"}, "loss is one of huber, squared, student-t"),
        ({"scale": "percent"}, "scale is one of log, level"),
        ({"bounds": {"a1": (1.0, 0.0)}}, "give low < high"),
        ({"bounds": {"A": (None, -1.0)}}, "leaves nothing"),
        ({"priors": {"E": (1.0, 0.0)}}, "must be above 0"),
        ({"priors": {"A": (-1.0, 1.0)}}, "prior mean -1 is not"),
        ({"start": {"A": 1.0}}, "the start lacks a1, a2, a3, E"),
        ({"search": "nearby"}, "needs a start"),
        ({"weights": "nothing"}, "no column 'nothing'"),
        ({"profile": ["alpha"]}, "no parameter 'alpha'"),
        ({"fixed": {"alpha": 1.0}}, "no parameter 'alpha'"),
        ({"law": "formula:m + 3"}, "reads no column"),
        ({"seed": -1}, "seed is a whole number"),
        ({"delta": "foo"}, "delta is a number above 0 or 'auto'"),
        ({"priors": {"E": (float("nan"), 1.0)}}, "must be finite"),
    ],
)
def test_senseless_options_are_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit(noisy(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_of_weights_does_not_matter(unit: float) -> None:
    """Weights of 1e-12 in every row made the fit not identifiable."""
    runs = noisy()
    ones = fit(runs)
    other = fit({**runs, "w": np.full(len(runs["loss"]), unit)}, weights="w")
    assert other.status == "converged"
    np.testing.assert_allclose(other.values, ones.values, rtol=1e-6)


def test_a_target_keeps_to_the_method_and_the_share_asked_for() -> None:
    """With another target --method and --drop-lowest were silently ignored."""
    found = fit(RUNS, "formula:A*D1^-a + E", target="loss_base", method="cpt", where="D1 > 0")
    assert found.method == "cpt"
    assert found.n_rows == 30
    half = fit(
        RUNS, "formula:A*D1^-a + E", target="loss_base", method="cpt", where="D1 > 0",
        drop_lowest=0.5,
    )  # fmt: skip
    assert half.n_rows == 15
    with pytest.raises(InputError, match="choose one with --method"):
        fit(RUNS, "formula:A*D1^-a + E", target="loss_base", where="D1 > 0")
    with pytest.raises(InputError, match="no row of method 'nonsense'"):
        fit(RUNS, "formula:A*D1^-a + E", target="loss_base", method="nonsense")


def test_a_formula_for_runs_with_a_base_says_so() -> None:
    """Without D1 in it a formula was silently fitted to the scratch rows of the method."""
    with pytest.raises(InputError, match="write 'reuse: FORMULA'"):
        fit(RUNS, "formula:A*D2^-a + E", method="cpt")
    found = fit(RUNS, "formula:reuse: A*D2^-a + E", method="cpt", where="D1 == 249856")
    same = fit(RUNS, "fixed-base", method="cpt", where="D1 == 249856")
    assert found.objective == pytest.approx(same.objective, rel=1e-9)
    assert laws.get(found.law.key) == found.law


def test_scratch_rows_that_where_left_out_are_named() -> None:
    with pytest.raises(InputError, match=r"--where left out .* runs from scratch"):
        fit(RUNS, "fixed-base+scratch", method="cpt", where="D1 == 249856")
    kept = fit(RUNS, "fixed-base+scratch", method="cpt", where="D1 == 249856 or D1 == 0")
    assert kept.status == "converged"


@pytest.mark.parametrize(
    "formula", ["(a+b*D2)^100000", "E+log(a-D2)", "sin(D2)*a", "A*loss^b", "loss + a"]
)
def test_formulas_without_a_use_are_refused_in_words(formula: str) -> None:
    """They ended in a traceback, or in an exact fit of the losses to themselves."""
    with pytest.raises(InputError, match=r"no finite value above 0|that it is to predict"):
        fit(noisy(), laws.from_formula(f"reuse: {formula}", columns=("loss",)))


def test_more_parameters_than_the_solver_takes_are_refused() -> None:
    terms = " + ".join(f"A{i}*D1^-a{i}" for i in range(9))
    with pytest.raises(InputError, match="at most 16"):
        fit(noisy(), laws.from_formula(terms))


def test_negative_weights_are_refused_by_row() -> None:
    runs = {**noisy(), "w": np.ones(len(noisy()["loss"]))}
    runs["w"][3] = -1.0
    with pytest.raises(InputError, match="row 4, column 'w': found -1"):
        fit(runs, weights="w")


def test_profiles_are_part_of_the_fit_and_its_document() -> None:
    found = fit(noisy(), profile=["a3", "A"])
    low, high = found.profiles["a3"]
    assert low < found.value("a3") < high
    assert found.profiles["A"][0] > 0
    again = Fit.from_json(json.loads(json.dumps(found.to_json())))
    assert again.profiles == found.profiles
    assert "profile interval of a3" in found.summary()


def test_the_command_line_passes_all_of_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", str(RUNS), "--method", "stack", "--json", "--formula"]
    words += ["A*D1^-a1*D2^(-a2+a3*log(D1)) + E", "--fix", "a3=0.01", "--bound", "a1=0:2"]
    words += ["--delta", "auto", "--loss", "student-t", "--prior", "E=1.2:0.5"]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fixed"] == {"a3": 0.01}
    assert document["loss"] == "student-t"
    assert document["law"].startswith("formula:")
    assert main(["fit", str(RUNS), "--law", "power", "--formula", "A*D^-a"]) == 2
    assert "choose one" in capsys.readouterr().err
    assert main(["fit", str(RUNS), "--fix", "E"]) == 2
    assert "is not of the form E=1.69" in capsys.readouterr().err
    assert main(["fit", str(RUNS), "--fix", "E=1", "--fix", "E=2"]) == 2
    assert "names E twice" in capsys.readouterr().err
