"""Arguments of another kind than a function takes are refused by name, never a bare TypeError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bootlaw import Fit, compare, fit, laws, read_runs
from bootlaw.errors import InputError
from bootlaw.fitting import fit_jointly, interval_beyond, misfit, select_rows

D1, D2 = (
    axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e6, 1e8, 4))
)
RUNS = read_runs(
    {
        "method": ["cpt", "stack"] * 8,
        "D1": D1,
        "D2": D2,
        "loss": 50 * D1**-0.1 * D2**-0.2 + 1.5,
    }
)
CPT = RUNS.where("method == cpt")
LAW = "multiplicative"
FOUND = fit(CPT, LAW)
NOT_TEXT: tuple[Any, ...] = (1, b"x", ["a"], {}, object(), float("nan"), np.array([1, 2]))
NOT_NUMBERS: tuple[Any, ...] = ("x", ["a"], {}, {"E": 1}, object(), [[1], [1, 2]])
NOT_DICTIONARIES: tuple[Any, ...] = (1, "x", ["a"], np.array([1, 2]), {"E": "x"}, {"E": (1,)})

CASES: list[tuple[str, Callable[[Any], object], tuple[Any, ...]]] = [
    *(
        (name, lambda value, name=name: fit(CPT, LAW, **{name: value}), NOT_TEXT)
        for name in ("method", "where", "target", "loss", "scale", "resample", "weights", "errors")
    ),
    *(
        (name, lambda value, name=name: fit(CPT, LAW, **{name: value}), NOT_DICTIONARIES)
        for name in ("fixed", "bounds", "priors", "start")
    ),
    ("tied", lambda value: fit(CPT, LAW, tied=value), (1, "x", np.array([1, 2]), {"E": 1})),
    ("bootstrap", lambda value: fit(CPT, LAW, bootstrap=value), ("x", 1.5, [1], {}, None)),
    ("remarks", lambda value: fit(CPT, LAW, remarks=value), ("x", 1, None, np.array([1, 2]))),
    ("law", lambda value: fit(CPT, value), NOT_TEXT),
    ("methods", lambda value: fit_jointly(RUNS, LAW, value), (None, 1, "cpt", [1, 2], ["cpt", 1])),
    ("where", lambda value: fit_jointly(RUNS, LAW, ["cpt", "stack"], where=value), NOT_TEXT),
    ("laws", lambda value: compare(CPT, value), (1, "all", {}, float("nan"))),
    ("law", lambda value: compare(CPT, value), ([1], [None], [b"x"])),
    ("bootstrap", lambda value: compare(CPT, [LAW], bootstrap=value), ("x", [1], {}, 1.5)),
    ("seed", lambda value: compare(CPT, [LAW], seed=value), ("x", [1], {}, 1.5, None)),
    ("tokens_stage1", lambda value: FOUND.predict({"D1": value, "D2": 1e7}), NOT_NUMBERS),
    ("name", FOUND.value, NOT_TEXT),
    ("path", FOUND.save, (None, 1, b"x", ["a"])),
    ("path", Fit.load, (None, 1, b"x", ["a"])),
    ("name", laws.preset, NOT_TEXT),
    ("key", laws.get, NOT_TEXT),
    ("text", laws.from_formula, NOT_TEXT),
    ("columns", lambda value: laws.from_formula("A*D1^-a", columns=value), (None, 1, "lr", [1])),
    ("columns", laws.preset("hoffmann2022").loss, (None, 1, "x", ["a"])),
    ("params", lambda value: laws.get(LAW).loss(value, {}), NOT_NUMBERS),
    ("law", lambda value: misfit(CPT, value, "tokens_stage1"), NOT_TEXT),
    ("variable", lambda value: misfit(CPT, LAW, value), NOT_TEXT),
    ("rollouts", lambda value: misfit(CPT, LAW, "D1", rollouts=value), (None, "x", 0, 1.5)),
    ("found", lambda value: interval_beyond(value, CPT, []), (None, 1, "x")),
    ("level", lambda value: interval_beyond(FOUND, CPT, [], level=value), (None, "x", 0, 1, [1])),
    ("table", lambda value: select_rows(value, LAW), (None, 1, "x", {})),
    ("where", lambda value: read_runs(RUNS, where=value), (1, b"x", ["a"], {})),
]


@pytest.mark.parametrize(("name", "call", "values"), CASES, ids=[name for name, *_ in CASES])
def test_another_kind_of_argument_is_refused_by_name(
    name: str, call: Callable[[Any], object], values: tuple[Any, ...]
) -> None:
    for value in values:
        with pytest.raises(InputError, match=name):
            call(value)


def test_the_message_of_an_argument_is_one_short_line() -> None:
    with pytest.raises(InputError) as refusal:
        fit(RUNS, LAW, method=["cpt"] * 1000)
    assert len(str(refusal.value)) < 200


def test_an_argument_that_no_fit_has_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match=r"fit_jointly\(\) takes no argument bootstraps"):
        fit_jointly(RUNS, LAW, ["cpt", "stack"], bootstraps=50)
