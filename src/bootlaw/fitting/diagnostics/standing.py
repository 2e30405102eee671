"""Whether the fit stands at all: not identifiable, not converged, flat, rows left out."""

from __future__ import annotations

from collections.abc import Iterator

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.replicas import replicate_spread

FEW_SPARE = 3
"""Rows beyond the number of parameters below which the scale of the noise is a guess: with two
degrees of freedom its 95 % interval spans a factor of 12."""


def _not_identifiable(e: Evidence) -> Iterator[Diagnostic]:
    said = e.identifiability
    if said.reason is not None:
        yield Diagnostic("not_identifiable", said.reason, "error", said.weakest)


def _not_converged(e: Evidence) -> Iterator[Diagnostic]:
    if e.optimum.verified or e.identifiability.reason is not None:
        return
    yield Diagnostic(
        "not_converged",
        f"the optimum could not be verified: scaled gradient {e.optimum.scaled_gradient:.1e}, "
        f"{e.optimum.n_agreeing} of {e.optimum.n_starts} starts agree; try a larger --delta, "
        "or look for rows that do not belong with --where",
        "error",
        e.optimum.scaled_gradient,
    )


def _flat_optimum(e: Evidence) -> Iterator[Diagnostic]:
    if e.plateau is None:
        return
    name = e.plateau.moving[0]
    at = e.law.index(name)
    low, high = float(e.plateau.lower[at]), float(e.plateau.upper[at])
    others = " and ".join(e.plateau.moving[1:])
    spread = replicate_spread(e.rows.table, e.law.variables)
    if spread is not None and spread > e.delta:
        cause = "replicates of one cell differ by more than delta; average the seeds, or "
        example = f"to their spread, {spread:.1g}"
    else:
        cause, example = "most rows lie further than delta from the curve; ", "to 0.01"
    yield Diagnostic(
        "flat_optimum",
        f"{name} is undetermined between {low:.4g} and {high:.4g}"
        + (f" ({others} with it)" if others else "")
        + f", all fit equally well: {cause}raise --delta (say {example})",
        "error" if e.plateau.hopeless else "warning",
        high - low,
    )


def _few_rows(e: Evidence) -> Iterator[Diagnostic]:
    rows = int((e.objective.weights > 0).sum())
    params = e.values.size - len(e.fixed)
    spare = rows - params
    if not e.identifiable or spare >= FEW_SPARE:
        return
    left = (
        f"leave {spare} to judge it by"
        if spare
        else "are met exactly, whatever their noise, so that no interval follows"
    )
    yield Diagnostic(
        "few_rows",
        f"{rows} rows for {params} parameters {left}: neither misfit nor errors can be told; add "
        f"{FEW_SPARE - spare} runs or more, or fit a law with fewer parameters",
        "warning",
        spare,
    )


def _rows_dropped(e: Evidence) -> Iterator[Diagnostic]:
    if not e.rows.n_dropped:
        return
    why = "; ".join(f"{count} {reason}" for reason, count in e.rows.reasons.items())
    yield Diagnostic(
        "rows_dropped",
        f"{e.rows.n_dropped} rows left out ({why}); {len(e.rows.table)} used",
        "info",
        e.rows.n_dropped,
    )


CHECKS = (_not_identifiable, _not_converged, _flat_optimum, _few_rows, _rows_dropped)
