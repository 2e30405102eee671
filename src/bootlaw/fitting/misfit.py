"""How wrong a law is beyond its data: what it missed when its own rows were held out.

An interval from residuals and parameter spread takes the law to be true. Beyond the data no law
is, so the fit is repeated on the rows below each of the largest levels of a variable, and what
it misses at that level (a roll-out, or expanding window) widens the interval of a forecast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Rows = Literal["all", "reuse", "scratch"]

USUAL_STEP = 0.01
"""What laws of losses miss one step beyond their data, as a log error; counts as one roll-out.

Two or three roll-outs alone tell a standard deviation so badly that intervals were up to half
as wide again as their coverage needed, on simulated and on real tables."""


@dataclass(frozen=True)
class RollOut:
    """One level held out of the rows below it.

    Attributes
    ----------
    level : the held-out value of the variable, the largest of a block of levels.
    decades : log10 of the held-out values over the largest fitted value, root mean square.
    rms_log : root mean square of ln observed - ln predicted over the held-out rows.
    excess : the part of `rms_log` that neither the residual scale of the fit nor `spread`
        explains: the law's own error.
    n_fitted, n_held_out : rows.
    spread : how far the parameters of the fit below are open at the held-out rows, as a
        standard deviation of log losses; replicates at the whole table carry their own.
    """

    level: float
    decades: float
    rms_log: float
    excess: float
    n_fitted: int
    n_held_out: int
    spread: float = 0.0


@dataclass(frozen=True)
class Misfit:
    """What a law missed in roll-outs along one variable.

    Attributes
    ----------
    largest : largest value of the variable in the rows; beyond it the law is extrapolated.
    rollouts : at least one.
    rows : which rows were held out: ``reuse`` (with a base) or ``scratch`` of a law that has a
        part for each, else ``all``.
    method : the method of those rows with a base; empty for rows from scratch.
    """

    variable: str
    largest: float
    rollouts: tuple[RollOut, ...]
    rows: Rows = "all"
    method: str = ""

    @cached_property
    def step(self) -> float:
        """Log sd of one step beyond the data: root mean square of the roll-outs' excess and
        `USUAL_STEP`."""
        return rms([USUAL_STEP, *(one.excess for one in self.rollouts)])

    @cached_property
    def decades(self) -> float:
        """Root mean square distance of the roll-outs: the length of that step, in decades."""
        return rms([one.decades for one in self.rollouts])

    def covers(self, part: Rows) -> bool:
        """Return whether it speaks of runs of this part of the law."""
        return "all" in (self.rows, part) or self.rows == part

    def log_sd(self, values: ArrayLike) -> Floats:
        """Return the extra log standard deviation (n,) at values (n,) of the variable.

        None within the data. Beyond them it grows from 0, at first with the distance in decades,
        as a wrong exponent does, is `step` after one step, and later grows with the root of the
        distance, as independent errors of steps add up: step x sqrt(2 / (1 + x)), x in steps. It
        has no jump at the edge of the data, where a jump would cross curves that never meet.
        """
        with np.errstate(divide="ignore"):
            beyond = np.log10(np.asarray(values, dtype=np.float64) / self.largest)
        steps = np.maximum(beyond, 0.0) / self.decades
        return np.asarray(self.step * steps * np.sqrt(2.0 / (1.0 + steps)))

    def draws(self, n: int, part: str = "") -> Floats:
        """Return n quantiles of Student's t, to be multiplied by `log_sd`, in a shuffled order.

        The errors of k roll-outs and the usual one tell a standard deviation with k + 1 degrees
        of freedom. So 90 and 95 % intervals held 89 and 94 % of the held-out runs of published
        tables (`benchmarks/earned_width.py`). The order hangs on the names alone, so
        that every question about one law meets the same draws: errors of two forecasts far out
        are as correlated as they should be. Those of two methods are taken for independent.

        Parameters
        ----------
        part : the runs that are asked about; those with a base and those from scratch differ.
        """
        names = [self.variable, part]
        if self.method and part != "scratch":
            names.append(self.method)
        return _draws(":".join(names), n, len(self.rollouts) + 1)

    def to_json(self) -> dict[str, Any]:
        """Return the misfit as plain data that `from_json` restores exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Misfit:
        """Return the misfit that `to_json` wrote."""
        rollouts = tuple(RollOut(**one) for one in document["rollouts"])
        return cls(**{**document, "rollouts": rollouts})


def rms(values: ArrayLike) -> float:
    """Return the root mean square of values (n,)."""
    return float(np.sqrt(np.mean(np.square(values))))


@lru_cache(maxsize=64)
def _draws(name: str, n: int, freedom: int) -> Floats:
    from scipy.special import stdtrit

    key = hashlib.sha256(name.encode()).digest()
    order = np.random.default_rng(int.from_bytes(key[:8], "little")).permutation(n)
    draws = np.asarray(stdtrit(freedom, (order + 0.5) / max(n, 1)), dtype=np.float64)
    draws.flags.writeable = False
    return draws
