"""Which rows a fit uses, and what it says about the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting import fit, select_rows
from bootlaw.runs import RunTable, read_runs

TABLE = Path(__file__).parents[1] / "data" / "tiny_two_stage.csv"

Row = tuple[str, float, float, float, str, str, float]
SMALL: tuple[Row, ...] = (
    ("cpt", 1e6, 1e5, 50.0, "code", "code", 2.1),
    ("cpt", 1e6, 1e5, 50.0, "code", "prose", 2.9),
    ("cpt", 4e6, 1e5, 50.0, "code", "code", 2.0),
    ("scratch", 0.0, 1e5, 50.0, "code", "code", 2.4),
    ("scratch", 0.0, 1e5, 50.0, "prose", "prose", 2.3),
    ("scratch", 0.0, 1e5, 100.0, "code", "code", 2.2),
    ("cpt", 4e6, 0.0, 50.0, "code", "code", 3.0),
)
NAMES = ("method", "tokens_stage1", "tokens_stage2", "params", "data2", "eval_data", "loss")


def table(rows: tuple[Row, ...] = SMALL, **extra: Any) -> RunTable:
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    return read_runs(columns | extra)


def test_two_stage_laws_take_the_rows_with_both_stages_and_count_the_others() -> None:
    rows = select_rows(table(), "bootstrapped")
    assert rows.method == "cpt"
    assert rows.table.numbers("loss").tolist() == [2.1, 2.0]
    assert rows.n_dropped == 5
    assert sum(rows.reasons.values()) == 5
    assert rows.reasons["evaluated on another text than data2"] == 1
    assert rows.reasons["no second stage (tokens_stage2 = 0)"] == 1


def test_joint_laws_add_only_comparable_scratch_rows() -> None:
    rows = select_rows(table(), "bootstrapped+scratch")
    assert rows.table.numbers("loss").tolist() == [2.1, 2.0, 2.4]
    assert rows.reasons["from scratch, with other params, data2 or eval_data"] == 2


def test_scratch_rows_may_carry_the_name_of_the_method() -> None:
    runs = read_runs(TABLE)
    rows = select_rows(runs, "bootstrapped+scratch", method="stack")
    stage1 = rows.table.numbers("tokens_stage1")
    assert (int((stage1 > 0).sum()), int((stage1 == 0).sum())) == (30, 9)
    assert set(rows.table.text("method")) == {"stack"}
    assert rows.n_dropped == len(runs) - 39


def test_a_joint_law_without_scratch_rows_is_refused() -> None:
    with pytest.raises(InputError, match=r"needs rows from scratch .* fit bootstrapped or add"):
        select_rows(table(SMALL[:3]), "bootstrapped+scratch")


def test_several_methods_need_a_choice() -> None:
    with pytest.raises(InputError, match=r"several methods \(cpt, .*\); choose one with --method"):
        select_rows(read_runs(TABLE), "bootstrapped")
    assert select_rows(read_runs(TABLE), "bootstrapped", where="method == cpt").method == "cpt"


def test_one_stage_laws_take_the_rows_of_one_model_and_text() -> None:
    with pytest.raises(
        InputError, match=r"2 values of params \(50, 100\); choose one with --where"
    ):
        select_rows(table(), "power")
    with pytest.raises(InputError, match="2 values of data2"):
        select_rows(table(), "power", where="params == 50")
    rows = select_rows(table(), "power", method="cpt")
    assert rows.table.numbers("loss").tolist() == [2.4]
    rows = select_rows(table(), "power", where="params == 100")
    assert rows.table.numbers("loss").tolist() == [2.2]


def test_losses_on_several_texts_are_not_pooled() -> None:
    mixed = tuple((*row[:4], "", text, row[6]) for row, text in zip(SMALL, "abab", strict=False))
    with pytest.raises(InputError, match="2 values of eval_data"):
        select_rows(table(mixed), "total-tokens")


def test_the_lowest_losses_can_be_left_out() -> None:
    runs = read_runs(TABLE)
    everything = select_rows(runs, "bootstrapped", method="stack").table.numbers("loss")
    rows = select_rows(runs, "bootstrapped", method="stack", drop_lowest=0.1)
    np.testing.assert_array_equal(np.sort(rows.table.numbers("loss")), np.sort(everything)[3:])


def test_nothing_left_is_refused_with_the_reasons() -> None:
    with pytest.raises(InputError, match=r"no row has tokens_stage1 > 0 .* use --law power"):
        select_rows(table(SMALL[3:6]), "bootstrapped")
    with pytest.raises(InputError, match="no row is left to fit law power to"):
        select_rows(table(SMALL[:3]), "power")


@pytest.mark.parametrize(
    ("law", "method", "where", "words"),
    [
        ("bootstrapped", "scratch", None, r"3 usable rows of method 'scratch' .* --law power"),
        (
            "bootstrapped", "cpt", "eval_data == 'prose'",
            r"none of the 4 rows of method 'cpt' .*3 left out by --where; 1 evaluated on another",
        ),
        ("bootstrapped", "grow", None, r"the table has cpt \(4 rows\), scratch \(3 rows\)"),
        ("power", "grow", None, r"the table has cpt \(4 rows\), scratch \(3 rows\)"),
        ("power", None, "method == cpt", r"two stages .* --law bootstrapped"),
    ],
)  # fmt: skip
def test_a_method_without_usable_rows_says_what_became_of_them(
    law: str, method: str | None, where: str | None, words: str
) -> None:
    """The message denied rows that were there: "no usable row; the methods are stack"."""
    with pytest.raises(InputError, match=words):
        select_rows(table(), law, method=method, where=where)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("reuse: A*D2^-a*width^b + E", "width is a parameter.* a column width: write `width`"),
        ("reuse: A*D2^-a*lr^b + E", r"a column peak_lr \(lr\): write `peak_lr` in backquotes"),
    ],
)
def test_a_parameter_with_the_name_of_a_column_is_refused(formula: str, words: str) -> None:
    """The column was overlooked, and its name fitted as a parameter."""
    up = np.linspace(1, 2, 8)
    columns = {"D1": [1e9] * 8, "D2": np.geomspace(1e8, 1e10, 8), "lr": up, "width": up}
    with pytest.raises(InputError, match=words):
        fit({**columns, "loss": 4 - up}, f"formula:{formula}")


def test_it_is_refused_for_another_target_as_well() -> None:
    table = {"width": np.linspace(1, 2, 8), "depth": range(8), "score": np.linspace(3, 2, 8)}
    with pytest.raises(InputError, match="width is a parameter of the formula"):
        fit(table, "formula:A*`depth`^-a*width + E", target="score")
