"""How to fit, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Literal, get_args

import numpy as np

from bootlaw.arguments import require_kind, require_text
from bootlaw.errors import InputError
from bootlaw.fitting.objective import Loss, Scale

Search = Literal["global", "nearby"]

DELTA = 1e-3
"""Huber threshold of the objective in Hoffmann et al., arXiv 2203.15556, appendix D.2."""

LEAST_BOOTSTRAP = 50
"""Refits below which a 95 % percentile interval is the range of the refits or little else."""


@dataclass(frozen=True)
class Options:
    """How to fit.

    Attributes
    ----------
    delta : Huber threshold or Student's scale in log residuals; ``auto`` takes it from the data.
    fixed : name -> value; tied : name -> name; bounds : name -> (low, high), None for open ends;
        priors : name -> (mean, standard deviation). All in natural units.
    start : name -> value, a start to follow besides those derived from the data.
    search : ``global``, or ``nearby`` for a look around `start` only.
    weights, errors : columns of the table: weights of rows, standard errors of the losses.
    profile : parameters that get a profile interval as well.
    remarks : whether all diagnostics are looked for, and replicates made of unusable fits too.
    """

    bootstrap: int = 0
    delta: float | Literal["auto"] = DELTA
    loss: Loss = "huber"
    scale: Scale = "log"
    level: float = 0.95
    resample: str = "auto"
    seed: int = 0
    fixed: Mapping[str, float] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    search: Search = "global"
    weights: str | None = None
    errors: str | None = None
    profile: tuple[str, ...] = ()
    remarks: bool = True

    def __post_init__(self) -> None:
        _require_types(self)
        if self.bootstrap < 0:
            raise InputError(f"bootstrap is a number of refits, 0 or more, not {self.bootstrap}")
        if 0 < self.bootstrap < LEAST_BOOTSTRAP:
            raise InputError(
                f"bootstrap {self.bootstrap} is too few refits for an interval: give 0 for none, "
                f"at least {LEAST_BOOTSTRAP}, or 1000 for intervals to quote"
            )
        if not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed is a whole number of at least 0, not {self.seed!r}")
        if isinstance(self.delta, str) and self.delta != "auto":
            raise InputError(f"delta is a number above 0 or 'auto', not {self.delta!r}")
        if self.delta != "auto" and not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(
                f"delta is a log residual above 0, such as 1e-3, or 'auto', not {self.delta}"
            )
        if not 0 < self.level < 1:
            raise InputError(f"level is a coverage between 0 and 1, such as 0.95, not {self.level}")
        for name, value, known in (
            ("loss", self.loss, get_args(Loss)),
            ("scale", self.scale, get_args(Scale)),
            ("search", self.search, get_args(Search)),
        ):
            if value not in known:
                raise InputError(f"{name} is one of {', '.join(known)}, not {value!r}")
        if self.search == "nearby" and not self.start:
            raise InputError("a search nearby needs a start; give a value of every parameter")
        for name, (low, high) in self.bounds.items():
            if low is not None and high is not None and not low < high:
                raise InputError(f"the bounds of {name} are {low:g} to {high:g}; give low < high")
        for name, (centre, deviation) in self.priors.items():
            if not np.isfinite(centre):
                raise InputError(f"the prior of {name} has mean {centre:g}; it must be finite")
            if not deviation > 0:
                raise InputError(
                    f"the prior of {name} has standard deviation {deviation:g}; it must be above 0"
                )


def _require_types(options: Options) -> None:
    """Raise InputError for an option of another Python type than it takes."""
    refits: object = options.bootstrap
    if not isinstance(refits, Integral):
        raise InputError(f"bootstrap is a whole number, not {refits!r}")
    for name in ("level", "delta"):
        value = getattr(options, name)
        if not isinstance(value, Real) and not (name == "delta" and isinstance(value, str)):
            raise InputError(f"{name} is a number, not {value!r}")
    require_kind(bool, remarks=options.remarks)
    require_text(loss=options.loss, scale=options.scale, search=options.search)
    for name in ("resample", "weights", "errors"):
        value = getattr(options, name)
        if not isinstance(value, str | None):
            raise InputError(f"{name} is a name, not {value!r}")
    for name in ("fixed", "tied", "bounds", "priors", "start"):
        value = getattr(options, name)
        if not isinstance(value, Mapping):
            raise InputError(
                f"{name} is a dictionary by parameter, such as {{'E': ...}}, not {value!r}"
            )
        _require_values(name, value)


def _require_values(name: str, values: Mapping[str, object]) -> None:
    for parameter, value in values.items():
        if name == "tied":
            good, what = isinstance(value, str), "the name of a parameter"
        elif name in ("fixed", "start"):
            good, what = isinstance(value, Real), "a number"
        else:
            pair = value if isinstance(value, tuple | list) and len(value) == 2 else (object(),)
            kinds = Real | None if name == "bounds" else Real
            good, what = all(isinstance(end, kinds) for end in pair), "two numbers"
        if not good:
            raise InputError(f"{name}: {parameter} takes {what}, not {value!r}")
