"""A law with some parameters fixed or tied to others: the same formula with fewer parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.expression import Expression, Number, Symbol, substitute
from bootlaw.laws.law import Law

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constrained:
    """A law, and how its free parameters give all of those of the law it came from.

    Attributes
    ----------
    law : with the free parameters only.
    full : the law as declared.
    fixed : name -> value in natural units.
    tied : name -> name of the parameter that it equals.
    """

    law: Law
    full: Law
    fixed: Mapping[str, float]
    tied: Mapping[str, str]

    def expand(self, free: Floats) -> Floats:
        """Return all parameters (..., p) in natural units for the free ones (..., f)."""
        columns = []
        for name in self.full.names:
            if name in self.fixed:
                columns.append(np.full(free.shape[:-1], self.fixed[name]))
            else:
                columns.append(free[..., self.law.index(self.tied.get(name, name))])
        return np.stack(columns, axis=-1)


def constrain(law: Law, fixed: Mapping[str, float], tied: Mapping[str, str]) -> Constrained:
    """Return `law` with parameters held at values or equal to other parameters.

    Raises
    ------
    InputError
        For names that the law lacks, values outside a parameter's range, chains of ties, ties
        of different kinds, or when no parameter is left.
    """
    _check(law, fixed, tied)
    if not fixed and not tied:
        return Constrained(law, law, {}, {})
    replaced: dict[str, Expression] = {name: Number(float(v)) for name, v in fixed.items()}
    replaced |= {name: Symbol(other) for name, other in tied.items()}
    parts = tuple(replace(p, expression=substitute(p.expression, replaced)) for p in law.parts)
    kept = tuple(p for p in law.parameters if p.name not in replaced)
    if not kept:
        raise InputError(f"every parameter of law {law.key} is fixed; leave one free to fit")
    irreducible = None if law.irreducible in replaced else law.irreducible
    return Constrained(
        replace(law, parameters=kept, parts=parts, irreducible=irreducible),
        law,
        dict(fixed),
        dict(tied),
    )


def _check(law: Law, fixed: Mapping[str, float], tied: Mapping[str, str]) -> None:
    for name, value in fixed.items():
        parameter = law.parameters[law.index(name)]
        positive = parameter.kind == "coefficient"
        if not np.isfinite(value) or value < parameter.lower or (positive and value == 0):
            bound = "above 0" if positive else f"at least {parameter.lower:g}"
            raise InputError(f"{name} = {value:g} cannot be fixed: {name} is finite and {bound}")
    for name, other in tied.items():
        one, two = (law.parameters[law.index(n)] for n in (name, other))
        if name in fixed:
            raise InputError(f"{name} is both fixed and tied to {other}; choose one")
        if other in tied or other in fixed or name == other:
            raise InputError(f"{name} is tied to {other}, which must be a free parameter itself")
        if one.kind != two.kind:
            raise InputError(
                f"{name} is a {one.kind} and {other} a {two.kind}: they cannot be equal; tie "
                "parameters of one kind"
            )
