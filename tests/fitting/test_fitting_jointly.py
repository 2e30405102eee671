"""Several methods fitted together: what they share, and why some cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting import fit, fit_jointly
from bootlaw.fitting.objective import huber
from bootlaw.runs import RunTable, read_runs

TRUTH = {
    "cpt": {"A": 60.0, "a1": 0.14, "a2": 0.16, "a3": 0.002},
    "stack": {"A": 40.0, "a1": 0.12, "a2": 0.15, "a3": 0.003},
}
METHODS = tuple(TRUTH)


def runs(noise: float = 1e-3, constant: float = 1.7, **other: object) -> RunTable:
    """Return 4 x 4 runs of either method and 6 from scratch; `other` are columns of stack."""
    rng = np.random.default_rng(0)
    rows = []
    for method, p in TRUTH.items():
        extra = other if method == "stack" else {}
        for d1 in np.geomspace(1e7, 1e9, 4):
            for d2 in np.geomspace(1e6, 1e8, 4):
                power = -p["a2"] + p["a3"] * np.log(d1)
                loss = constant + p["A"] * d1 ** -p["a1"] * d2**power
                rows.append(row(method, d1, d2, loss) | extra)
    scratch = np.geomspace(1e6, 1e9, 6)
    rows += [row("scratch", 0.0, d2, constant + 30 * d2**-0.2) for d2 in scratch]
    for each in rows:
        each["loss"] *= np.exp(noise * rng.normal())
    return read_runs({name: [each[name] for each in rows] for name in rows[0]})


def row(method: str, d1: float, d2: float, loss: float) -> dict[str, object]:
    return {
        "method": method,
        "params": 1e7,
        "tokens_stage1": d1,
        "tokens_stage2": d2,
        "data2": "code",
        "eval_data": "code",
        "loss": loss,
    }


@pytest.fixture(scope="module")
def fits():
    return fit_jointly(runs(), "bootstrapped+scratch", METHODS, bootstrap=60)


def test_without_noise_every_parameter_is_found() -> None:
    found = fit_jointly(runs(noise=0.0), "bootstrapped+scratch", METHODS)
    for method, truth in TRUTH.items():
        for name, value in truth.items():
            assert found[method].value(name) == pytest.approx(value, rel=1e-6)
        assert found[method].value("E") == pytest.approx(1.7, rel=1e-8)
        assert found[method].value("a_s") == pytest.approx(0.2, rel=1e-6)
        assert found[method].status == "converged"


def test_shared_parameters_and_their_replicates_are_the_same(fits) -> None:
    one, other = (fits[method] for method in METHODS)
    assert one.law == other.law
    shared = [one.law.index(name) for name in ("A_s", "a_s", "E")]
    np.testing.assert_array_equal(one.values[shared], other.values[shared])
    np.testing.assert_array_equal(one.replicates[:, shared], other.replicates[:, shared])
    assert not np.array_equal(one.replicates[:, 0], other.replicates[:, 0])
    assert {d.code for d in one.diagnostics} >= {"joint_methods"}


def test_it_minimises_the_sum_over_all_rows(fits) -> None:
    """Moving the shared constant makes the sum over both methods and the scratch rows worse."""

    def part(where: str, method: str, shift: float) -> float:
        table, moved = runs().where(where), fits[method].values.copy()
        moved[-1] += shift
        columns = {n: table.numbers(n) for n in ("tokens_stage1", "tokens_stage2")}
        losses = fits[method].law.loss(moved, columns)
        return float(huber(np.log(losses / table.numbers("loss")), 1e-3).sum())

    def total(shift: float) -> float:
        own = sum(part(f"method == '{method}'", method, shift) for method in METHODS)
        return own + part("D1 == 0", "cpt", shift)

    assert total(0.0) < min(total(1e-4), total(-1e-4))
    for method in METHODS:
        own = part(f"method == '{method}'", method, 0.0) + part("D1 == 0", method, 0.0)
        assert fits[method].objective == pytest.approx(own)


def test_one_constant_makes_both_more_certain_than_apart(fits) -> None:
    alone = fit(runs(), "bootstrapped+scratch", method="cpt", bootstrap=60)
    width = {f: f.estimates["E"].upper - f.estimates["E"].lower for f in (alone, fits["cpt"])}
    assert width[fits["cpt"]] < 1.2 * width[alone]
    assert fits["cpt"].n_rows == alone.n_rows == 22


def test_parameters_of_one_method_can_be_fixed_tied_bounded_and_profiled() -> None:
    found = fit_jointly(
        runs(),
        "bootstrapped+scratch",
        METHODS,
        fixed={"a3[cpt]": 0.0},
        tied={"a1[cpt]": "a1[stack]"},
        bounds={"E": (1.0, 2.0)},
        profile=["a2[stack]"],
    )
    assert found["cpt"].value("a3") == 0.0
    assert found["cpt"].fixed == {"a3": 0.0}
    assert found["stack"].fixed == {}
    assert found["cpt"].value("a1") == found["stack"].value("a1")
    assert found["cpt"].profiles == {}
    low, high = found["stack"].profiles["a2"]
    assert low < found["stack"].value("a2") < high


def test_a_law_without_a_scratch_part_shares_the_constant_alone() -> None:
    found = fit_jointly(runs(), "multiplicative", METHODS)
    assert found["cpt"].value("E") == found["stack"].value("E")
    assert found["cpt"].value("A") != found["stack"].value("A")
    assert found["cpt"].n_rows == 16


@pytest.mark.parametrize(
    "other", [{"eval_data": "prose", "data2": "prose"}, {"eval_data": "", "data2": "prose"},
              {"params": 2e7}]
)  # fmt: skip
def test_methods_of_different_texts_or_models_are_refused(other: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"the methods differ in .* no irreducible loss in common"):
        fit_jointly(runs(**other), "multiplicative", METHODS)


@pytest.mark.parametrize(
    ("law", "methods", "said"),
    [
        ("bootstrapped", ("cpt",), "two methods or more"),
        ("bootstrapped", ("cpt", "cpt"), "each once"),
        ("chinchilla", METHODS, "runs from scratch"),
        ("bootstrapped", ("cpt", "prune"), "no row of method 'prune'"),
        ("bootstrapped-joint+scratch", METHODS, "at most 16 are fitted"),
    ],
)
def test_what_cannot_be_fitted_together_is_said(law: str, methods, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_jointly(runs(), law, methods)


def test_the_lowest_losses_of_all_rows_are_dropped() -> None:
    found = fit_jointly(runs(), "bootstrapped+scratch", METHODS, drop_lowest=0.1)
    used = set(found["cpt"].rows_used) | set(found["stack"].rows_used)
    assert len(used) == 38 - 4
    lowest = np.argsort(runs().numbers("loss"))[:4] + 1
    assert not used & set(lowest.tolist())


def test_each_method_knows_what_its_law_missed_beyond_its_rows(fits) -> None:
    """Fits of several methods had no misfits, so that plans did not widen beyond their data."""
    named = {m: {(one.variable, one.rows): one for one in fits[m].misfits} for m in METHODS}
    for method, found in named.items():
        assert set(found) == {
            ("tokens_stage1", "reuse"),
            ("tokens_stage2", "reuse"),
            ("tokens_stage2", "scratch"),
        }
        assert {one.method for key, one in found.items() if key[1] == "reuse"} == {method}
        top = max(found["tokens_stage1", "reuse"].rollouts, key=lambda one: one.level)
        # Three bases at four D2 of either method, and the six runs from scratch.
        assert (top.n_fitted, top.n_held_out) == (30, 4)
    shared = [found["tokens_stage2", "scratch"] for found in named.values()]
    assert shared[0] == shared[1]
    assert shared[0].method == ""


def test_a_bend_of_one_method_widens_that_method_only() -> None:
    table = runs()
    bent = (table.columns["method"] == "stack") & (table.numbers("tokens_stage1") > 9e8)
    losses = table.numbers("loss") * np.exp(0.05 * bent)
    table = replace(table, columns={**table.columns, "loss": losses})
    found = fit_jointly(table, "bootstrapped+scratch", METHODS, bootstrap=50)
    step = {
        method: next(m.step for m in one.misfits if m.variable == "tokens_stage1")
        for method, one in found.items()
    }
    assert step["stack"] > 3 * step["cpt"]


def test_errors_of_two_methods_beyond_the_data_are_independent(fits) -> None:
    cpt, stack = (fits[m].misfits[0] for m in METHODS)
    draws = np.array([one.draws(1000, "reuse") for one in (cpt, stack)])
    assert abs(np.corrcoef(draws)[0, 1]) < 0.1
    scratch = [fits[m].misfits[-1].draws(1000, "scratch") for m in METHODS]
    np.testing.assert_array_equal(*scratch)


def test_methods_with_levels_of_their_own_are_rolled_out_as_well() -> None:
    """Below the levels of one method the other had a single base, so that nothing was learnt."""
    table = runs()
    further = np.where(table.columns["method"] == "stack", 100.0, 1.0)
    further[table.numbers("tokens_stage1") == 0] = 1.0
    d1, d2 = table.numbers("tokens_stage1") * further, table.numbers("tokens_stage2")
    losses = table.numbers("loss").copy()
    stack = further > 1
    p = TRUTH["stack"]
    power = -p["a2"] + p["a3"] * np.log(d1[stack])
    losses[stack] = 1.7 + p["A"] * d1[stack] ** -p["a1"] * d2[stack] ** power
    columns = {**table.columns, "tokens_stage1": d1, "loss": losses}
    found = fit_jointly(
        replace(table, columns=columns), "bootstrapped+scratch", METHODS, bootstrap=50
    )
    for method in METHODS:
        assert "tokens_stage1" in {one.variable for one in found[method].misfits}
