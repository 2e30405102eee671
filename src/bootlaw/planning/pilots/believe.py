"""From replicates to a belief: what candidates would show, and how it hangs with a decision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootlaw.laws.names import D1
from bootlaw.planning.pilots.belief import Belief, compressed, deviations
from bootlaw.planning.pilots.candidates import Candidates
from bootlaw.planning.pilots.goals import Goal
from bootlaw.planning.pilots.questions import Question
from bootlaw.planning.pilots.table import Pilots, log_losses
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]


def believe(
    decision: Question, source: Source, rival: Source, pilots: Pilots, offered: Candidates
) -> tuple[Goal, Belief]:
    """Return the goal of a decision, and what is believed of it and of the candidates."""
    quantities = decision.quantities(source, rival)[1:]
    expected = _expected(source, rival, offered)[: len(quantities)]
    quantities = quantities[: len(expected)]
    offsets, left = pilots.offsets(source)
    on_known = offered.trunk < offered.n_existing
    if pilots.shared and on_known.any():
        expected[:, on_known] += offsets[: len(expected), offered.trunk[on_known]]
    factor, own = deviations(quantities), deviations(expected)
    centre = decision.centre(quantities, np.sqrt((factor**2).sum(axis=0)))
    sample = centre + factor * np.sqrt(max(len(factor) - 1, 1))
    joint = compressed(np.hstack([factor, own]))
    lost = np.maximum((own**2).sum(axis=0) - (joint[:, centre.size :] ** 2).sum(axis=0), 0.0)
    trunks, alone = _trunk_rows(pilots, offered, left)
    runs = np.vstack([joint[:, centre.size :], trunks])
    padded = np.vstack([joint[:, : centre.size], np.zeros((len(trunks), centre.size))])
    noise = pilots.row_sd**2 + lost + alone
    return decision.goal(sample), Belief.of(centre, padded, runs, noise)


def _expected(source: Source, rival: Source, offered: Candidates) -> Floats:
    """Return the log losses (r, n) of the candidates."""
    if rival is source:
        return log_losses(source, offered.columns)[1:]
    scratch = offered.columns[D1] == 0
    found = np.zeros((min(source.n_replicates, rival.n_replicates), len(offered)))
    for which, rows in ((rival, scratch), (source, ~scratch)):
        own = {name: values[rows] for name, values in offered.columns.items()}
        found[:, rows] = log_losses(which, own)[1 : 1 + len(found)]
    return found


def _trunk_rows(pilots: Pilots, offered: Candidates, left: Floats) -> tuple[Floats, Floats]:
    """Return what trunks' own deviations add: rows (t, n) of shared ones, variances (n,) of others.

    A trunk with one candidate has a deviation that nothing else shares: noise like any other.
    """
    if not pilots.trunk_sd > 0:
        return np.zeros((0, len(offered))), np.zeros(len(offered))
    deviation = np.full(len(offered.trunk_names), pilots.trunk_sd)
    deviation[: offered.n_existing] = np.sqrt(left[: offered.n_existing])
    counts = np.bincount(offered.trunk, minlength=deviation.size)
    on = offered.trunk == np.flatnonzero(counts > 1)[:, None]
    single = counts[offered.trunk] == 1
    return on * deviation[counts > 1, None], (single * deviation[offered.trunk]) ** 2
