"""What a reader of a fit should know, in words, each with a number and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.identifiability import distinct_levels
from bootlaw.fitting.noise import NOISE_CHECKS
from bootlaw.laws.features import D1, D2

Floats = NDArray[np.float64]

HIGH_CORRELATION = 0.95

HARMLESS_EPOCHS = 4.0
"""Up to four epochs repeated tokens are almost as good as new ones (arXiv 2305.16264)."""


def diagnose(evidence: Evidence) -> tuple[Diagnostic, ...]:
    """Return all remarks that apply, the serious ones first."""
    found = [d for check in _CHECKS if (d := check(evidence)) is not None]
    found += [d for column in _MIXED if (d := _mixed(evidence, column)) is not None]
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda d: order[d.severity]))


def _not_identifiable(e: Evidence) -> Diagnostic | None:
    if e.identifiability.reason is None:
        return None
    return Diagnostic("not_identifiable", e.identifiability.reason, "error")


def _not_converged(e: Evidence) -> Diagnostic | None:
    if e.optimum.verified or e.identifiability.reason is not None:
        return None
    return Diagnostic(
        "not_converged",
        f"the optimum could not be verified: scaled gradient {e.optimum.scaled_gradient:.1e}, "
        f"{e.optimum.n_agreeing} of {e.optimum.n_starts} starts agree; try a larger --delta, "
        "or look for rows that do not belong with --where",
        "error",
    )


def _rows_dropped(e: Evidence) -> Diagnostic | None:
    if not e.rows.n_dropped:
        return None
    why = "; ".join(f"{count} {reason}" for reason, count in e.rows.reasons.items())
    return Diagnostic(
        "rows_dropped",
        f"{e.rows.n_dropped} rows left out ({why}); {len(e.rows.table)} used",
        "info",
    )


def _constant_is_open(e: Evidence) -> bool:
    """Return whether E lies on a plateau, so that its value here is an arbitrary pick."""
    return e.plateau is not None and e.law.irreducible in e.plateau.moving


def _at_bound(e: Evidence) -> Diagnostic | None:
    if not e.optimum.at_zero or _constant_is_open(e):
        return None
    return Diagnostic(
        "at_bound",
        "E lies on its bound 0: the losses show no floor, so predictions far beyond the data are "
        "too low; add runs with more tokens",
        "warning",
    )


def _e_not_identified(e: Evidence) -> Diagnostic | None:
    freedom = max(len(e.rows.table) - e.values.size, 1)
    best = max(e.optimum.objective, 1e-300)
    gain = freedom * (e.optimum.face_objective - e.optimum.objective) / best
    touches = e.bootstrap is not None and e.interval(e.law.irreducible)[0] <= 1e-6
    if e.optimum.at_zero or _constant_is_open(e) or (gain >= 2.0 and not touches):
        return None
    low = f"; its interval reaches down to {e.interval('E')[0]:.3g}" if touches else ""
    return Diagnostic(
        "e_not_identified",
        f"E = {e.value('E'):.4g} cannot be told from 0 (leaving it out costs {gain:.2g} units of "
        f"noise{low}): extrapolations rest on it; add runs with more tokens",
        "warning",
    )


def _a3_against_e(e: Evidence) -> Diagnostic | None:
    if "a3" not in e.law.names:
        return None
    i, j = e.law.index("a3"), e.law.index(e.law.irreducible)
    if e.bootstrap is not None:
        correlation = _rank_correlation(e.replicates[:, i], e.replicates[:, j])
    else:
        correlation = float(e.identifiability.correlation[i, j])
    if not abs(correlation) > HIGH_CORRELATION:
        return None
    return Diagnostic(
        "a3_against_e",
        f"a3 and E trade off (correlation {correlation:.3f}): a3 = {e.value('a3'):.3g} holds for "
        f"E = {e.value('E'):.4g} and differs for another; add runs with more tokens in both stages",
        "warning",
    )


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation: replicates have long tails that would hide it."""
    if not (one.std() and other.std()):
        return 0.0
    ranks = [np.argsort(np.argsort(values, kind="stable")) for values in (one, other)]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _few_levels(e: Evidence) -> Diagnostic | None:
    for name in (D1, D2):
        if name not in e.law.variables:
            continue
        values = e.rows.table.numbers(name)
        n_levels = distinct_levels(values[values > 0])
        if n_levels < 3:
            return Diagnostic(
                "few_levels",
                f"{name} has {n_levels} level{'s' * (n_levels != 1)}: its exponent cannot be "
                "checked against the law's form; three levels or more, a factor of 4 apart, can",
                "warning",
            )
    return None


def _collinear_design(e: Evidence) -> Diagnostic | None:
    if D1 not in e.law.variables:
        return None
    stage1, stage2 = e.rows.table.numbers(D1), e.rows.table.numbers(D2)
    with_base = stage1 > 0
    logs = np.log([stage1[with_base], stage2[with_base]])
    if logs.shape[1] < 2 or not logs.std(axis=1).all():
        return None
    correlation = float(np.asarray(np.corrcoef(logs))[0, 1])
    if abs(correlation) <= HIGH_CORRELATION:
        return None
    return Diagnostic(
        "collinear_design",
        f"ln D1 and ln D2 are collinear (correlation {correlation:.3f}), so the exponents of the "
        "two stages cannot be separated; add runs off the line, such as large D1 with small D2",
        "warning",
    )


def _exponent_sign_change(e: Evidence) -> Diagnostic | None:
    if not {"a2", "a3"} <= set(e.law.names):
        return None
    stage1 = e.rows.table.numbers(D1)
    ends = np.array([stage1[stage1 > 0].min(), stage1.max()])
    first, last = e.value("a2") - e.value("a3") * np.log(ends)
    if first * last > 0:
        return None
    return Diagnostic(
        "exponent_sign_change",
        f"the stage-2 exponent a2 - a3 ln D1 goes from {first:.3g} to {last:.3g} inside the data "
        "(0 means that more tokens do not help); the law fails there, compare it with its rivals",
        "warning",
    )


def _unexpected_sign(e: Evidence) -> Diagnostic | None:
    claimed = [p.name for p in e.law.parameters if p.sign > 0 and p.kind == "exponent"]
    wrong = [name for name in claimed if e.value(name) < 0]
    if not wrong:
        return None
    listed = ", ".join(f"{name} = {e.value(name):.3g}" for name in wrong)
    return Diagnostic(
        "unexpected_sign",
        f"{listed}: negative, where the law's source claims positive; check its interval "
        "(--bootstrap 1000) before reading meaning into it",
        "warning",
    )


def _repeated_data(e: Evidence) -> Diagnostic | None:
    table = e.rows.table
    if "unique_tokens" not in table:
        return None
    unique = table.numbers("unique_tokens")
    epochs = table.numbers(D2)[unique > 0] / unique[unique > 0]
    if not epochs.size or epochs.max() <= 1.0:
        return None
    return Diagnostic(
        "repeated_data",
        f"{int((epochs > 1).sum())} rows repeat their stage-2 text, up to {epochs.max():.3g} "
        "times; repeated tokens are worth less than new ones: leave them out with --where",
        "warning" if epochs.max() > HARMLESS_EPOCHS else "info",
    )


_CHECKS: tuple[Callable[[Evidence], Diagnostic | None], ...] = (
    _not_identifiable,
    _not_converged,
    _at_bound,
    _e_not_identified,
    _a3_against_e,
    _few_levels,
    _collinear_design,
    _exponent_sign_change,
    _unexpected_sign,
    _repeated_data,
    *NOISE_CHECKS,
    _rows_dropped,
)

_MIXED: Mapping[str, tuple[str, str]] = {
    "schedule_state": (
        "mixed_schedule",
        "a run that is still at a high learning rate has a higher loss than the same run cooled",
    ),
    "tokenizer": (
        "mixed_tokenizers",
        "nats per token of different tokenizers are different units",
    ),
    "params": (
        "mixed_params",
        "the law has no term for the size of the model",
    ),
}


def _mixed(e: Evidence, column: str) -> Diagnostic | None:
    values = e.filled(column)
    if len(values) < 2:
        return None
    code, why = _MIXED[column]
    shown = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values[:5])
    example = f"{values[0]:g}" if isinstance(values[0], float) else f"'{values[0]}'"
    return Diagnostic(
        code,
        f"{len(values)} values of {column} ({shown}) in one fit: {why}; choose one with "
        f'--where "{column} == {example}"',
        "warning",
    )
