import numpy as np
import pytest
from typical import grid, typical_vector

from bootlaw import laws
from bootlaw.errors import InputError
from bootlaw.laws.average import average_law

KEYS = ("bootstrapped+scratch", "additive+scratch", "effective-data+scratch")


def test_the_log_of_the_average_is_the_weighted_mean_of_the_laws_logs():
    members = [laws.get(key) for key in KEYS]
    average = average_law(members)
    rows, weights = grid(members[0]), np.array([0.5, 0.2, 0.3])
    own = [typical_vector(member) for member in members]
    found = average.loss(np.concatenate([*own, weights]), rows)
    logs = [np.log(m.loss(p, rows)) for m, p in zip(members, own, strict=True)]
    np.testing.assert_allclose(np.log(found), weights @ logs, rtol=1e-12)


def test_a_law_with_all_the_weight_is_the_average():
    members = [laws.get(key) for key in KEYS]
    own = [typical_vector(member) for member in members]
    rows = grid(members[0])
    found = average_law(members).loss(np.concatenate([*own, [0.0, 1.0, 0.0]]), rows)
    np.testing.assert_allclose(found, members[1].loss(own[1], rows), rtol=1e-12)


def test_it_reads_what_any_of_the_laws_reads():
    average = average_law([laws.get("additive+size"), laws.get("total-tokens")])
    assert set(average.variables) == {"tokens_stage1", "tokens_stage2", "params"}
    assert average.is_two_stage
    assert not average.has_scratch_part


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ((), "at least one"),
        (("power", "power"), "twice"),
        (("power", "bootstrapped"), "same runs"),
        (("additive", "additive+scratch"), "same runs"),
        (("mixture-ratio",), "not the loss"),
    ],
)
def test_laws_of_other_runs_are_not_averaged(keys, complaint):
    with pytest.raises(InputError, match=complaint):
        average_law([laws.get(key) for key in keys])
