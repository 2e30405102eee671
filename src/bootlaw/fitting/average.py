"""Several laws fitted to one table, to be asked together instead of one that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError, UndeterminedError
from bootlaw.fitting.compare import compare, holdout_names
from bootlaw.fitting.contestants import whole_field
from bootlaw.fitting.fit import fit as fit_law
from bootlaw.fitting.levels import SAME_LEVEL
from bootlaw.fitting.result import Fit
from bootlaw.fitting.scoreboard import Comparison
from bootlaw.fitting.several import Comparisons
from bootlaw.fitting.stacking import MEANINGLESS_RMS
from bootlaw.laws import Law, as_law, with_scratch
from bootlaw.laws.average import average_law
from bootlaw.laws.names import D1, D2, N
from bootlaw.runs import RunTable, read_runs

Floats = NDArray[np.float64]

HOLDOUTS = ("largest-d1", "largest-d2")
"""By what laws are weighed unless somebody says: plans reach beyond the runs in both."""

REJECTED = 2.0
"""A law takes no part from whose curve the fitted rows lie so many times as far (RMS) as from that
of the best law. In simulated worlds (docs/regret.md; chosen on others than are shown) decisions
by such averages cost two thirds of what those by all laws did, at 3 nine tenths, at 1.5 as much."""


@dataclass(frozen=True, eq=False)
class LawAverage:
    """Laws fitted to the same rows, each with its error on rows that were held out.

    One law that is chosen hides how much the others disagree with it beyond the data. In
    simulated worlds of eight laws, decisions by the average cost a third of those by the main law
    alone (docs/regret.md).

    Attributes
    ----------
    fits : of all rows, with replicates, smallest error first; all of them converged, of one
        method and of one kind (`bootlaw.laws.average.average_law`). A plan has as many
        replicates as the fit with the fewest.
    errors : root mean square log error of each on the held-out rows.
    holdouts : which rows were held out, as `bootlaw.fitting.compare` names them; of several the
        root mean square.
    left_out : law -> why it is no part of the average.
    """

    fits: tuple[Fit, ...]
    errors: tuple[float, ...]
    holdouts: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.fits or len(self.fits) != len(self.errors):
            raise InputError("an average needs at least one fit, and an error for each")
        unusable = [fit.law.key for fit in self.fits if fit.status != "converged"]
        if unusable:
            raise InputError(f"the fit of {unusable[0]} is not converged and cannot be averaged")
        if not all(np.isfinite(error) and error >= 0 for error in self.errors):
            raise InputError("the held-out errors of an average must be finite and not below zero")
        if not self.holdouts:
            raise InputError("an average must say which rows were held out")
        average_law([fit.law for fit in self.fits])
        methods = list(dict.fromkeys(fit.method for fit in self.fits))
        if len(methods) > 1:
            raise InputError(
                f"the fits are of several methods ({', '.join(methods)}); average those of one"
            )
        if list(self.errors) != sorted(self.errors):
            raise InputError("the laws of an average come in the order of their errors")

    @property
    def weights(self) -> Floats:
        """Share (k,) of each law, in proportion to 1 / (error^2 + noise^2); sum 1.

        As independent estimates of known variance are averaged. The noise of single runs, the
        least of the fits' residual scales, keeps a law that happens to meet a few held-out rows
        better than runs repeat from taking all. Stacking weights would fit those rows best, which
        are too few to say how laws err beyond them; in the simulation of docs/regret.md powers
        from 1 to 8 of the error decide alike.
        """
        scales = [fit.residual_scale for fit in self.fits if np.isfinite(fit.residual_scale)]
        noise = max(min(scales, default=0.0), MEANINGLESS_RMS)
        shares = 1.0 / (np.square(self.errors) + noise**2)
        return np.asarray(shares / shares.sum())

    @property
    def best(self) -> Fit:
        """The fit of the law with the smallest error."""
        return self.fits[0]

    @property
    def source(self) -> str:
        """The table that the laws were fitted to."""
        return self.best.source

    @property
    def level(self) -> float:
        """The level of the fits' intervals."""
        return self.best.level

    def to_json(self) -> dict[str, Any]:
        """Return the average as plain data that `from_json` restores exactly."""
        from bootlaw.fitting.average_document import to_document

        return to_document(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LawAverage:
        """Return the average that `to_json` wrote; InputError for any other document."""
        from bootlaw.fitting.average_document import from_document

        return from_document(document)

    def save(self, path: str | Path) -> None:
        """Write the average as a JSON file, in one step."""
        from bootlaw.fitting.document import write_document

        write_document(self.to_json(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> LawAverage:
        """Return the average in a JSON file; InputError where it is not one."""
        from bootlaw.fitting.average_document import load

        found = load(Path(path))
        if isinstance(found, Fit):
            raise InputError(f"{path}: a fit of one law, not an average; read it with Fit.load")
        return found

    def weights_document(self) -> dict[str, Any]:
        """Return what `to_json` does without the fits: laws, errors, weights."""
        from bootlaw.fitting.average_document import weights_document

        return weights_document(self)

    def summary(self) -> str:
        """Return the laws with their errors and weights as text."""
        held = " and ".join(self.holdouts)
        lines = [f"average of {len(self.fits)} laws by their error on {held}"]
        width = max(len(fit.law.key) for fit in self.fits)
        lines += [
            f"  {fit.law.key.ljust(width)}  {error:6.2%}  weight {weight:.2f}"
            for fit, error, weight in zip(self.fits, self.errors, self.weights, strict=True)
        ]
        if self.left_out:
            lines.append(f"  without {', '.join(self.left_out)} (--json says why)")
        return "\n".join(lines)


def average_laws(
    table: Any,
    laws: Sequence[str | Law] | None = None,
    *,
    method: str | None = None,
    where: str | None = None,
    holdout: str | Sequence[str] = HOLDOUTS,
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> LawAverage:
    """Return the laws fitted to a table, each with its weight by held-out error.

    Parameters
    ----------
    table : whatever `bootlaw.runs.read_runs` takes, or a RunTable.
    laws : keys of laws, or laws; by default those of the catalogue that apply and read nothing
        but tokens and, where it varies between the runs, the size of the model. With runs from
        scratch in the table each is fitted with them (``KEY+scratch``).
    method, where, delta, seed : as for `bootlaw.fitting.fit`.
    holdout : by which errors laws are weighed, as for `bootlaw.fitting.compare`; of several those
        that the rows allow, and one alone where fewer than two laws can be fitted in all of them.
    bootstrap : replicates of each law.

    Raises
    ------
    InputError
        When a law, a column or an option makes no sense here.
    UndeterminedError
        When holding out leaves nothing to fit, or no law can be fitted.
    """
    runs = table if isinstance(table, RunTable) else read_runs(table)
    entered = plain_laws(runs, method, where) if laws is None else tuple(laws)
    found = compare(
        runs, entered, method=method, where=where, holdout=holdout_names(holdout),
        delta=delta, bootstrap=0, seed=seed,
    )  # fmt: skip
    return average_of(found, runs, where=where, delta=delta, bootstrap=bootstrap, seed=seed)


def plain_laws(table: RunTable, method: str | None, where: str | None) -> tuple[Law, ...]:
    """Return the laws of the catalogue that apply and read tokens and, if it varies, the size.

    Raises
    ------
    InputError
        When the rows make no sense for any law.
    UndeterminedError
        When no such law applies.
    """
    found = whole_field(table, method, where)
    sizes = found.rows.numbers(N) if N in found.rows else np.zeros(0)
    varies = np.ptp(sizes) > SAME_LEVEL * sizes.max() if sizes.size else False
    read = {N} if varies else set()
    laws = tuple(law for law in found.laws if set(law.variables) - {D1, D2} == read)
    if not laws:
        raise UndeterminedError(
            f"{table.source}: no law of tokens alone, or of tokens and size, applies to these "
            "rows; bootlaw compare says why, and --laws names others"
        )
    return laws


def average_of(
    found: Comparison | Comparisons,
    table: RunTable,
    *,
    where: str | None = None,
    delta: float | Literal["auto"] = 1e-3,
    bootstrap: int = 200,
    seed: int = 0,
) -> LawAverage:
    """Return the average of the laws of a contest that was held on this table.

    Laws that cannot be fitted to all rows, or that miss them by far (`REJECTED`), are left out.

    Parameters
    ----------
    table, where, delta, seed : those of the contest.
    bootstrap : replicates of each law.

    Raises
    ------
    UndeterminedError
        When no law of the contest can be fitted to all rows.
    """
    contests = (found,) if isinstance(found, Comparison) else _telling(found.contests)
    method = contests[0].method
    errors, left_out = _errors(contests)
    joint = _has_scratch_rows(table, where)
    fits: dict[str, Fit] = {}
    for key in errors:
        try:
            law = as_law(key)
            law = with_scratch(law) if joint and law.is_two_stage else law
            fit = fit_law(
                table, law, method=method if law.is_two_stage else None, where=where,
                delta=delta, bootstrap=bootstrap, seed=seed,
            )  # fmt: skip
        except InputError as error:
            left_out[key] = str(error)
            continue
        if fit.status == "converged":
            fits[key] = fit
        else:
            reasons = [d.message for d in fit.diagnostics if d.severity == "error"]
            left_out[key] = "; ".join(reasons) or fit.status.replace("_", " ")
    rejected = _far_from_the_rows(list(fits.values()))
    left_out |= {key: rejected[fit.law.key] for key, fit in fits.items() if fit.law.key in rejected}
    fits = {key: fit for key, fit in fits.items() if fit.law.key not in rejected}
    if not fits:
        why = "; ".join(f"{key}: {reason}" for key, reason in left_out.items())
        raise UndeterminedError(f"{table.source}: no law can be fitted to all rows ({why})")
    order = sorted(fits, key=lambda key: errors[key])
    return LawAverage(
        fits=tuple(fits[key] for key in order),
        errors=tuple(errors[key] for key in order),
        holdouts=tuple(contest.holdout for contest in contests),
        left_out=left_out,
    )


def _telling(contests: Sequence[Comparison]) -> Sequence[Comparison]:
    """Return the contests by which laws are weighed: all, if two laws could be fitted in each.

    Of a small table one hold-out may leave rows for the law with fewest parameters only, however
    badly it fits; then the contest of most laws decides alone.
    """
    scored = [{row.law for row in contest.fitted} for contest in contests]
    if len(set.intersection(*scored)) > 1:
        return contests
    return (contests[max(range(len(contests)), key=lambda at: len(scored[at]))],)


def _far_from_the_rows(fits: Sequence[Fit]) -> dict[str, str]:
    """Return law -> why its own rows speak against it, of those that they do."""
    if not fits:
        return {}
    best = min(fits, key=lambda fit: fit.rms_log)
    least = max(best.rms_log, MEANINGLESS_RMS)
    return {
        fit.law.key: f"the rows lie {fit.rms_log / least:.1f} times as far from it as from "
        f"{best.law.key} (RMS log residual {fit.rms_log:.2%})"
        for fit in fits
        if fit.rms_log > REJECTED * least
    }


def _errors(contests: Sequence[Comparison]) -> tuple[dict[str, float], dict[str, str]]:
    """Return law -> error over the contests, and law -> why it has none."""
    squares: dict[str, list[float]] = {}
    left_out: dict[str, str] = {}
    for contest in contests:
        for row in contest.rows:
            if row.rms_log_out is None or not np.isfinite(row.rms_log_out):
                why = row.reason or row.status.replace("_", " ")
                left_out[row.law] = f"with {contest.holdout} held out: {why}"
            else:
                squares.setdefault(row.law, []).append(row.rms_log_out**2)
    return {
        law: float(np.sqrt(np.mean(values)))
        for law, values in squares.items()
        if law not in left_out
    }, left_out


def _has_scratch_rows(table: RunTable, where: str | None) -> bool:
    kept = table if where is None else table.where(where)
    stage1 = kept.numbers(D1)
    return bool((stage1 == 0).any() and (stage1 > 0).any())
