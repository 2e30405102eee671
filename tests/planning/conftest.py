"""Fits with chosen parameters, for answers that can be worked out by hand."""

import math

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.fitting import Diagnostic, Estimate, Fit

RANGES = {"tokens_stage1": (1e9, 1e12), "tokens_stage2": (1e9, 1e11), "params": (1e9, 1e9)}


def make_fit(
    key,
    values,
    *,
    replicates=(),
    ranges=None,
    residual_scale=0.0,
    status="converged",
    level=0.95,
    warns=(),
):
    """Return a fit of the law `key` with these parameter values, given by name."""
    law = laws.get(key)
    vector = np.array([float(values[name]) for name in law.names])
    rows = np.array([[float(row[name]) for name in law.names] for row in replicates])
    broken = () if status == "converged" else (Diagnostic("rank", "rank deficient", "error"),)
    remarks = (*broken, *(Diagnostic(code, f"about {code}", "warning") for code in warns))
    return Fit(
        law=law,
        values=vector,
        estimates={
            p.name: Estimate(float(value), None, None, p.unit)
            for p, value in zip(law.parameters, vector, strict=True)
        },
        replicates=rows.reshape(-1, vector.size),
        residual_scale=residual_scale,
        objective=0.0,
        objective_standard=0.0,
        delta=1e-3,
        loss="huber",
        scale="log",
        fixed={},
        tied={},
        level=level,
        rms_log=0.0,
        n_rows=30,
        n_dropped=0,
        status=status,
        diagnostics=remarks,
        ranges=ranges or RANGES,
        method="stack",
        resample="pairs",
        rows_used=(),
        source="<table>",
        seconds=0.0,
        version="test",
    )


MAIN = {"A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "E": 1.0}
JOINT = {**MAIN, "A_s": 32.0, "a_s": 0.14}


def upcycled(params, **options):
    """Return the published upcycling law of arXiv 2502.03009 at one model size, and its rival."""
    reuse = {
        "A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4,
        "E": 0.165 + 8.53 * params**-0.112,
    }  # fmt: skip
    scratch = {"A": 32.0, "a": 0.161, "E": 0.165 + 7.05 * params**-0.080}
    return make_fit("bootstrapped", reuse, **options), make_fit("power", scratch, **options)


def closed_form(values, tokens_stage1):
    """Return ln D* of a joint law, from the algebra; inf for laws that are all but parallel."""
    ln_stage1 = math.log(tokens_stage1)
    head = math.log(values["A"] / values["A_s"]) - values["a1"] * ln_stage1
    slope = values["a2"] - values["a3"] * ln_stage1 - values["a_s"]
    return head / slope if abs(slope) > 1e-3 else math.inf


@pytest.fixture(scope="session")
def factory():
    """Give the tests the helpers of this file without importing a conftest."""
    from types import SimpleNamespace

    return SimpleNamespace(
        make_fit=make_fit, upcycled=upcycled, closed_form=closed_form, MAIN=MAIN, JOINT=JOINT
    )
