"""Where-expressions against the same expression evaluated row by row in Python."""

import math
from operator import and_, eq, ge, gt, le, lt, ne, or_
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw.errors import InputError
from bootlaw.runs import read_runs

TABLE = read_runs(
    {
        "method": ["stack", "cpt", "scratch", "stack", "cpt-lr0.002"],
        "D1": [1e5, 2.5e5, 0, 1.3e9, 1],
        "D2": [2.5e5, 1e5, 1e6, 1.3e9, 2],
        "loss": [3.0, 2.5, 2.0, 1.5, 1.0],
        "seed": [0, 1, None, 1, None],
        "trunk": ["a", "", "stack", "b c", "2b84b4b"],
        "odd name": [1, 2, 3, 4, 5],
    }
)


def attempt(expression: str) -> tuple[list[int], str]:
    """The 0-based rows that are kept, and the message of the error if there is one."""
    try:
        return (TABLE.where(expression).row_numbers - 1).tolist(), ""
    except InputError as error:
        return [], str(error)


def kept(expression: str) -> list[int]:
    rows, message = attempt(expression)
    assert rows or "keeps none" in message, message
    return rows


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("method == stack", [0, 3]),
        ("method = 'stack'", [0, 3]),
        ('"stack" == method', [0, 3]),
        ("method != stack", [1, 2, 4]),
        ("method == trunk", []),
        ("trunk == 'b c'", [3]),
        ("trunk == ''", [1]),
        ("trunk == 2b84b4b", [4]),
        ("method == cpt-lr0.002", [4]),
        ("method in [cpt, scratch]", [1, 2]),
        ("method in (cpt)", [1]),
        ("method not in [cpt, 'scratch']", [0, 3, 4]),
        ("seed not in [1]", [0]),
        ("D1 in [0, 250k, 1.3B]", [1, 2, 3]),
        ("D1 >= 250e3", [1, 3]),
        ("250k <= D2 < 1.3B", [0, 2]),
        ("D1 == D2", [3]),
        ("D1 > -1", [0, 1, 2, 3, 4]),
        ("seed == 1 & D1 < 1M | loss >= 3", [0, 1]),
        ("seed = 1 AND NOT (D1 < 1M)", [3]),
        ("~(seed == 1)", [0, 2, 4]),
        ("`odd name` > 3", [3, 4]),
        ("tokens_stage1 < tokens_stage2", [0, 2, 4]),
        ("loss > 1\n and loss < 2", [3]),
    ],
)
def test_examples(expression, rows):
    assert kept(expression) == rows


def test_comparisons_with_absent_numbers_are_false():
    for sign in ("==", "!=", "<", "<=", ">", ">="):
        assert not {2, 4} & set(kept(f"seed {sign} 1"))


NUMBERS = {"D1": "tokens_stage1", "tokens_stage2": "tokens_stage2", "loss": "loss", "seed": "seed"}
TEXTS = ("method", "trunk")
SIGNS = {"==": eq, "=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
LITERALS = {"0": 0, "1": 1, "2.5": 2.5, "250k": 2.5e5, "250e3": 2.5e5, "1.3B": 1.3e9, "-1": -1}


@st.composite
def comparisons(draw):
    """An expression, and a function of a row that says what it should be."""
    if draw(st.booleans()):
        name, sign, literal = (
            draw(st.sampled_from(list(each))) for each in (NUMBERS, SIGNS, LITERALS)
        )

        def expected(row, column=NUMBERS[name], compare=SIGNS[sign], value=LITERALS[literal]):
            return not math.isnan(row[column]) and compare(row[column], value)

        return f"{name} {sign} {literal}", expected
    name = draw(st.sampled_from(TEXTS))
    values = draw(st.lists(st.sampled_from(["stack", "cpt", "b c", ""]), min_size=1, max_size=3))
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{name} in [{quoted}]", lambda row: row[name] in values


def joined(parts):
    def negate(part):
        return f"not ({part[0]})", lambda row: not part[1](row)

    def join(pair, word, combine):
        (left, is_left), (right, is_right) = pair
        return f"({left}) {word} ({right})", lambda row: combine(is_left(row), is_right(row))

    pairs = st.tuples(parts, parts)
    return st.one_of(
        parts.map(negate),
        st.builds(join, pairs, st.sampled_from(["and", "&", "AND"]), st.just(and_)),
        st.builds(join, pairs, st.sampled_from(["or", "|", "||"]), st.just(or_)),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(comparisons(), joined, max_leaves=8))
def test_agrees_with_python_row_by_row(case):
    expression, expected = case
    rows = [
        {name: values[index] for name, values in TABLE.columns.items()}
        for index in range(len(TABLE))
    ]
    assert kept(expression) == [index for index, row in enumerate(rows) if expected(row)]


@pytest.mark.parametrize(
    ("expression", "position", "words"),
    [
        ("", 1, ["empty"]),
        ("   ", 1, ["empty"]),
        ("loss >", 7, ["too early"]),
        ("loss > 2 and ", 13, ["too early"]),
        ("(loss > 2", 1, ["never closed"]),
        ("loss > 2)", 9, ["unmatched"]),
        ("method == 'stack", 11, ["never closed"]),
        ("loss", 1, ["expected a comparison"]),
        ("loss > 2 loss < 3", 10, ["joined by"]),
        ("loss $ 2", 6, ["joined by"]),
        ("loss > !2", 8, ["out of place"]),
        ("metod == stack", 1, ["'metod'", "did you mean 'method'", "tokens_stage1"]),
        ("D9 > 3", 1, ["no column 'D9'", "the table has method"]),
        ("loss > 1 and N > 3", 14, ["no column 'N'"]),
        ("loss > abc", 8, ["'abc'", "neither a column nor a number"]),
        ("loss > '2'", 8, ["neither"]),
        ("method < stack", 1, ["no order"]),
        ("loss == method", 9, ["column of text"]),
        ("f(loss) > 2", 1, ["expected a column"]),
        ("__import__('os')", 1, ["expected a comparison"]),
        ("[loss for loss in D1]", 2, ["joined by"]),
        ("loss, D1", 1, ["expected a comparison"]),
    ],
)
def test_errors_name_the_position(expression, position, words):
    with pytest.raises(InputError) as caught:
        TABLE.where(expression)
    message = str(caught.value)
    assert f"at position {position}:" in message
    for word in words:
        assert word in message


def test_an_expression_that_keeps_nothing_is_an_error():
    with pytest.raises(InputError, match="<table>: 'loss > 9' keeps none of the 5 rows"):
        read_runs(TABLE, where="loss > 9")


def test_an_expression_that_keeps_nothing_shows_what_its_columns_hold():
    """A misspelt method gave no hint of the methods there are."""
    rows = {"method": ["stack", "cpt"], "D1": [1e5, 1e5], "D2": [1e5, 2e5], "loss": [3.0, 2.5]}
    with pytest.raises(InputError, match=r"of the 2 rows; method is cpt, stack; tokens_stage2 is"):
        read_runs(rows, where="method == 'zzz' or D2 > 1M")


@pytest.mark.parametrize(
    "expression",
    ["(" * 900 + "loss>2" + ")" * 900, "not " * 2400 + "loss > 2", "loss > 2 and " * 5000],
)
def test_deep_and_long_expressions_are_input_errors_or_answers(expression):
    rows, message = attempt(expression)
    assert rows or 0 < len(message) < 600


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(
            [
                "loss",
                "method",
                ">",
                "==",
                "in",
                "not",
                "and",
                "(",
                ")",
                "[",
                "]",
                ",",
                "1k",
                "'a'",
                "`",
            ]
        ),
        max_size=9,
    ).map(" ".join)
)
def test_any_text_is_an_answer_or_an_input_error(expression):
    rows, message = attempt(expression)
    assert bool(rows) != bool(message)
    assert "\n" not in message


def test_on_a_real_table():
    table = read_runs(
        Path(__file__).parents[1] / "data" / "tiny_two_stage.csv",
        where="method in [cpt, stack] & D1 > 0 & D2 >= 250k",
    )
    assert set(table.text("method")) == {"cpt", "stack"}
    assert table.numbers("tokens_stage2").min() >= 250e3
