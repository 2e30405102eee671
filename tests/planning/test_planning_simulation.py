"""Intervals of forecasts and break-evens on simulated studies: how often they hold the truth."""

import math

import numpy as np
import pytest

from bootlaw.fitting import fit
from bootlaw.planning import breakeven, forecast
from bootlaw.runs import read_runs

NOISE = 0.003
STUDIES = 16
D1, D2 = 4e6, 3e6


def reuse(d1, d2):
    return 14 * d1**-0.12 * d2**-0.08 + 1.2


def scratch(tokens):
    return 60 * tokens**-0.26 + 1.2


LN_TRUE = (math.log(14 / 60) - 0.12 * math.log(D1)) / (0.08 - 0.26)


def simulated(seed):
    """Return a study of 5 x 5 reuse runs and 10 scratch runs, noise independent between runs."""
    d1, d2 = (
        axis.ravel() for axis in np.meshgrid(np.geomspace(1e6, 2e7, 5), np.geomspace(5e5, 1e7, 5))
    )
    alone = np.geomspace(5e5, 1e7, 10)
    loss = np.concatenate([reuse(d1, d2), scratch(alone)])
    noise = NOISE * np.random.default_rng(seed).normal(size=loss.size)
    return read_runs(
        {
            "method": ["stack"] * d1.size + ["scratch"] * alone.size,
            "tokens_stage1": np.concatenate([d1, np.zeros(alone.size)]),
            "tokens_stage2": np.concatenate([d2, alone]),
            "loss": loss * np.exp(noise),
        }
    )


@pytest.fixture(scope="module")
def fits():
    return [
        fit(simulated(seed), "multiplicative+scratch", bootstrap=80, level=0.9, seed=seed)
        for seed in range(STUDIES)
    ]


def test_breakeven_intervals_hold_the_truth_most_of_the_time(fits):
    answers = [breakeven(fitted, tokens_stage1=D1) for fitted in fits]
    assert {answer.status for answer in answers} == {"crossing"}
    hits = [
        answer.interval.lower <= math.exp(LN_TRUE) <= answer.interval.upper for answer in answers
    ]
    # 16 intervals at 90 %: fewer than 11 hits have a probability of 0.3 %.
    assert sum(hits) >= 11
    medians = np.median([math.log(answer.tokens) for answer in answers])
    assert medians == pytest.approx(LN_TRUE, abs=0.15)


def test_forecast_intervals_hold_new_runs(fits):
    rng = np.random.default_rng(99)
    hits = 0
    for fitted in fits:
        answer = forecast(fitted, tokens_stage1=D1, tokens_stage2=D2)
        runs = reuse(D1, D2) * np.exp(NOISE * rng.normal(size=200))
        hits += np.mean((runs >= answer.lower) & (runs <= answer.upper)) / len(fits)
    assert 0.78 <= hits <= 0.97


def test_more_noise_gives_wider_intervals(fits):
    quiet = breakeven(fits[0], tokens_stage1=D1)
    table = simulated(0)
    columns = dict(table.columns)
    exact = np.where(
        columns["tokens_stage1"] > 0,
        reuse(np.maximum(columns["tokens_stage1"], 1), columns["tokens_stage2"]),
        scratch(columns["tokens_stage2"]),
    )
    columns["loss"] = exact * (columns["loss"] / exact) ** 3
    loud = breakeven(
        fit(read_runs(columns), "multiplicative+scratch", bootstrap=80, level=0.9, seed=0),
        tokens_stage1=D1,
    )
    assert (
        loud.interval.upper / loud.interval.lower
        > 1.5 * quiet.interval.upper / quiet.interval.lower
    )
