"""Roll-outs: a law refitted below each of the largest levels of a variable, and what it misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting.levels import level_numbers, merged
from bootlaw.fitting.misfit import Misfit, RollOut, Rows, rms
from bootlaw.fitting.result import Fit
from bootlaw.laws import Law
from bootlaw.laws.names import D1, D2, METHOD_NUMBER, N
from bootlaw.runs import RunTable

Mask = NDArray[np.bool_]
Refit = Callable[[RunTable], Fit]

Floats = NDArray[np.float64]

WITHIN_ONE_SD = 0.6827
"""Share of a normal sample within one standard deviation."""

FARTHEST = 10.0
"""Log distance of a replicate beyond which all are alike."""

ROLLOUTS = 3
"""Largest levels that are held out in turn, at most."""

LEAST_LEVELS = 2
"""Levels that must remain below a level that is held out."""

REPLICATES = 50
"""Refits that tell how far the parameters are open below a held-out level."""

MOST_BLOCKS = 6
"""Blocks that the other levels are merged into: a variable with dozens of levels, such as tokens,
has steps too small to tell anything."""


def law_misfits(
    table: RunTable, law: Law, methods: Sequence[str], refit: Refit
) -> tuple[Misfit, ...]:
    """Return the misfits along D1, D2 and N, of those that the law reads and the rows allow.

    Parameters
    ----------
    table : the rows of the fit.
    methods : of the rows with a base; several for a law of several methods, in its order.
    refit : fits the law to some of the rows, with `REPLICATES`.
    """
    return tuple(
        misfit
        for variable in (D1, D2, N)
        if variable in law.variables
        for misfit in misfits_along(table, law, methods, variable, refit)
    )


def misfits_along(
    table: RunTable,
    law: Law,
    methods: Sequence[str],
    variable: str,
    refit: Refit,
    rollouts: int = ROLLOUTS,
) -> tuple[Misfit, ...]:
    """Return what the law misses along one variable: one misfit per part of the law, or none.

    A block of levels is held out of the rows below it, those with a base and those from scratch
    together and those of all methods, and what is missed is told apart by part. Along D1 the
    rows from scratch, which have none, stay fitted. Where that leaves another method too few
    rows, as its levels lie higher, the other methods stay fitted too.
    """
    values = table.numbers(variable)
    steps = values > 0 if variable == D1 else np.ones(len(table), dtype=bool)
    if not steps.any() or not (values[steps] > 0).all():
        return ()
    blocks = np.full(len(table), -1, dtype=np.intp)
    blocks[steps] = merged(level_numbers(values[steps]), LEAST_LEVELS, MOST_BLOCKS)
    known: dict[bytes, Fit | None] = {}

    def fitted(rows: Mask) -> Fit | None:
        key = rows.tobytes()
        if key not in known:
            known[key] = _refitted(table.select(rows), refit)
        return known[key]

    def below(top: int, part: _Part) -> Fit | None:
        lower = blocks < top
        return fitted(lower) or fitted(lower | part.others)

    found = []
    for part in _parts(table, law, methods):
        own = part.mask & steps
        tops = [int(top) for top in np.unique(blocks[own]) if top >= LEAST_LEVELS][-rollouts:]
        tried = [
            _roll_out(
                below(top, part), table, variable, own & (blocks < top), own & (blocks == top)
            )
            for top in tops
        ]
        done = tuple(one for one in tried if one is not None)
        if done:
            largest = float(values[own].max())
            found.append(Misfit(variable, largest, done, part.rows, part.method))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows (n,) of one part of the law, their method if they have a base, and the rows of
    other methods."""

    rows: Rows
    method: str
    mask: Mask
    others: Mask


def _parts(table: RunTable, law: Law, methods: Sequence[str]) -> Iterator[_Part]:
    """Yield the rows of each part of the law."""
    with_base = table.numbers(D1) > 0 if D1 in table else np.zeros(len(table), dtype=bool)
    for part in law.parts:
        mask = np.ones(len(table), dtype=bool)
        if part.rows != "all":
            mask &= with_base == (part.rows == "reuse")
        if part.method is not None:
            mask &= table.numbers(METHOD_NUMBER) == part.method
        others = np.zeros(len(table), dtype=bool)
        if part.method is not None:
            others = with_base & ~mask
        named = part.rows != "scratch" and law.is_two_stage
        yield _Part(part.rows, methods[(part.method or 1) - 1] if named else "", mask, others)


def _refitted(rows: RunTable, refit: Refit) -> Fit | None:
    """Return the fit to the rows; None where they cannot tell the law."""
    try:
        found = refit(rows)
    except InputError:
        return None
    return None if found.status == "not_identifiable" else found


def _roll_out(
    found: Fit | None, table: RunTable, variable: str, fitted: Mask, held_out: Mask
) -> RollOut | None:
    """Return what a fit misses at the held-out rows of a part; None where it cannot be told.

    `fitted` are the rows of that part that the fit knows.
    """
    if found is None or not fitted.any():
        return None
    rows = table.select(held_out)
    predicted = found.predict(rows)
    missed = np.log(rows.numbers("loss") / predicted)
    if not np.isfinite(missed).all():
        return None
    values = rows.numbers(variable)
    scale = float(np.nan_to_num(found.residual_scale))
    spread = _spread(found, rows, predicted)
    return RollOut(
        level=float(values.max()),
        decades=rms(np.log10(values / table.numbers(variable)[fitted].max())),
        rms_log=rms(missed),
        excess=float(np.sqrt(max(rms(missed) ** 2 - scale**2 - spread**2, 0.0))),
        n_fitted=found.n_rows,
        n_held_out=len(rows),
        spread=spread,
    )


def _spread(found: Fit, rows: RunTable, predicted: Floats) -> float:
    """Return the log sd of the replicates around the fit, root mean square over the rows.

    It is read off the distance that 68 % of them keep, as those at infinity would decide it.
    """
    if not len(found.replicates):
        return 0.0
    with np.errstate(divide="ignore"):
        away = np.abs(np.log(found.predict_replicates(rows) / predicted))
    return rms(np.quantile(np.minimum(away, FARTHEST), WITHIN_ONE_SD, axis=0))
