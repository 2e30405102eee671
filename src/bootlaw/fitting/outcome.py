"""From rows and options to what a fit says: the optimum, its replicates, and the `Fit` of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw import __version__
from bootlaw.errors import InputError
from bootlaw.fitting.blocks import refit_in_blocks
from bootlaw.fitting.bootstrap import Replicates, choose_scheme
from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.flatness import find_plateau
from bootlaw.fitting.identifiability import identify
from bootlaw.fitting.objective import Objective, huber
from bootlaw.fitting.options import DELTA, Options
from bootlaw.fitting.problem import Solved, solve
from bootlaw.fitting.profile_parameters import profile_parameters
from bootlaw.fitting.result import Estimate, Fit, Status
from bootlaw.fitting.selection import FitRows
from bootlaw.fitting.trunk_noise import trunk_noise
from bootlaw.fitting.trunks import trunk_numbers
from bootlaw.laws import Constrained, Law
from bootlaw.laws.names import D1, N

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the rows say of a law.

    Attributes
    ----------
    evidence : the optimum and all that is known of it, in the parameters that were fitted.
    scheme : how tables were resampled.
    noise : standard deviation of a new run's log residual; see `Fit.residual_scale`.
    trunks : (n,) numbers of the rows' trunks, None where the table does not tell.
    """

    evidence: Evidence
    solved: Solved
    scheme: str
    noise: float
    trunks: NDArray[np.intp] | None

    @property
    def status(self) -> Status:
        """The status of the fit that this adds up to."""
        return _status(self.evidence)

    def profiles(self, options: Options) -> dict[str, tuple[float, float]]:
        """Return the profile intervals asked for; none where there is no one optimum."""
        if not _usable(self.evidence):
            return {}
        return profile_parameters(self.solved, self.trunks, options)


def work_out(rows: FitRows, constrained: Constrained, options: Options) -> Outcome:
    """Return the optimum, whether the rows determine it, and its replicates."""
    law = constrained.law
    solved = solve(rows.table, constrained, "loss", options)
    objective, optimum = solved.objective, solved.optimum
    trunks = trunk_numbers(rows.table)
    spare = int((objective.weights > 0).sum()) - len(law.parameters)
    scheme = choose_scheme(options.resample, trunks, spare)
    identifiability = identify(objective, optimum, 0.0 if np.isnan(solved.scale) else solved.scale)
    refits = None
    usable = optimum.verified and identifiability.reason is None
    # Without a row to spare the residuals are 0 whatever the noise: no interval follows.
    if options.bootstrap and spare > 0 and (usable or options.remarks):
        refits = refit_in_blocks(
            objective, optimum, scheme, trunks, options.bootstrap, options.seed
        )
    noise = solved.scale
    if scheme == "random-effects":
        noise = trunk_noise(objective, optimum.u, trunks).new_run_scale(options.level)
    evidence = Evidence(
        law=law,
        rows=rows,
        objective=objective,
        scale=solved.scale,
        optimum=optimum,
        values=natural(law, optimum.u),
        identifiability=identifiability,
        plateau=find_plateau(objective, optimum) if identifiability.reason is None else None,
        delta=objective.delta,
        bootstrap=refits,
        replicates=_replicates(law, refits),
        level=options.level,
        n_trunks=int(trunks.max()) + 1 if _by_trunks(scheme) and trunks is not None else None,
        trunks_known=trunks is not None,
        bounds={
            name: (-np.inf if low is None else low, np.inf if high is None else high)
            for name, (low, high) in options.bounds.items()
        },
        noise=noise,
    )
    return Outcome(evidence, solved, scheme, noise, trunks)


def _usable(evidence: Evidence) -> bool:
    """Return whether there is one optimum that other fits can be compared with."""
    return evidence.optimum.verified and evidence.identifiability.reason is None


def _by_trunks(scheme: str) -> bool:
    """Return whether the scheme draws whole trunks, of which a few are too few."""
    return scheme in ("trunks", "wild")


def as_fit(
    evidence: Evidence,
    constrained: Constrained,
    scale: float,
    scheme: str,
    diagnostics: tuple[Diagnostic, ...],
) -> Fit:
    """Return the fit that the evidence adds up to, in all parameters of the law as declared."""
    rows, objective = evidence.rows, evidence.objective
    residuals = objective.residuals(evidence.optimum.u)
    return Fit(
        law=constrained.full,
        values=constrained.expand(evidence.values),
        estimates=_estimates(evidence, constrained),
        replicates=constrained.expand(evidence.replicates),
        residual_scale=scale,
        objective=evidence.optimum.objective,
        objective_standard=_standard(objective, evidence.optimum.u),
        delta=objective.delta,
        loss=objective.loss,
        scale=objective.scale,
        fixed=dict(constrained.fixed),
        tied=dict(constrained.tied),
        level=evidence.level,
        rms_log=float(np.sqrt(np.mean(residuals**2))),
        n_rows=len(rows.table),
        n_dropped=rows.n_dropped,
        status=_status(evidence),
        diagnostics=diagnostics,
        ranges=_ranges(rows, constrained.full),
        method=rows.method,
        resample=scheme,
        rows_used=tuple(int(number) for number in rows.table.row_numbers),
        source=rows.table.source,
        profiles={},
        seconds=0.0,
        version=__version__,
        eval_data=_text_of(rows),
    )


def _text_of(rows: FitRows) -> str:
    """Return the held-out text of the rows, nothing where they have several or none."""
    texts = set(rows.table.text("eval_data")) if "eval_data" in rows.table else set()
    return str(texts.pop()) if len(texts) == 1 else ""


def _standard(objective: Objective, u: Floats) -> float:
    """Return the sum of Huber losses at delta 1e-3 with weight 1, whatever was minimised."""
    return float(huber(objective.residuals(u), DELTA).sum())


def _status(evidence: Evidence) -> Status:
    if evidence.identifiability.reason is not None:
        return "not_identifiable"
    if evidence.plateau is not None and evidence.plateau.hopeless:
        return "not_identifiable"
    return "converged" if evidence.optimum.verified else "not_converged"


def _estimates(evidence: Evidence, constrained: Constrained) -> dict[str, Estimate]:
    estimates = {}
    for parameter in constrained.full.parameters:
        name = constrained.tied.get(parameter.name, parameter.name)
        if name in constrained.fixed:
            value = constrained.fixed[name]
            estimates[parameter.name] = Estimate(value, value, value, parameter.unit)
            continue
        lower, upper = evidence.interval(name) if evidence.bootstrap else (None, None)
        estimates[parameter.name] = Estimate(evidence.value(name), lower, upper, parameter.unit)
    return estimates


def natural(law: Law, u: Floats) -> Floats:
    """Return natural parameters; a coefficient at infinity is kept at the largest float."""
    return law.from_internal(np.where(law.logged, np.clip(u, -700.0, 700.0), u))


def _replicates(law: Law, refits: Replicates | None) -> Floats:
    return np.zeros((0, len(law.parameters))) if refits is None else natural(law, refits.u)


def _ranges(rows: FitRows, law: Law) -> dict[str, tuple[float, float]]:
    """Return the ranges of the law's variables, and of the size also where the law reads none."""
    ranges = {}
    for name in dict.fromkeys((*law.variables, *_sizes(rows))):
        values = rows.table.numbers(name)
        if name == D1:
            values = values[values > 0]
        if not values.size:
            continue
        ranges[name] = (float(values.min()), float(values.max()))
    return ranges


def _sizes(rows: FitRows) -> tuple[str, ...]:
    """Return the column of the model's size where every row has one: plans need it for costs."""
    if N not in rows.table:
        return ()
    try:
        sized = bool((rows.table.numbers(N) > 0).all())
    except InputError:
        return ()
    return (N,) if sized else ()
