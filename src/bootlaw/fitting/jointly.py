"""Several methods fitted at once, with one irreducible loss and one law from scratch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.arguments import require_text_or_none
from bootlaw.errors import InputError
from bootlaw.fitting.bootstrap import Replicates
from bootlaw.fitting.diagnostics import diagnose
from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.fit import names_of
from bootlaw.fitting.fitted_rows import earned_misfits
from bootlaw.fitting.flatness import Plateau
from bootlaw.fitting.identifiability import Identifiability
from bootlaw.fitting.joint_rows import joint_rows
from bootlaw.fitting.kernel import MOST_PARAMETERS
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum
from bootlaw.fitting.options import Options
from bootlaw.fitting.outcome import Outcome, as_fit, natural, work_out
from bootlaw.fitting.result import Fit
from bootlaw.fitting.selection import FitRows
from bootlaw.laws import Constrained, Law, SeveralMethods, as_law, constrain, several_methods
from bootlaw.runs import RunTable, read_runs

Numbers = NDArray[np.intp]


def fit_jointly(
    table: Any,
    law: str | Law = "bootstrapped+scratch",
    methods: Sequence[str] = (),
    *,
    where: str | None = None,
    drop_lowest: float = 0.0,
    **options: Any,
) -> dict[str, Fit]:
    """Return method -> `law` fitted to its runs, with E and the scratch part shared by all.

    One objective over the rows of all methods: each method has parameters of its own, called
    ``a3[cpt]`` in `fixed`, `tied`, `bounds`, `priors`, `start` and `profile`, and all have one
    E and, for a law with a part for runs from scratch, one such part. Every fit has the
    replicates of the same simulated tables, row by row, so that two methods can be compared
    replicate by replicate. Objective, residuals and rows of a fit are those of its own method
    and the runs from scratch.

    Parameters
    ----------
    table : a `RunTable`, or anything that `read_runs` takes.
    law : of runs with a base, such as ``bootstrapped+scratch``.
    methods : two or more, with one model, second text and text evaluated on.
    where, drop_lowest : which rows; see `joint_rows`.
    options : those of `bootlaw.fitting.fit`, such as ``bootstrap=1000``.

    Raises
    ------
    InputError
        When the rows or the options make no sense, or the methods have nothing to share.
    """
    started = time.perf_counter()
    require_text_or_none(where=where)
    if isinstance(methods, str):
        raise InputError(f"methods are names in a list, such as ['cpt', 'stack'], not {methods!r}")
    unknown = set(options) - {one.name for one in fields(Options)}
    if unknown:
        raise TypeError(f"fit_jointly() takes no argument {', '.join(sorted(unknown))}")
    asked = Options(**{**options, "profile": names_of(options.get("profile", ()))})
    if any("=" in name for name in asked.profile):
        raise InputError("a forecast is one of a method: profile it in a fit of that method alone")
    several = several_methods(as_law(law), methods)
    constrained = constrain(several.law, asked.fixed, asked.tied)
    if len(constrained.law.names) > MOST_PARAMETERS:
        raise InputError(
            f"{several.law.key} have {len(constrained.law.names)} parameters together, and at "
            f"most {MOST_PARAMETERS} are fitted; fix or tie some, such as a1[{methods[0]}]="
            f"a1[{methods[1]}], or name fewer methods"
        )
    runs = table if isinstance(table, RunTable) else read_runs(table)
    rows = joint_rows(runs, several.single, methods, where=where, drop_lowest=drop_lowest)
    outcome = work_out(rows.together, constrained, asked)
    profiles = outcome.profiles(asked)
    misfits = earned_misfits(outcome, constrained, asked, several.methods)
    fits = {}
    for method in methods:
        view = _view(several, constrained, method)
        fit = _fit(outcome, view, rows.of_method[method], asked)
        own = {n: profiles[j] for n, j in several.names(method).items() if j in profiles}
        earned = tuple(one for one in misfits if one.method in ("", method))
        seconds = time.perf_counter() - started
        fits[method] = replace(fit, profiles=own, misfits=earned, seconds=seconds)
    return fits


@dataclass(frozen=True)
class _View:
    """One method's part of a joint fit.

    Attributes
    ----------
    constrained : its law, with what is fixed and tied within it.
    joint : name in its free law -> name in the joint free law.
    at : positions of its free parameters among the joint ones.
    shared : names of the parameters that all methods share.
    others : the methods beside it.
    """

    constrained: Constrained
    joint: Mapping[str, str]
    at: Numbers
    shared: tuple[str, ...]
    others: tuple[str, ...]


def _view(several: SeveralMethods, constrained: Constrained, method: str) -> _View:
    names = several.names(method)
    own = {joint: name for name, joint in names.items()}
    fixed = {n: constrained.fixed[j] for n, j in names.items() if j in constrained.fixed}
    tied = {
        name: own[constrained.tied[joint]]
        for name, joint in names.items()
        if constrained.tied.get(joint) in own
    }
    single = constrain(several.single, fixed, tied)
    joint = {n: constrained.tied.get(names[n], names[n]) for n in single.law.names}
    return _View(
        single,
        joint,
        np.array([constrained.law.index(joint[n]) for n in single.law.names]),
        tuple(n for n in several.single.names if n in several.shared),
        tuple(other for other in several.methods if other != method),
    )


def _fit(outcome: Outcome, view: _View, rows: FitRows, options: Options) -> Fit:
    evidence = _evidence(outcome, view, rows)
    said = diagnose(evidence, all_themes=options.remarks)
    if options.remarks:
        said = (*said, _remark(view))
    return as_fit(evidence, view.constrained, outcome.noise, outcome.scheme, said)


def _remark(view: _View) -> Diagnostic:
    return Diagnostic(
        "joint_methods",
        f"fitted together with {', '.join(view.others)}, which share {', '.join(view.shared)}: "
        "the fits of all of them have the same values and replicates of these",
        "info",
        len(view.others) + 1,
    )


def _evidence(outcome: Outcome, view: _View, rows: FitRows) -> Evidence:
    """Return what the joint fit says of one method, in its own parameters and on its own rows."""
    joint, law, at = outcome.evidence, view.constrained.law, view.at
    objective = _objective(joint, view, rows)
    optimum = _optimum(joint.optimum, objective, at)
    refits = joint.bootstrap
    bounds = {n: joint.bounds[j] for n, j in view.joint.items() if j in joint.bounds}
    return replace(
        joint,
        law=law,
        rows=rows,
        objective=objective,
        optimum=optimum,
        values=natural(law, optimum.u),
        identifiability=_identifiability(joint.identifiability, at),
        bootstrap=None if refits is None else Replicates(refits.u[:, at], refits.share_converged),
        replicates=joint.replicates[:, at],
        plateau=_plateau(joint, view),
        bounds=bounds,
    )


def _objective(joint: Evidence, view: _View, rows: FitRows) -> Objective:
    """Return the joint objective's part on the rows of one method, without a prior."""
    whole, law = joint.objective, view.constrained.law
    kept = np.isin(joint.rows.table.row_numbers, rows.table.row_numbers)
    lower, upper = whole.bounds
    own = Objective.of(
        law,
        {name: rows.table.numbers(name) for name in law.variables},
        rows.table.numbers("loss"),
        whole.delta,
        loss=whole.loss,
        scale=whole.scale,
        weights=whole.weights[kept],
    )
    return own.with_bounds(lower[view.at], upper[view.at])


def _optimum(joint: Optimum, objective: Objective, at: Numbers) -> Optimum:
    return replace(
        joint,
        u=joint.u[at],
        objective=float(objective.value(joint.u[None, at])[0]),
        at_bound=joint.at_bound[at],
        face_objective=float(objective.value(joint.face_u[None, at])[0]),
        face_u=joint.face_u[at],
        drift=None if joint.drift is None else joint.drift[at],
    )


def _identifiability(joint: Identifiability, at: Numbers) -> Identifiability:
    return replace(
        joint,
        correlation=joint.correlation[np.ix_(at, at)],
        standard_errors=joint.standard_errors[at],
    )


def _plateau(joint: Evidence, view: _View) -> Plateau | None:
    if joint.plateau is None:
        return None
    own = {joint: name for name, joint in view.joint.items()}
    moving = tuple(own[name] for name in joint.plateau.moving if name in own)
    if not moving:
        return None
    return replace(
        joint.plateau,
        lower=joint.plateau.lower[view.at],
        upper=joint.plateau.upper[view.at],
        moving=moving,
    )
