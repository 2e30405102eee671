"""The contest of laws: fitted to the same rows, scored on the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from bootlaw.arguments import as_items, require_text, require_text_or_none
from bootlaw.errors import BootlawError, InputError, UndeterminedError
from bootlaw.fitting.contestants import Field, named_field, whole_field
from bootlaw.fitting.diagnostics import table_remarks
from bootlaw.fitting.holdouts import (
    EXPANDING,
    Split,
    clusters,
    column_along,
    require_holdout,
    splits,
)
from bootlaw.fitting.information import aicc, huber_log_likelihood
from bootlaw.fitting.options import Options as FitOptions
from bootlaw.fitting.result import Fit
from bootlaw.fitting.scoreboard import Comparison, ComparisonRow
from bootlaw.fitting.scores import Fits, Options, Residuals, Score
from bootlaw.fitting.several import Comparisons, Skipped
from bootlaw.fitting.stacking import held_out_errors, stacking_weights
from bootlaw.laws import Law
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]


@overload
def compare(
    table: Any,
    laws: Sequence[str | Law] | None = None,
    *,
    method: str | None = None,
    where: str | None = None,
    holdout: str = "lowest-loss",
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> Comparison: ...


@overload
def compare(
    table: Any,
    laws: Sequence[str | Law] | None = None,
    *,
    method: str | None = None,
    where: str | None = None,
    holdout: list[str] | tuple[str, ...],
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> Comparisons: ...


def compare(
    table: Any,
    laws: Sequence[str | Law] | None = None,
    *,
    method: str | None = None,
    where: str | None = None,
    holdout: str | Sequence[str] = "lowest-loss",
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> Comparison | Comparisons:
    """Return the scores of the laws, smallest held-out error first.

    Every law is fitted to the same rows, those of one method with D1 > 0 and D2 > 0 (in a table
    without such rows, those from scratch), less the held-out ones, and scored on the same
    held-out rows. A law that those rows cannot identify is listed last, with its status.

    Parameters
    ----------
    table : whatever `bootlaw.runs.read_runs` takes, or a RunTable.
    laws : keys of laws, or laws; if None all laws of the catalogue that apply to the table, the
        others being listed in `Comparison.not_applicable` with the reason. ``"all"`` among the
        keys stands for these, so that ``["all", law]`` adds a law of one's own.
    method, where : which rows to use.
    holdout : ``lowest-loss`` (the lowest tenth), ``largest-d1``, ``largest-d2``, ``largest-n``
        (every row at the largest level), ``expanding`` (every level from the fourth on, from the
        levels below; ``expanding:COLUMN`` along a column of choice) or ``kfold`` (five folds by
        trunk), residuals pooled over the fits. Several, as a list, share the fits that they have
        in common and give a `Comparisons`.
    delta : Huber threshold of the fits, in log loss; ``auto`` takes each fit's from its own
        residuals (1.345 robust standard deviations), so that no law is judged by the noise of
        another.
    bootstrap : replicates per fit, for the coverage of prediction intervals and for those of an
        ensemble forecast; 0 leaves both out.
    seed : of the bootstrap and of the folds.

    Raises
    ------
    InputError
        When a law, a column or an option makes no sense here.
    UndeterminedError
        When holding out leaves nothing to fit, with every hold-out where several are named.
    """
    names = holdout_names(holdout)
    require_text_or_none(method=method, where=where)
    known = FitOptions(delta=delta, bootstrap=bootstrap, seed=seed)
    if isinstance(laws, str):
        raise InputError(f"laws are keys in a list, such as [{laws!r}], not {laws!r}")
    if laws is not None:
        laws = as_items("laws", laws)
    if not names:
        raise InputError("no hold-out was named; name one, such as lowest-loss")
    runs = table if isinstance(table, RunTable) else read_runs(table)
    field = (
        whole_field(runs, method, where) if laws is None else named_field(runs, laws, method, where)
    )
    fits = Fits(field.rows, Options(known.delta, known.bootstrap, known.seed))
    if isinstance(holdout, str):
        return _comparison(field, fits, holdout)
    return contest_all(field, fits, names)


def holdout_names(holdout: object) -> tuple[str, ...]:
    """Return the hold-outs named, each once; InputError for what is no name of one."""
    listed = (holdout,) if isinstance(holdout, str) else holdout
    if not isinstance(listed, tuple | list):
        raise InputError(f"holdout is a name or a list of them, not {holdout!r:.100}")
    for name in listed:
        require_text(holdout=name)
        require_holdout(name)
    return tuple(dict.fromkeys(listed))


def contest_all(field: Field, fits: Fits, holdouts: Sequence[str]) -> Comparisons:
    """Return the contest on each hold-out that the rows allow.

    Raises
    ------
    BootlawError
        The complaint of the first hold-out, where the rows allow none.
    """
    found: list[Comparison] = []
    refused: list[tuple[str, BootlawError]] = []
    for name in holdouts:
        try:
            found.append(_comparison(field, fits, name))
        except (InputError, UndeterminedError) as error:
            refused.append((name, error))
    if not found:
        raise refused[0][1]
    source = f"{field.rows.source}: "
    skipped = tuple(Skipped(name, str(why).removeprefix(source)) for name, why in refused)
    return Comparisons(tuple(found), skipped)


def contest_splits(field: Field, holdout: str, seed: int) -> tuple[Split, ...]:
    """Return the fits of a hold-out, each of at least one row more than a law has parameters."""
    most = max((len(law.parameters) for law in field.laws), default=0)
    return splits(field.rows, holdout, seed=seed, least_rows=most + 1)


def _comparison(field: Field, fits: Fits, holdout: str) -> Comparison:
    rows = field.rows
    parts = contest_splits(field, holdout, fits.options.seed)
    scores = [fits.score(law, parts) for law in field.laws]
    return Comparison(
        holdout=holdout,
        rows=_ranked(scores, pooled_clusters(rows, parts)),
        n_in=min(int(part.fitted.sum()) for part in parts),
        n_out=sum(int(part.held_out.sum()) for part in parts),
        method=field.method,
        n_folds=len(parts),
        along=column_along(rows, holdout) if holdout.startswith(EXPANDING) else None,
        not_applicable=field.not_applicable,
        fits={score.law.key: score.whole for score in scores},
        contest=fits,
        constants=_constants(rows),
        remarks=_remarks(field),
    )


def _remarks(field: Field) -> tuple[str, ...]:
    """Return what is odd about the rows, of the columns that most laws read."""
    if not field.laws:
        return ()
    law = max(field.laws, key=lambda law: len(law.variables))
    return tuple(remark.message for remark in table_remarks(field.rows, law))


def pooled_clusters(rows: RunTable, parts: Sequence[Split]) -> NDArray[np.intp]:
    """Return the cluster of each held-out row, in the order of the pooled residuals."""
    cluster = clusters(rows)
    return np.concatenate([cluster[part.held_out] for part in parts])


def _constants(rows: RunTable) -> dict[str, float]:
    """Return the columns of numbers that have one value in all rows."""
    numbers = {n: v for n, v in rows.columns.items() if v.dtype != object and v.size}
    return {name: float(values[0]) for name, values in numbers.items() if np.ptp(values) == 0}


def _ranked(scores: Sequence[Score], cluster: NDArray[np.intp]) -> tuple[ComparisonRow, ...]:
    """Return the rows of the scoreboard; laws without a fit come last, in the order given."""
    fitted = [(score, score.residuals) for score in scores if score.residuals is not None]
    lost = [_lost(score) for score in scores if score.residuals is None]
    if not fitted:
        return tuple(lost)
    held_out = np.stack([residuals.held_out for _, residuals in fitted], axis=1)
    weights = stacking_weights(held_out)
    # The law that follows the runs most closely knows their noise best.
    noise = min(residuals.noise for _, residuals in fitted)
    errors = held_out_errors(held_out, cluster, noise)
    found = []
    for at in np.argsort(errors.rms, kind="stable"):
        score, residuals = fitted[at]
        found.append(
            ComparisonRow(
                **_common(score),
                rms_log_in=_rms(residuals.fitted),
                rms_log_out=float(errors.rms[at]),
                coverage90_out=_coverage(residuals),
                weight=float(weights[at]),
                tie=bool(errors.ties[at]) and len(fitted) > 1,
                rms_log_out_se=_known(errors.rms_se[at]),
                behind=float(errors.behind[at]),
                behind_se=_known(errors.behind_se[at]),
            )
        )
    return (*found, *lost)


def _lost(score: Score) -> ComparisonRow:
    return ComparisonRow(
        **_common(score),
        rms_log_in=None,
        rms_log_out=None,
        coverage90_out=None,
        weight=None,
        tie=False,
    )


def _common(score: Score) -> dict[str, Any]:
    """Return what a law has whether or not it could be fitted without the held-out rows."""
    known = score.whole.status != "not_identifiable"
    return {
        "law": score.law.key,
        "n_params": len(score.law.parameters),
        "status": score.status,
        "reason": score.reason,
        "rms_log_all": score.whole.rms_log if known else None,
        "aicc": _aicc(score.whole) if known else None,
    }


def _aicc(fit: Fit) -> float | None:
    likelihood = huber_log_likelihood(fit.objective, fit.n_rows, fit.delta)
    return aicc(likelihood, len(fit.law.parameters), fit.n_rows)


def _coverage(residuals: Residuals) -> float | None:
    return None if residuals.covered is None else float(residuals.covered.mean())


def _rms(residuals: Floats) -> float:
    return float(np.sqrt(np.mean(residuals**2)))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
