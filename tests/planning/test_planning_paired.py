"""The pairwise evaluation against the laws' own."""

import numpy as np
import pytest

from bootlaw import laws
from bootlaw.planning.paired import paired_loss

CASES = [
    (key, part)
    for key in laws.names()
    for part in ("reuse", "scratch")
    if part == "reuse" or key == "power" or laws.get(key).has_scratch_part
]


@pytest.mark.parametrize(("key", "part"), CASES)
def test_each_row_equals_the_laws_loss(key, part):
    law = laws.get(key)
    rng = np.random.default_rng(0)
    params = rng.uniform(0.01, 0.3, size=(6, len(law.parameters)))
    params[:, law.logged] *= 100
    tokens = rng.uniform(1e6, 1e9, size=(6, 4))
    columns = {
        "tokens_stage1": np.full_like(tokens, 3e7 if part == "reuse" else 0.0),
        "tokens_stage2": tokens,
    }
    got = paired_loss(law, law.to_internal(params), columns, part)
    expected = [
        law.loss(params[i], {name: columns[name][i] for name in law.variables}) for i in range(6)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
