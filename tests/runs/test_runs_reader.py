"""`read_runs`: every kind of source, names, units and defaults."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.runs import RunTable, read_numbers, read_runs

DATA = Path(__file__).parents[1] / "data"
TINY = DATA / "tiny_two_stage.csv"
ROWS = "method,D1,D2,loss,seed,note\nstack,1e5,250000,2.5,,first\n,0,2.5e5,3.25,1,\n"


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "runs.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def same(left: RunTable, right: RunTable) -> bool:
    assert list(left.columns) == list(right.columns)
    return all(
        np.array_equal(values, right.columns[name], equal_nan=values.dtype != object)
        for name, values in left.columns.items()
    )


def test_a_real_table_with_short_names_reads_directly():
    table = read_runs(TINY)
    assert len(table) == 130
    assert list(table.columns)[:5] == [
        "method",
        "params",
        "params_base",
        "tokens_stage1",
        "tokens_stage2",
    ]
    assert table.numbers("tokens_stage1")[2] == 0
    assert table.numbers("tokens_stage2")[2] == 249856
    assert np.sum(table.numbers("tokens_stage2") == 0) == 36
    assert "column 'N1' read as params_base" in table.notes
    assert table.place(2) == f"{TINY}, line 4"
    assert np.isnan(table.numbers("wall")[1])


def test_cells_defaults_and_line_numbers(write):
    table = read_runs(write("\ufeff" + ROWS.replace("\n", "\r\n")))
    assert table.text("method").tolist() == ["stack", "scratch"]
    assert table.text("note").tolist() == ["first", ""]
    np.testing.assert_array_equal(table.numbers("seed"), [np.nan, 1])
    assert table.row_numbers.tolist() == [2, 3]


def test_line_numbers_count_blank_and_quoted_lines(write):
    content = 'note,D1,D2,loss\n"two\nlines",1,2,3\n\nx,1,2,3\n'
    table = read_runs(write(content))
    assert table.row_numbers.tolist() == [3, 5]
    assert table.text("note")[0] == "two\nlines"


def test_one_stage_tables_need_tokens_only():
    table = read_runs({"tokens": ["1.5B", 2e9], "loss": [3.0, 2.5]})
    np.testing.assert_array_equal(table.numbers("tokens_stage1"), [0, 0])
    np.testing.assert_array_equal(table.numbers("tokens_stage2"), [1.5e9, 2e9])
    assert table.text("method").tolist() == ["scratch", "scratch"]
    assert any("one stage" in note for note in table.notes)


def test_rows_of_one_stage_may_stand_beside_rows_of_two():
    table = read_runs(
        {"tokens": [5, None], "D1": [None, 7], "D2": [None, 8], "loss": [3.0, 2.5]},
    )
    assert table.numbers("tokens_stage1").tolist() == [0, 7]
    assert table.numbers("tokens_stage2").tolist() == [5, 8]
    assert table.text("method").tolist() == ["scratch", "reuse"]


def test_units_in_headers_are_converted():
    table = read_runs({"D1_B": [0.5], "D2[M]": [250], "loss_bits": [4.0], "loss_se_bits": [0.1]})
    assert table.numbers("tokens_stage1")[0] == 5e8
    assert table.numbers("tokens_stage2")[0] == 2.5e8
    assert table.numbers("loss")[0] == pytest.approx(4 * math.log(2))
    assert table.numbers("loss_se")[0] == pytest.approx(0.1 * math.log(2))
    assert any("D1_B" in note and "1e+09" in note for note in table.notes)


@pytest.mark.parametrize("absent", ["", "NA", "nan", "NaN", "null", None, math.nan])
def test_absent_cells(absent):
    table = read_runs({"D1": [1], "D2": [2], "loss": [3], "seed": [absent], "trunk": [absent]})
    assert np.isnan(table.numbers("seed")[0])
    assert table.text("trunk")[0] == ""


def test_own_columns_are_numbers_only_if_every_cell_is():
    table = read_runs(
        {
            "D1": [1, 1],
            "D2": [2, 2],
            "loss": [3, 3],
            "a": ["1e3", ""],
            "b": [1, "x"],
            "c": [True, 2],
        }
    )
    np.testing.assert_array_equal(table.numbers("a"), [1000, np.nan])
    assert table.text("b").tolist() == ["1", "x"]
    assert table.text("c").tolist() == ["True", "2"]


@pytest.mark.parametrize(
    "cells",
    [[True, False, None], ["TRUE", "False", ""], ["true", "false", "NA"], [1 > 0, "FALSE", ""]],
)
def test_a_column_of_true_and_false_is_one_of_numbers(cells):
    """It was text, which formulas and comparisons of numbers refused."""
    table = read_runs({"D1": [1, 1, 1], "D2": [2, 2, 2], "loss": [3, 3, 3], "cooled": cells})
    np.testing.assert_array_equal(table.numbers("cooled"), [1, 0, np.nan])
    assert "column 'cooled': true and false read as 1 and 0" in table.notes
    for expression in ("cooled == true", "cooled == 'True'", "cooled == 1", "cooled > 0"):
        assert table.where(expression).row_numbers.tolist() == [1]
    assert table.where("cooled != TRUE").row_numbers.tolist() == [2]
    assert read_numbers({"cooled": cells}).numbers("cooled").tolist()[:2] == [1, 0]


def test_text_of_the_schema_stays_text_whatever_it_says():
    table = read_runs({"D1": [1], "D2": [2], "loss": [3], "trunk": ["true"]})
    assert table.where("trunk == true").text("trunk").tolist() == ["true"]


def test_every_file_format_gives_the_same_table(write):
    table = read_runs(write(ROWS))
    records = [
        {"method": "stack", "D1": 1e5, "D2": 250000, "loss": 2.5, "note": "first"},
        {"D1": 0, "D2": "250k", "loss": 3.25, "seed": 1, "note": None, "method": None},
    ]
    lines = "\n".join(json.dumps(record) for record in records)
    assert same(table, read_runs(write(gzip.compress(ROWS.encode()), "runs.csv.gz")))
    for source in (write(lines, "r.jsonl"), write(gzip.compress(lines.encode()), "r.jsonl.gz")):
        other = read_runs(source)
        assert other.row_numbers.tolist() == [1, 2]
        for name, values in table.columns.items():
            np.testing.assert_array_equal(values, other.columns[name])


def test_data_frames_and_parquet_give_the_same_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    table = read_runs(TINY)
    frame = pandas.read_csv(TINY)
    parquet = tmp_path / "runs.parquet"
    frame.to_parquet(parquet)
    sources = (
        frame,
        frame.convert_dtypes(),
        polars.read_csv(TINY),
        polars.scan_csv(TINY),
        arrow.Table.from_pandas(frame),
        frame.to_dict("list"),
        dict(frame),
        parquet,
    )
    for source in sources:
        assert same(table, read_runs(source)), type(source)
    assert read_runs(frame).source == "<table>"
    assert read_runs(parquet).place(0) == f"{parquet}, row 1"


def test_data_frames_with_unusual_names_and_cells():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "D1": [1, 2],
            "D2": [1, 2],
            "loss": [3.0, 2.0],
            "method": pandas.Categorical(["cpt", None]),
            0: pandas.array([7, None], dtype="Int64"),
            "when": pandas.to_datetime(["2026-01-02", None]),
        }
    )
    table = read_runs(frame)
    assert table.text("method").tolist() == ["cpt", "reuse"]
    np.testing.assert_array_equal(table.numbers("0"), [7, np.nan])
    assert table.text("when").tolist() == ["2026-01-02 00:00:00", ""]
    indexed = read_runs(frame.set_index(["method", "D1"]))
    np.testing.assert_array_equal(indexed.text("method"), table.text("method"))
    with pytest.raises(InputError, match="unique"):
        read_runs(frame.rename(columns={0: "when"}))
    with pytest.raises(InputError, match="no rows"):
        read_runs(frame.iloc[:0])


def test_masked_values_are_absent():
    seeds = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    table = read_runs({"D1": [1, 1], "D2": [2, 2], "loss": [3, 3], "seed": seeds})
    np.testing.assert_array_equal(table.numbers("seed"), [1, np.nan])


def test_a_run_table_is_a_source_too():
    table = read_runs(TINY)
    assert read_runs(table) is table
    assert same(table, read_runs(dict(table.columns)))
    assert len(read_runs(table, where="method == stack")) == 49


def test_columns_of_the_wrong_kind_and_missing_columns_are_named():
    table = read_runs(TINY)
    with pytest.raises(InputError, match=r"tiny_two_stage\.csv: column 'method' holds text"):
        table.numbers("method")
    with pytest.raises(InputError, match="column 'loss' holds numbers"):
        table.text("loss")
    with pytest.raises(InputError, match="no column 'tokens_stag2'; did you mean 'tokens_stage2'"):
        table.numbers("tokens_stag2")


def test_an_unnamed_index_column_is_kept_under_a_number(write):
    table = read_runs(write(",D1,D2,loss\n0,1,2,3\n"))
    assert table.numbers("column_1").tolist() == [0]
    assert any("column 1 has no name" in note for note in table.notes)


def test_selection_keeps_line_numbers():
    table = read_runs(TINY, where="method == cpt and D1 == 0")
    assert len(table) == 9
    assert set(table.text("method")) == {"cpt"}
    assert table.place(0) == f"{TINY}, line 17"


def test_reading_a_csv_file_imports_no_data_frame_library():
    heavy = "{'narwhals', 'pandas', 'polars', 'pyarrow', 'scipy', 'torch'}"
    program = (
        "import sys; from bootlaw.runs import check_runs, read_runs; "
        f"check_runs(read_runs({str(TINY)!r}, where='D1 > 0')); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
