"""Bad tables: one line that names file, row and column, what was found and what to do."""

import gzip
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.runs import read_runs

GOOD = {"D1": [0, 1e5], "D2": [1e5, 1e5], "loss": [3.0, 2.5]}


def message_of(source) -> str:
    with pytest.raises(InputError) as caught:
        read_runs(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"\n\n", ["empty"]),
        (b"D1,D2,loss\n", ["no rows"]),
        (b"D1,D2,loss\n1,2,3\n1,2\n", ["line 3", "2 fields", "3"]),
        (b"D1,D2,loss\n1,2,3,4\n1,2\n", ["line 2", "4 fields", "1 more"]),
        (b"D1,D2,D2,loss\n1,2,2,3\n", ["columns 2 and 3", "'D2'"]),
        (b"D1,tokens_stage1,D2,loss\n1,2,2,3\n", ["'D1'", "'tokens_stage1'", "both mean"]),
        (b"D1,D1_B,D2,loss\n1,2,2,3\n", ["'D1'", "'D1_B'", "both mean"]),
        (b"D1,D2\n1,2\n", ["'loss'", "found D1, D2", "rename"]),
        (b"D1,D2,loss_c4\n1,2,3\n", ["'loss'", "rename", "'loss_c4'"]),
        (b"D1,loss\n1,2\n", ["'tokens_stage2'", "D2", "found D1, loss"]),
        (b"loss,train_tok\n1,2\n", ["'tokens'", "one-stage", "'train_tok'"]),
        (b"D1;D2;loss\n1;2;3\n", ["semicolons", "commas"]),
        (b"D1|D2|loss\n1|2|3\n", ["vertical bars", "commas"]),
        (b"D1\tD2\tloss\n1\t2\t3\n", ["tabs", "commas"]),
        (b'D1,D2,loss\n1,"2,3\n1,2,3\n', ["line 3", "not CSV"]),
        (b"D1,D2,loss\n1,2,\xff\n", ["line 2", "0xff", "UTF-8"]),
        ("D1,D2,loss\n1,2,3\n".encode("utf-16"), ["UTF-16", "UTF-8"]),
        (b"PK\x03\x04\x00\x00", ["binary"]),
        (gzip.compress(b"D1,D2,loss\n1,2,3\n", mtime=0), [".gz"]),
        (b"D1,D2,loss[bits/byte]\n1,2,3\n", ["loss[bits/byte]", "cannot be in", "nats"]),
    ],
)
def test_bad_files(tmp_path, content, words):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    message = message_of(path)
    assert message.startswith(str(path))
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss": [3.0, "2.3x"]}, ["row 2", "'loss'", "'2.3x'", "not a number"]),
        ({"loss": ["2,5", 2.5]}, ["row 1", "'2,5'"]),
        ({"loss": ["1.3B", 2.5]}, ["row 1", "'1.3B'"]),
        ({"loss": [3.0, -1]}, ["row 2", "-1", "above zero"]),
        ({"loss": [0, "inf"]}, ["row 1", "found 0", "1 more problem "]),
        ({"loss": [3, "1e400"]}, ["row 2", "1e400", "finite"]),
        ({"loss": [10**400, 3]}, ["row 1", "finite"]),
        ({"loss": [3.0, None]}, ["row 2", "'loss'", "empty"]),
        ({"D1": [None, 1]}, ["row 1", "'D1'", "write 0 for a run from scratch"]),
        ({"D2": ["NA", -5]}, ["row 1", "'D2'", "is NA;", "1 more problem "]),
        # A cell that holds nan was called empty.
        ({"loss": [3.0, "nan"]}, ["row 2", "'loss'", "is nan; fill it in"]),
        ({"loss": [3.0, float("nan")]}, ["row 2", "'loss'", "is nan; fill it in"]),
        ({"D1": [True, 1]}, ["row 1", "'D1'", "True"]),
        ({"D1": [np.True_, 1]}, ["row 1", "'D1'", "True"]),
        ({"N": [1, 0]}, ["row 2", "'N'", "params must be finite and above zero"]),
        ({"replay": [5, 0.5]}, ["row 1", "between 0 and 1"]),
        ({"tokens": [1e5, 1e5]}, ["row 2", "'tokens'", "tokens_stage1 = 100000"]),
        ({"unique_tokens[B]": ["1B", 2]}, ["row 1", "'1B'"]),
        ({"seed": [1, "x"], "loss": ["a", "b"]}, ["row 1", "'loss'", "2 more problems"]),
        ({"D1": [1]}, ["'D1' has 1", "has 2"]),
        ({"D1": 5}, ["'D1'", "not an array"]),
        ({"D1": "ab"}, ["'D1'", "not an array"]),
        ({"D1": np.zeros((2, 2))}, ["(2, 2)"]),
    ],
)
def test_bad_cells(changes, words):
    message = message_of(GOOD | changes)
    assert message.startswith("<table>")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["empty"]),
        ("[1, 2]", ["line 1", "a list"]),
        ('\n{"D1": 1}\n{"D1": ', ["line 3", "not JSON"]),
        ("7", ["line 1", "bare value 7"]),
        ('{"D1": 1, "D1": 2}', ["line 1", "twice"]),
        ('{"D1": [1], "D2": 1, "loss": 1}', ["line 1", "'D1'", "a list"]),
        ('{"D1": 1, "D2": 1, "loss": Infinity}', ["line 1", "'loss'", "finite"]),
        ("[" * 100_000, ["line 1"]),
        ("{}", ["no rows"]),
    ],
)
def test_bad_json_lines(tmp_path, content, words):
    path = tmp_path / "table.jsonl"
    path.write_text(content)
    message = message_of(path)
    assert message.startswith(str(path))
    for word in words:
        assert word in message


def test_bad_paths(tmp_path):
    assert "no such file" in message_of(tmp_path / "none.csv")
    assert "no such file" in message_of(str(tmp_path / "none"))
    assert "folder" in message_of(tmp_path)
    (tmp_path / "runs.csv").write_text("D1,D2,loss\n1,2,3\n")
    assert f"did you mean {tmp_path / 'runs.csv'}?" in message_of(tmp_path)
    (tmp_path / "runs.xlsx").write_text("x")
    assert ".parquet" in message_of(tmp_path / "runs.xlsx")
    assert "cannot be read" in message_of("a\0b.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"D1,D2,loss\n1,2,3\n", mtime=0)[:-9])
    assert "not a complete gzip file" in message_of(tmp_path / "cut.csv.gz")


@pytest.mark.parametrize("source", [5, None, [1, 2], np.zeros(3)])
def test_objects_that_are_no_table(source):
    assert "give a path, a mapping" in message_of(source)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "bootlaw[train]" in message_of(tmp_path / "runs.parquet")


FRAGMENTS = st.sampled_from(
    [
        "D1",
        "D2",
        "loss",
        "tokens",
        ",",
        "\n",
        '"',
        "1e5",
        "-1",
        "nan",
        "{",
        "}",
        ":",
        "[",
        "k",
        "\r",
    ]
)
NEARLY_TABLES = st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=60) | NEARLY_TABLES,
    suffix=st.sampled_from([".csv", ".csv.gz", ".jsonl", ".parquet"]),
    after=st.sampled_from(
        [b"", b"D1,D2,loss\n1,2,3\n", b'{"D1": 1, "D2": 2, "loss": 3}\n', b"PAR1"]
    ),
)
@example(content=b"", suffix=".csv", after=b"D1,D2,loss\n1,2,3\n")
def test_any_bytes_are_a_table_or_an_input_error(tmp_path, content, suffix, after):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(after + content)
    try:
        table, message = read_runs(path), ""
    except InputError as error:
        table, message = None, str(error)
    if table is None:
        assert message.startswith(str(path))
    else:
        assert len(table) > 0
        assert np.all(table.numbers("loss") > 0)
        assert np.all(table.numbers("tokens_stage1") >= 0)
