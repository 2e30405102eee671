"""Refits in blocks: the same as in one piece, and reproducible."""

from __future__ import annotations

import numpy as np
import pytest
from typical import grid, typical_vector

from bootlaw import laws
from bootlaw.fitting.blocks import refit_in_blocks
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum


@pytest.fixture(scope="module")
def fitted() -> tuple[Objective, Optimum]:
    law = laws.get("chinchilla")
    columns = grid(law)
    losses = law.loss(typical_vector(law), columns)
    losses = losses * np.exp(np.random.default_rng(0).normal(0.0, 0.01, losses.size))
    objective = Objective.of(law, columns, losses, 1e-3)
    return objective, find_optimum(objective)


@pytest.mark.parametrize("scheme", ["pairs", "random-effects"])
def test_one_block_is_a_plain_refit(fitted: tuple[Objective, Optimum], scheme: str) -> None:
    objective, optimum = fitted
    plain = refit(resampled(objective, optimum.u, scheme, None, 20, 3), optimum, 20)
    np.testing.assert_array_equal(
        refit_in_blocks(objective, optimum, scheme, None, 20, 3).u, plain.u
    )


def test_blocks_are_reproducible_whatever_the_threads(fitted: tuple[Objective, Optimum]) -> None:
    objective, optimum = fitted
    most = 7 * objective.design.n_rows
    runs = [
        refit_in_blocks(
            objective, optimum, "pairs", None, 20, 3, threads=threads, most_numbers=most
        )
        for threads in (1, 2)
    ]
    np.testing.assert_array_equal(runs[0].u, runs[1].u)
    assert runs[0].u.shape == (20, 5)
    assert len(np.unique(runs[0].u[:, 0])) == 20
    assert runs[0].share_converged == pytest.approx(1.0)


def test_a_block_holds_at_least_one_table(fitted: tuple[Objective, Optimum]) -> None:
    objective, optimum = fitted
    found = refit_in_blocks(objective, optimum, "pairs", None, 3, 0, most_numbers=1)
    assert found.u.shape == (3, 5)
    assert len(np.unique(found.u[:, 0])) == 3
