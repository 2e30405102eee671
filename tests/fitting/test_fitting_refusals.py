"""Broken and hopeless tables in memory: an error for people, or a status and a reason.

`tests/cli/test_cli_refusals.py` sends files through the command.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bootlaw
from bootlaw import laws
from bootlaw.errors import InputError

BOOTSTRAPPED = [20.0, 0.12, 0.3, 0.006, 1.1]


def runs(**changed: Any) -> dict[str, Any]:
    """Return noisy runs of the main law on a 4 x 4 grid, with some columns changed."""
    grids = np.meshgrid(np.geomspace(2e8, 2e10, 4), np.geomspace(1e8, 1e10, 4))
    columns = dict(zip(("tokens_stage1", "tokens_stage2"), (g.ravel() for g in grids), strict=True))
    noise = np.random.default_rng(0).normal(0, 0.002, 16)
    losses = laws.get("bootstrapped").loss(BOOTSTRAPPED, columns) * np.exp(noise)
    return columns | {"loss": losses} | changed


LOSS = runs()["loss"]


@pytest.mark.parametrize(
    ("table", "options", "says"),
    [
        ({}, {}, "no rows"),
        (runs(loss=LOSS[:5]), {}, "has 5"),
        (runs(loss=np.where(LOSS.mean() < LOSS, np.nan, LOSS)), {}, "is nan"),
        (runs(loss=-LOSS), {}, "above zero"),
        (runs(loss=LOSS * np.inf), {}, "finite"),
        (runs(loss=["bad"] * 16), {}, "not a number"),
        (runs(loss=LOSS * 1e200), {}, "is no loss"),
        (runs(tokens_stage2=np.zeros(16)), {}, "no second stage"),
        (runs(tokens_stage1=np.full(16, -1.0)), {}, "not negative"),
        (runs(method=["cpt", "stack"] * 8), {}, "--method"),
        (runs(eval_data=["a", "b"] * 8), {}, "eval_data"),
        (runs(), {"method": "grow"}, "no row of method 'grow'"),
        (runs(), {"law": "bootstraped"}, "did you mean"),
        (runs(), {"law": "power"}, "two stages"),
        (runs(), {"law": "additive+scratch"}, "from scratch"),
        (runs(), {"where": "loss > 99"}, "keeps none"),
        (runs(), {"where": "loss >"}, "ends too early"),
        (runs(), {"bootstrap": 3}, "too few"),
        (runs(), {"delta": 0.0}, "delta"),
        (runs(), {"level": 1.5}, "level"),
        (runs(), {"drop_lowest": 1.0}, "drop_lowest"),
        (runs(), {"bootstrap": 50, "resample": "trunks"}, "trunk"),
        (runs(), {"bootstrap": 50, "resample": "jackknife"}, "resample is one of"),
        (7, {}, "int"),
        (runs(), {"law": 3}, "law is the key"),
        (runs(), {"method": 3}, "method is text"),
        (runs(), {"where": 3}, "where is text"),
        (runs(), {"bootstrap": "100"}, "whole number"),
        (runs(), {"level": "0.9"}, "level is a number"),
        (runs(), {"delta": None}, "delta is a number"),
        (runs(), {"drop_lowest": "a"}, "drop_lowest is a share"),
        (runs(), {"weights": 3}, "weights is a name"),
        (runs(), {"profile": 3}, "profile is a list"),
        (runs(), {"fixed": ["E"]}, "fixed is a dictionary"),
        (runs(), {"fixed": {"E": "1"}}, "E takes a number"),
        (runs(), {"tied": {"a1": 3}}, "the name of a parameter"),
        (runs(), {"bounds": {"E": 1}}, "E takes two numbers"),
        (runs(), {"priors": {"E": (1, None)}}, "E takes two numbers"),
    ],
)
def test_bad_input_is_an_error_of_one_line(table: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        bootlaw.fit(table, **options)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "law"),
    [
        (runs(tokens_stage1=np.full(16, 1e9)), "bootstrapped"),
        (runs(tokens_stage1=np.full(16, 1e9)), "additive"),
        (runs(tokens_stage2=np.full(16, 1e9)), "multiplicative"),
        (runs(tokens_stage2=runs()["tokens_stage1"]), "bootstrapped"),
        (runs(loss=np.full(16, 2.0)), "bootstrapped"),
        (runs(loss=np.tile([2.0, 3.0], 8)), "multiplicative"),
        ({name: values[:3] for name, values in runs().items()}, "bootstrapped"),
    ],
)
def test_hopeless_rows_have_a_status_and_a_reason(table: dict[str, Any], law: str) -> None:
    found = bootlaw.fit(table, law, bootstrap=50)
    assert found.status == "not_identifiable"
    assert found.diagnostics[0].severity == "error"
    assert found.diagnostics[0].code in ("not_identifiable", "flat_optimum")
    # What is any of many values draws no remark on itself.
    assert not {"unexpected_sign", "loss_rises", "at_bound", "a3_against_e"} & {
        d.code for d in found.diagnostics
    }
