"""A law as data: named parameters, and a formula for each kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.arguments import as_floats, require_text
from bootlaw.errors import InputError
from bootlaw.laws.expression import Expression, variables
from bootlaw.laws.names import D1, METHOD_NUMBER

Floats = NDArray[np.float64]
Kind = Literal["coefficient", "exponent", "irreducible"]
Rows = Literal["all", "reuse", "scratch"]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a law.

    Attributes
    ----------
    kind : a ``coefficient`` is above 0 and enters by its logarithm; an ``exponent`` is free in
        sign; the ``irreducible`` loss is at least 0.
    sign : the sign that the law's source claims, +1, or 0 where it claims none.
    """

    name: str
    unit: str
    kind: Kind
    meaning: str
    latex: str
    sign: Literal[0, 1] = 1

    @property
    def lower(self) -> float:
        """The lower bound: 0, or minus infinity for an exponent."""
        return -np.inf if self.kind == "exponent" else 0.0


@dataclass(frozen=True)
class Part:
    """The formula of some rows: all, those with a base (reuse), or those without (scratch).

    `method` narrows them to those with that number in the column ``method_number``.
    """

    expression: Expression
    rows: Rows = "all"
    method: int | None = None


@dataclass(frozen=True)
class Definition:
    """A part of a formula that is printed by a name of its own, to keep the formula readable."""

    name: str
    expression: Expression


@dataclass(frozen=True)
class Law:
    """A scaling law: the loss as a formula of columns and parameters.

    Attributes
    ----------
    parameters : in the order in which values are passed and printed.
    parts : one formula for all rows, or one for reuse rows and one for scratch rows.
    irreducible : the name of the additive constant's parameter, None where there is none.
    source : where the form is from.
    single_level : columns of which the law takes one level for given, such as one base's D1.
    reuse_only : whether its rows are runs with a base although the formula does not read D1.
    output : the column that it predicts.
    definitions : names for parts of the formula where it is printed, inner parts first.
    """

    key: str
    title: str
    source: str
    parameters: tuple[Parameter, ...]
    parts: tuple[Part, ...]
    irreducible: str | None = "E"
    single_level: tuple[str, ...] = ()
    reuse_only: bool = False
    output: str = "loss"
    definitions: tuple[Definition, ...] = ()

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The run-table columns that the law needs, in order of appearance."""
        found = [name for part in self.parts for name in variables(part.expression)]
        if self.has_scratch_part:
            found.insert(0, D1)
        found += self.single_level
        if any(part.method is not None for part in self.parts):
            found.append(METHOD_NUMBER)
        return tuple(dict.fromkeys(found))

    @property
    def stem(self) -> str:
        """The key without what says that a term in the size or a scratch part was added."""
        return self.key.removesuffix("+scratch").removesuffix("+size")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def formula(self) -> str:
        """The law in plain text."""
        from bootlaw.laws.text import plain

        return plain(self)

    @property
    def latex(self) -> str:
        """The law in LaTeX, without dollar signs."""
        from bootlaw.laws.text import latex

        return latex(self)

    @property
    def javascript(self) -> str:
        """The law as a JavaScript function of parameters and columns."""
        from bootlaw.laws.javascript import javascript

        return javascript(self)

    @property
    def has_scratch_part(self) -> bool:
        """Whether rows with tokens_stage1 = 0 have a formula of their own."""
        return any(part.rows == "scratch" for part in self.parts)

    @property
    def is_two_stage(self) -> bool:
        """Whether the law is one of runs with a base (and of runs without as well, if joint)."""
        return self.reuse_only or D1 in self.variables

    @cached_property
    def logged(self) -> NDArray[np.bool_]:
        """(p,) True for the parameters that enter by their logarithm."""
        return np.array([parameter.kind == "coefficient" for parameter in self.parameters])

    def index(self, name: str) -> int:
        """Return the position of a parameter; InputError for a name that the law lacks."""
        require_text(name=name)
        if name not in self.names:
            known = ", ".join(self.names)
            raise InputError(f"law {self.key} has no parameter {name!r}; it has {known}")
        return self.names.index(name)

    def to_internal(self, params: ArrayLike) -> Floats:
        """Return parameters (..., p) with coefficients replaced by their logarithms."""
        values = np.asarray(params, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.logged, np.log(np.where(self.logged, values, 1.0)), values)

    def from_internal(self, internal: ArrayLike) -> Floats:
        """Return parameters (..., p) in natural units; the inverse of `to_internal`."""
        values = np.asarray(internal, dtype=np.float64)
        with np.errstate(over="ignore"):
            return np.where(self.logged, np.exp(np.where(self.logged, values, 0.0)), values)

    def loss(self, params: ArrayLike, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return the loss (..., n), nats per token.

        Parameters
        ----------
        params : (..., p) in natural units, in the order of `parameters`.
        columns : arrays (n,) or scalars for each of `variables`; tokens are raw counts.

        Raises
        ------
        InputError
            When a column is missing, or the law has no value at a row.
        """
        from bootlaw.laws.design import Design

        values = self._checked(params)
        return Design(self, columns).loss(self.to_internal(values))

    def jacobian(self, params: ArrayLike, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return d loss / d params (..., n, p), exact; arguments as for `loss`."""
        from bootlaw.laws.design import Design

        natural = self._checked(params)
        slopes = Design(self, columns).loss_and_jacobian(self.to_internal(natural))[1]
        return np.asarray(slopes / np.where(self.logged, natural, 1.0)[..., None, :])

    def _checked(self, params: ArrayLike) -> Floats:
        values = as_floats("params", params)
        if values.ndim == 0 or values.shape[-1] != len(self.parameters):
            raise InputError(
                f"law {self.key} takes {len(self.parameters)} parameters "
                f"({', '.join(self.names)}), but the array has shape {values.shape}"
            )
        return values

    def to_json(self) -> dict[str, Any]:
        """Return what ``bootlaw laws --json`` prints of this law."""
        return {
            "law": self.key,
            "title": self.title,
            "formula": self.formula,
            "latex": self.latex,
            "javascript": self.javascript,
            "source": self.source,
            "variables": list(self.variables),
            "output": self.output,
            "parameters": [
                {
                    "name": p.name,
                    "unit": p.unit,
                    "kind": p.kind,
                    "meaning": p.meaning,
                    "latex": p.latex,
                    "claimed_sign": p.sign,
                }
                for p in self.parameters
            ],
        }
