"""`write_runs`: what is written is read back to the bit, and readers see all or nothing."""

import math
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.runs import read_runs, write_runs
from bootlaw.runs.cells import ABSENT_TEXTS
from bootlaw.runs.schema import COLUMNS

COUNTS = st.integers(0, 10**15) | st.floats(0, 1e100)
TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
    .map(str.strip)
    .filter(lambda text: text not in ABSENT_TEXTS)
)
STRATEGIES = {
    "run": st.none() | TEXTS,
    "method": TEXTS.filter(bool),
    "tokens_stage1": COUNTS,
    "tokens_stage2": COUNTS,
    "loss": st.floats(1e-100, 1e100),
    "peak_lr": st.none() | st.floats(0, 1e100),
    "seed": st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_infinity=False),
    "my number": st.floats() | st.none() | st.integers(-100, 100),
    "my text": TEXTS.map(lambda text: f"text {text}".strip()) | st.none(),
}


def same_numbers(left, right) -> bool:
    """Equal, absent in the same places, and zeros of the same sign."""
    zeros = right == 0
    return np.array_equal(left, right, equal_nan=True) and np.array_equal(
        np.signbit(left[zeros]), np.signbit(right[zeros])
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.fixed_dictionaries(STRATEGIES), min_size=1, max_size=6))
def test_round_trip_is_exact(tmp_path, rows):
    path = tmp_path / "runs.csv"
    write_runs(path, rows)
    table = read_runs(path)
    assert len(table) == len(rows)
    for name in ("run", "method", "my text"):
        texts = [row[name] or "" for row in rows]
        # A column of the user without any text is read as absent numbers.
        assert any(texts) is False or table.text(name).tolist() == texts
    for name in ("tokens_stage1", "tokens_stage2", "loss", "peak_lr", "seed", "my number"):
        expected = np.array([math.nan if row[name] is None else float(row[name]) for row in rows])
        assert same_numbers(table.numbers(name), expected)


def test_columns_are_in_schema_order_and_whole_numbers_without_a_point(tmp_path):
    path = tmp_path / "runs.csv"
    row = {"wall": 1.5, "loss": np.float64(2.0), "tokens_stage2": 3e6, "tokens_stage1": np.int64(7)}
    write_runs(path, [row, {"run": "a,b", "loss": 0.1, "tokens_stage1": None}])
    assert path.read_text().splitlines() == [
        "run,tokens_stage1,tokens_stage2,loss,wall",
        ",7,3000000,2,1.5",
        '"a,b",,,0.1,',
    ]


def test_a_full_row_keeps_the_order_of_the_schema(tmp_path):
    path = tmp_path / "runs.csv"
    names = [column.name for column in COLUMNS]
    write_runs(path, [dict.fromkeys(reversed(names), "1")])
    assert path.read_text().splitlines()[0].split(",") == names


def test_without_rows_the_header_is_written(tmp_path):
    path = tmp_path / "runs.csv"
    write_runs(path, [])
    assert path.read_text() == "tokens_stage1,tokens_stage2,loss\n"
    with pytest.raises(InputError, match="no rows"):
        read_runs(path)


def test_a_failed_write_leaves_the_old_table_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    write_runs(path, [{"loss": 1}])
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match=r"runs\.csv: cannot be written \(No space left"):
        write_runs(path, [{"loss": 2}])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["runs.csv"]


def test_bad_paths_and_values_are_input_errors(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (tmp_path / "none", file):
        with pytest.raises(InputError, match=r"runs\.csv: cannot be written"):
            write_runs(folder / "runs.csv", [{"loss": 1}])
    with pytest.raises(InputError, match=r"ends in \.csv"):
        write_runs(tmp_path / "runs.parquet", [{"loss": 1}])
    with pytest.raises(InputError, match="row 2, column 'loss'"):
        write_runs(tmp_path / "runs.csv", [{"loss": 1}, {"loss": [1]}])
    with pytest.raises(InputError, match="row 1, column 'run'"):
        write_runs(tmp_path / "runs.csv", [{"run": "a\0b"}])
    with pytest.raises(InputError, match=r"runs\.csv: cannot be written"):
        write_runs(tmp_path / "runs.csv", [{"run": "\ud800"}])
