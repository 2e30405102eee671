"""Forecasts over a grid of bases, lengths and sizes."""

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.planning import Forecast, forecast, forecast_grid, threshold

UPCYCLED = "liew2025-upcycling-upcycled"


def test_each_row_is_the_forecast_asked_alone():
    found = forecast_grid(
        UPCYCLED, tokens_stage1=[1e9, 1e10], tokens_stage2=np.array([1e9, 2e9]), params=[1e8, 1e9]
    )
    alone = forecast(UPCYCLED, tokens_stage1=1e10, tokens_stage2=1e9, params=1e9)
    assert len(found.rows) == 8
    assert found.rows[6].to_json() == alone.to_json()
    assert found.to_json()["rows"][6] == alone.to_json()


def test_rows_without_an_answer_say_why_and_the_rest_is_there(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    found = forecast_grid(fit, tokens_stage1=[0.0, 1e10], tokens_stage2=[3e11, 1e15])
    assert found.determined
    assert [isinstance(row, Forecast) for row in found.rows] == [True, False, True, False]
    text = found.summary()
    assert "undetermined at D1 = 10B, D2 = 1T" not in text
    assert "undetermined at D1 = 10B, D2 = 1e+15: stage-2 tokens lie 4.0 decades" in text
    # The note is that of the furthest forecast that was given.
    assert "furthest beyond the runs, D1 = 0, D2 = 300B:" in text
    assert text.count("3 times above the fitted range") == 1
    assert not forecast_grid(fit, tokens_stage1=1e10, tokens_stage2=1e16).determined


def test_many_reasons_are_counted(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    found = forecast_grid(fit, tokens_stage1=1e10, tokens_stage2=np.geomspace(1e15, 1e16, 20))
    assert "and 8 more such reasons (--json has all)" in found.summary()


def test_an_empty_grid_is_refused():
    with pytest.raises(InputError, match="at least one D1"):
        forecast_grid(UPCYCLED, tokens_stage1=[], tokens_stage2=1e9)


@pytest.mark.parametrize("call", [threshold, forecast_grid])
def test_what_is_no_row_of_numbers_is_refused(call):
    """An array ended in a ValueError of NumPy, a text in a TypeError."""
    rest = {"tokens_stage2": 1e9} if call is forecast_grid else {"scratch": "hoffmann2022"}
    with pytest.raises(InputError, match="tokens_stage1 must be a number or one row"):
        call(UPCYCLED, tokens_stage1="1e9", params=[1e9], **rest)
    assert call(UPCYCLED, tokens_stage1=np.array([1e9, 1e10]), params=1e9, **rest).rows
