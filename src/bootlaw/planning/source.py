"""What a plan rests on: a law with one parameter vector, or one per replicate as well.

Fits and published coefficients answer the same questions. They differ in what is known of their
errors: published coefficients come without a covariance, and so without intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError
from bootlaw.fitting import Fit, LawAverage
from bootlaw.fitting.average_document import load as load_fit
from bootlaw.fitting.misfit import Misfit
from bootlaw.fitting.prediction import prediction_interval
from bootlaw.laws import Law, Preset, preset, preset_names
from bootlaw.laws.presets import SizeOf
from bootlaw.planning.paired import Part, paired_loss

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
POINT: Indices = np.zeros(1, dtype=np.intp)
"""The index of the point estimate among the parameter vectors of a source."""

EXTREME = 50.0
"""Absolute log of a replicate's misfit beyond which all are alike: infinities have no gap."""


Shares = tuple[tuple[str, float], ...]
"""Key and weight of each law that an answer rests on, of sum 1; a single law has all of it."""


def shares_document(shares: Shares) -> list[dict[str, Any]]:
    """Return laws and weights as the JSON documents of all answers have them."""
    return [{"law": law, "weight": weight} for law, weight in shares]


@dataclass(frozen=True, eq=False)
class Source:
    """A law and its parameters, with what is known of their errors.

    Attributes
    ----------
    params : (1 + r, p) parameters in natural units, the point estimate first.
    label : how sentences call it.
    ranges : variable -> (least, greatest) fitted value; empty for published coefficients.
    residual_scale : standard deviation of a new run's log residual; NaN where unknown.
    level : of intervals, unless a question says another.
    method : method of the reuse runs (cpt, stack, ...); empty for published coefficients.
    published : whether these are published coefficients, without covariance.
    broken : why no answer may rest on it; None where one may.
    warnings : what a reader of any answer must know.
    origin : the paper that published coefficients are from, arXiv number or the whole source;
        empty for a fit.
    size_of : whose parameters the law's N counts, the final ``model``'s or its ``base``'s.
    misfits : what the law missed when its largest levels were held out; replicates spread by it
        beyond the data.
    eval_data : the held-out text that the losses are of; empty where that is not known.
    members : the laws of an average, see `bootlaw.planning.average`; none of a single law.
    """

    law: Law
    params: Floats
    label: str
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    residual_scale: float = np.nan
    level: float = 0.95
    method: str = ""
    published: bool = False
    broken: str | None = None
    warnings: tuple[str, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    size_of: SizeOf = "model"
    origin: str = ""
    eval_data: str = ""
    members: tuple[Source, ...] = ()

    @property
    def n_replicates(self) -> int:
        """The number of replicates r, without the point estimate."""
        return len(self.params) - 1

    @property
    def has_intervals(self) -> bool:
        """Whether there are replicates and a noise of runs, which an interval needs."""
        return self.n_replicates > 0 and bool(np.isfinite(self.residual_scale))

    def value(self, name: str) -> float:
        """Return a parameter of the point estimate; InputError for a name that the law lacks."""
        return float(self.params[0, self.law.index(name)])

    @property
    def shares(self) -> Shares:
        """Key and weight of each law that answers: of a single law, all of it."""
        return ((self.law.key, 1.0),)

    @property
    def followed(self) -> tuple[Source, ...]:
        """(r,) the law that each replicate follows: of a single law, itself."""
        return (self,) * self.n_replicates

    @property
    def floor(self) -> float | None:
        """The irreducible loss of the point estimate, nats; None where the law has none."""
        name = self.law.irreducible
        return None if name is None else self.value(name)

    def reducible(self, loss: float) -> float:
        """Return the part of a loss that more compute can take away, nats; all without E."""
        return max(loss - (self.floor or 0.0), 0.0)

    def falls(self, which: Indices, tokens_stage1: Floats, params: Floats | None = None) -> Bools:
        """Return (k, n) or (1, 1) whether the loss falls with stage 2.

        That of a product law does up to exp(a2 / a3) stage-1 tokens, where it stops to be one.

        Parameters
        ----------
        which : (k,) the parameter vectors.
        tokens_stage1, params : (k, n) or (1, n).
        """
        from bootlaw.planning.validity import stage2_exponents

        exponents = stage2_exponents(self, which, tokens_stage1, params)
        return np.ones((1, 1), dtype=bool) if exponents is None else exponents > 0

    @cached_property
    def internal(self) -> Floats:
        """(1 + r, p) the parameters as `Law.to_internal` gives them."""
        return self.law.to_internal(self.params)

    def answers(self, part: Part) -> bool:
        """Return whether the law has a formula for runs with a base, or for runs without."""
        if not self.law.is_two_stage:
            return part == "scratch"
        return part == "reuse" or self.law.has_scratch_part

    def loss(self, columns: Mapping[str, ArrayLike], part: Part) -> Floats:
        """Return losses (1 + r, n), nats per token: all parameter vectors at the same n points.

        Parameters
        ----------
        columns : arrays (n,) or scalars for each of the law's variables.
        part : ``reuse`` for runs with a base, ``scratch`` for runs without.
        """
        arrays = np.broadcast_arrays(*(np.atleast_1d(values) for values in columns.values()))
        rows = {
            name: np.asarray(values, dtype=np.float64)[np.newaxis, :]
            for name, values in zip(columns, arrays, strict=True)
        }
        return self.paired_loss(np.arange(len(self.params)), rows, part)

    def paired_loss(self, which: Indices, columns: Mapping[str, Floats], part: Part) -> Floats:
        """Return losses (k, n): the parameter vectors `which` (k,), each at n points of its own.

        Beyond the data a replicate carries a draw of the law's own misfit: one of Student's t
        per variable, times the log sd that hold-outs have shown at that distance.

        Parameters
        ----------
        columns : (k, n) or (1, n) for each of the law's variables.
        """
        losses = paired_loss(self.law, self.internal[which], columns, part)
        for misfit in self.misfits:
            if misfit.covers(part) and misfit.variable in columns:
                draw = self._draws(misfit, part)[which, np.newaxis]
                beyond = draw * misfit.log_sd(columns[misfit.variable])
                losses = losses * np.exp(np.clip(beyond, -EXTREME, EXTREME))
        return losses

    @property
    def noise(self) -> ArrayLike:
        """Standard deviation of a new run's log loss in each replicate: one for all, or (r, 1)."""
        return self.residual_scale

    def interval(
        self, columns: Mapping[str, ArrayLike], part: Part, level: float | None = None
    ) -> tuple[Floats, Floats] | None:
        """Return the ends (n,) between which new runs fall, nats; None where nothing is known.

        The mixture over the replicates of log-normals with the residual scale.
        """
        if not self.has_intervals:
            return None
        return self.ends(self.loss(columns, part), level or self.level)

    def ends(self, losses: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the ends (n,) of `interval` for losses (1 + r, n) that are known already."""
        finite = np.minimum(losses[1:], np.finfo(np.float64).max)
        return prediction_interval(finite, self.noise, level)

    def _draws(self, misfit: Misfit, part: Part) -> Floats:
        """Return (1 + r,) draws of a misfit, 0 for the point estimate."""
        return np.concatenate([[0.0], misfit.draws(self.n_replicates, part)])


AnySource = Source | Fit | LawAverage | Preset | str | Path


def as_source(what: AnySource) -> Source:
    """Return what a plan rests on: a fit, an average of laws, a preset, or the name of one.

    Parameters
    ----------
    what : also the path of a file that ``bootlaw fit --out`` or ``bootlaw compare --out`` wrote.

    Raises
    ------
    InputError
        When a name is neither a preset nor a readable fit or average, or it is something else.
    """
    if not isinstance(what, Source | Fit | LawAverage | Preset | str | Path):
        raise InputError(
            f"{what!r:.60} ({type(what).__name__}) is no fit: give a fit, an average of laws, the "
            "path of one, or the name of published coefficients"
        )
    if isinstance(what, Source):
        return what
    if isinstance(what, Fit):
        return _from_fit(what)
    if isinstance(what, LawAverage):
        return _from_average(what)
    if isinstance(what, Preset):
        return _from_preset(what)
    if str(what) in preset_names():
        return _from_preset(preset(str(what)))
    if isinstance(what, str) and not Path(what).exists() and not what.endswith(".json"):
        preset(what)
    return as_source(load_fit(Path(what)))


def _from_average(average: LawAverage) -> Source:
    from bootlaw.planning.average import average_source

    return average_source(average, [_from_fit(fit) for fit in average.fits])


def _from_fit(fit: Fit) -> Source:
    return Source(
        law=fit.law,
        params=np.vstack([fit.values, fit.replicates]),
        label=f"the {fit.law.key} fit",
        ranges=dict(fit.ranges),
        residual_scale=fit.residual_scale,
        level=fit.level,
        method=fit.method,
        broken=_unusable(fit),
        warnings=tuple(
            f"the {fit.law.key} fit warns ({remark.code}): {remark.message}"
            for remark in fit.diagnostics
            if remark.severity == "warning"
        ),
        misfits=fit.misfits,
        eval_data=fit.eval_data,
    )


def _unusable(fit: Fit) -> str | None:
    """Return why no answer may rest on this fit, None where it may."""
    if fit.status == "converged":
        return None
    why = "; ".join(d.message for d in fit.diagnostics if d.severity == "error")
    state = {
        "not_identifiable": "its data do not determine the parameters",
        "not_converged": "the fit did not converge",
    }[fit.status]
    return f"the {fit.law.key} fit cannot be asked: {state}" + (f" ({why})" if why else "")


def _from_preset(found: Preset) -> Source:
    if found.law.output != "loss":
        raise InputError(
            f"the preset {found.key} predicts {found.law.output}, not the loss; it answers "
            "other questions than this one (see bootlaw laws)"
        )
    note = f": {found.note}" if found.note else ""
    return Source(
        law=found.law,
        params=found.params[np.newaxis],
        label=f"the published coefficients {found.key}",
        published=True,
        size_of=found.size_of,
        origin=found.paper,
        warnings=(
            f"{found.key} is from {found.source}{note}; the range of the runs behind it is not "
            "known here",
        ),
    )
