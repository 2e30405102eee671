"""The schema: what each header stands for."""

import math

import pytest

from bootlaw.errors import InputError
from bootlaw.runs.schema import BY_NAME, COLUMNS, resolve


def test_no_name_or_alias_belongs_to_two_columns():
    names = [name for column in BY_NAME.values() for name in (column.name, *column.aliases)]
    assert len(names) == len(set(names))


def test_every_number_of_a_count_or_a_loss_has_units():
    assert BY_NAME["params"].is_count
    assert BY_NAME["flops"].is_count
    assert not BY_NAME["loss"].is_count
    assert not BY_NAME["seed"].units


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_column_goes_by_its_name_and_its_aliases(column):
    assert resolve(column.name).note == ""
    for alias in column.aliases:
        heading = resolve(alias)
        assert heading.name == column.name
        assert heading.factor == 1.0
        assert alias in heading.note
        assert column.name in heading.note


@pytest.mark.parametrize(
    ("header", "name", "factor"),
    [
        ("tokens_stage1_B", "tokens_stage1", 1e9),
        ("D1_k", "tokens_stage1", 1e3),
        ("D2[T]", "tokens_stage2", 1e12),
        ("params [M]", "params", 1e6),
        ("tokens_B", "tokens", 1e9),
        ("loss_bits", "loss", math.log(2)),
        ("loss[nats/token]", "loss", 1.0),
        ("loss_se_bits", "loss_se", math.log(2)),
    ],
)
def test_a_header_may_name_a_unit(header, name, factor):
    heading = resolve(header)
    assert (heading.name, heading.factor) == (name, factor)


@pytest.mark.parametrize(
    "header",
    ["d1", "TOKENS", "model_M", "seed_M", "lr_k", "loss_c4", "notes[old]", "params_b", "_B"],
)
def test_other_headers_are_columns_of_the_user(header):
    heading = resolve(header)
    assert heading.column is None
    assert heading.name == header


@pytest.mark.parametrize("header", ["loss[bits/byte]", "D1[GB]", "seed[k]", "loss[]"])
def test_a_unit_that_cannot_be_is_refused(header):
    with pytest.raises(InputError, match="cannot be in"):
        resolve(header)
