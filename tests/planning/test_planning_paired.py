"""The pairwise evaluation against the laws' own."""

import numpy as np
import pytest
from typical import typical_vector

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
    params = typical_vector(law) * rng.uniform(0.8, 1.2, size=(6, len(law.parameters)))
    tokens = rng.uniform(1e6, 1e9, size=(6, 4))
    columns = {
        "tokens_stage1": np.full_like(tokens, 3e7 if part == "reuse" else 0.0),
        "tokens_stage2": tokens,
        "params": rng.uniform(1e5, 1e7, size=(6, 4)),
        "unique_tokens": tokens / 3,
        "loss_base": np.full_like(tokens, 2.5),
        "replay": np.full_like(tokens, 0.2),
    }
    got = paired_loss(law, law.to_internal(params), columns, part)
    expected = [
        law.loss(params[i], {name: columns[name][i] for name in law.variables}) for i in range(6)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_effective_data_without_a_base_is_a_power_law():
    """Zero to a positive power is zero, so scratch points need no formula of their own."""
    law = laws.get("effective-data")
    params = typical_vector(law)[np.newaxis]
    columns = {"tokens_stage1": np.zeros((1, 2)), "tokens_stage2": np.array([[1e6, 1e7]])}
    got = paired_loss(law, law.to_internal(params), columns, "scratch")
    np.testing.assert_allclose(got, 9.0 * columns["tokens_stage2"] ** -0.21 + 1.1, rtol=1e-13)
