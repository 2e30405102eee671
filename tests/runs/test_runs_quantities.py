"""Numbers as text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootlaw.runs.quantities import format_number, parse_quantity, short


@given(st.floats(allow_nan=False))
def test_format_number_reads_back_exactly(value):
    text = format_number(value)
    assert float(text) == value
    assert math.copysign(1, float(text)) == math.copysign(1, value)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_whole_numbers_have_no_point(value):
    assert format_number(float(value)) == str(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.3B", 1.3e9), ("250k", 2.5e5), ("2T", 2e12), ("3e21", 3e21), (" 7 ", 7), ("-1m", -1e6)],
)
def test_suffixes(text, value):
    assert parse_quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "B", "1,300", "2,5", "1.3BB", "1 B 2", "0x10", "many"])
def test_what_is_not_a_number(text):
    with pytest.raises(ValueError, match="could not convert"):
        parse_quantity(text)


def test_short():
    assert [short(value) for value in (0, 0.25, 249856, 1.3e9, 2e12)] == [
        "0",
        "0.25",
        "249.9k",
        "1.3B",
        "2T",
    ]
