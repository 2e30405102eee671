"""What is believed of a decision and of runs not yet done, and how a run would change it.

Replicates are a posterior sample: columns of deviations whose cross products are covariances. A
run adds knowledge as a linear observation with noise does, by the square-root update of an
ensemble (Whitaker & Hamill, Mon. Weather Rev. 130 (2002) 1913), which keeps the covariance of
everything exact for Gaussian beliefs at the cost of one matrix product per run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RANK = 48
"""Directions in which replicates are taken to differ."""

WILD = 4.0
"""Robust standard deviations at which a replicate's deviation is cut: a refit on its way to
infinity would otherwise be the whole covariance."""


@dataclass(frozen=True, eq=False)
class Belief:
    """Gaussian beliefs about m quantities and n candidate runs, as factors with k rows.

    Attributes
    ----------
    mean : (m,) of the quantities before any run, log losses or differences of them.
    prior : (m,) variances before any run.
    quantities, runs : (k, m), (k, n); their cross products are covariances, after the runs done.
    noise : (n,) variance that a run has of its own.
    learned : (j, m) what each of the j runs done so far moves the means by, standard deviations.
    information : nats that the runs done so far tell of everything believed.
    """

    mean: Floats
    prior: Floats
    quantities: Floats
    runs: Floats
    noise: Floats
    learned: Floats
    information: float = 0.0

    @classmethod
    def of(cls, mean: Floats, quantities: Floats, runs: Floats, noise: Floats) -> Belief:
        """Return the belief before any run."""
        prior = np.einsum("km,km->m", quantities, quantities)
        return cls(mean, prior, quantities, runs, noise, np.zeros((0, mean.size)))

    @property
    def variance(self) -> Floats:
        """(m,) variances of the quantities after the runs done so far."""
        return np.asarray(np.einsum("km,km->m", self.quantities, self.quantities))

    @property
    def run_variance(self) -> Floats:
        """(n,) variances of the candidates' expected log losses, their own noise left out."""
        return np.asarray(np.einsum("kn,kn->n", self.runs, self.runs))

    def slopes(self) -> Floats:
        """Return (n, m) how far each candidate alone would move the means, standard deviations.

        A candidate takes the square of its slope off the variance of each quantity.
        """
        total = self.run_variance + self.noise
        root = np.sqrt(np.where(total > 0, total, np.inf))
        return np.asarray((self.runs.T @ self.quantities) / root[:, None])

    def after(self, run: int) -> Belief:
        """Return the belief once the candidate `run` has been done, whatever it shows."""
        along, noise = self.runs[:, run], float(self.noise[run])
        total = float(along @ along) + noise
        if not total > 0:
            return self
        step = along / (total * (1.0 + np.sqrt(noise / total)))
        pulled = along @ self.quantities
        return replace(
            self,
            quantities=self.quantities - np.outer(step, pulled),
            runs=self.runs - np.outer(step, along @ self.runs),
            learned=np.vstack([self.learned, pulled / np.sqrt(total)]),
            information=self.information + 0.5 * float(np.log(total / max(noise, 1e-300))),
        )


def deviations(values: Floats) -> Floats:
    """Return the factor (r, n) of replicates (r, n), wild ones pulled in."""
    off = values - np.median(values, axis=0)
    scale = np.median(np.abs(off), axis=0) / 0.6745
    reach = np.where(scale > 0, WILD * scale, np.inf)
    off = np.clip(off, -reach, reach)
    off -= off.mean(axis=0)
    return np.asarray(off / np.sqrt(max(len(values) - 1, 1)))


def compressed(factor: Floats) -> Floats:
    """Return a factor (`RANK` at most, n) with all but the same cross products as (r, n).

    Replicates of a law with a few parameters move together in a few ways, so that a random
    projection finds them all (Halko, Martinsson & Tropp, SIAM Rev. 53 (2011) 217, one iteration).
    """
    if len(factor) <= RANK:
        return factor
    mixed = factor @ np.random.default_rng(0).standard_normal((factor.shape[1], RANK))
    basis = np.linalg.qr(factor @ (factor.T @ np.linalg.qr(mixed)[0]))[0]
    return np.asarray(basis.T @ factor)
