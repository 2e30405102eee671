"""The JavaScript of a law computes what Python computes."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from typical import grid, typical_vector

from bootlaw import laws

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def losses_by_node(cases: list[tuple[laws.Law, np.ndarray, dict[str, np.ndarray]]]) -> list:
    programs = []
    for law, params, table in cases:
        p = dict(zip(law.names, params.tolist(), strict=True))
        count = len(next(iter(table.values())))
        xs = [{name: float(values[i]) for name, values in table.items()} for i in range(count)]
        programs.append(f"{json.dumps(xs)}.map(x => ({law.javascript})({json.dumps(p)}, x))")
    script = f"console.log(JSON.stringify([{','.join(programs)}]))"
    done = subprocess.run(
        [str(NODE), "-"], input=script, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@needs_node
def test_every_law_has_the_same_values_in_javascript() -> None:
    cases = [(law, typical_vector(law), grid(law)) for law in map(laws.get, laws.names())]
    for (law, params, table), found in zip(cases, losses_by_node(cases), strict=True):
        np.testing.assert_allclose(found, law.loss(params, table), rtol=1e-13, err_msg=law.key)


@needs_node
@pytest.mark.parametrize(
    "formula",
    [
        "x*sin(y*log(D2)) + cos(x) + arctan(y*log(D1)) + 9",
        "A*max(a*log(D1), b*log(D2), 2)^2 - 1e-9*D1 + E",
        'sqrt(A*`tokens "one"`^-a + B) * exp(-c) + -3*E',
        "α*D2^-β + E",
    ],
)
def test_a_formula_of_any_kind_has_the_same_values_in_javascript(formula: str) -> None:
    law = laws.from_formula(formula)
    rng = np.random.default_rng(1)
    params = rng.uniform(0.1, 0.9, len(law.names))
    table = {name: np.exp(rng.uniform(5, 15, 4)) for name in law.variables}
    (found,) = losses_by_node([(law, params, table)])
    np.testing.assert_allclose(found, law.loss(params, table), rtol=1e-12)


def test_it_is_one_function_of_parameters_and_columns() -> None:
    assert laws.get("power").javascript == (
        "(p, x) => ((p.A * Math.pow(x.tokens_stage2, ((-1.0) * p.a))) + p.E)"
    )
