"""Reuse against scratch at one D1: two loss curves along D2, once per replicate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.fitting import Fit
from bootlaw.fitting.rows import joint_form
from bootlaw.planning.paired import paired_loss

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Duel:
    """The two curves to compare, for the point estimate and for each replicate.

    Attributes
    ----------
    fit, rival : the fits of reuse and of scratch; the same joint fit where it holds both.
    reuse_params, scratch_params : (1 + r, p) internal parameters, the point estimate first.
        The replicates of a joint fit are paired; those of two separate fits are independent,
        so any pairing of them is as good as another.
    tokens_stage1 : D1 of the base.
    head_start : tokens that scratch trains on beyond D2, its share of a paid stage 1.
    """

    fit: Fit
    rival: Fit
    reuse_params: Floats
    scratch_params: Floats
    tokens_stage1: float
    head_start: float

    @property
    def n_replicates(self) -> int:
        """Return the number of paired replicates, without the point estimate."""
        return len(self.reuse_params) - 1

    def reuse_loss(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return losses (k, n) after D1 + exp(`ln_tokens`) tokens of reuse."""
        columns = _columns(self.tokens_stage1, np.exp(ln_tokens))
        return paired_loss(self.fit.law, self.reuse_params[which], columns, "reuse")

    def scratch_loss(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return losses (k, n) from scratch on exp(`ln_tokens`) tokens plus the head start."""
        columns = _columns(0.0, np.exp(ln_tokens) + self.head_start)
        return paired_loss(self.rival.law, self.scratch_params[which], columns, "scratch")

    def gap(self, which: Indices, ln_tokens: Floats) -> Floats:
        """Return reuse minus scratch (k, n), nats; not negative where scratch is no worse."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.reuse_loss(which, ln_tokens) - self.scratch_loss(which, ln_tokens)

    def largest_log_gap(self) -> float:
        """Return the largest |ln reuse - ln scratch| over the fitted D2, point estimate only."""
        point = np.zeros(1, dtype=np.intp)
        low, high = np.log(self.fit.ranges["tokens_stage2"])
        ln_tokens = np.linspace(low, high, 65)[np.newaxis, :]
        ratio = self.reuse_loss(point, ln_tokens) / self.scratch_loss(point, ln_tokens)
        return float(np.abs(np.log(ratio)).max())


def _columns(tokens_stage1: float, tokens_stage2: Floats) -> dict[str, Floats]:
    return {
        "tokens_stage1": np.full_like(tokens_stage2, tokens_stage1),
        "tokens_stage2": tokens_stage2,
    }


def make_duel(fit: Fit, scratch: Fit | None, tokens_stage1: float, head_start: float) -> Duel:
    """Return the duel of `fit` against its own scratch part, or against the fit `scratch`.

    Raises
    ------
    InputError
        When there is no scratch law or there are two, or a law is of the wrong kind.
    """
    rival = _checked_rival(fit, scratch)
    n_replicates = min(len(fit.replicates), len(rival.replicates))
    return Duel(
        fit=fit,
        rival=rival,
        reuse_params=_internal(fit, n_replicates),
        scratch_params=_internal(rival, n_replicates),
        tokens_stage1=tokens_stage1,
        head_start=head_start,
    )


def _internal(fit: Fit, n_replicates: int) -> Floats:
    return fit.law.to_internal(np.vstack([fit.values, fit.replicates[:n_replicates]]))


def _checked_rival(fit: Fit, scratch: Fit | None) -> Fit:
    key = fit.law.key
    if not fit.law.is_two_stage:
        raise InputError(f"{key} is not a law of two stages; break-even needs a fit of reuse runs")
    joint = fit.law.has_scratch_part
    if joint and scratch is not None:
        raise InputError(f"the fit of {key} holds a scratch law already; leave --scratch out")
    if not joint and scratch is None:
        raise InputError(
            f"the fit of {key} has no scratch law: fit {joint_form(fit.law)}, which shares E, or "
            "give --scratch a fit of the power law on the scratch rows"
        )
    rival = fit if scratch is None else scratch
    if scratch is not None and scratch.law.is_two_stage:
        raise InputError(
            f"--scratch is a fit of {scratch.law.key}, a law of two stages; it must be a "
            "one-stage law (power) fitted to the scratch rows"
        )
    for law in (fit.law, rival.law):
        others = set(law.variables) - {"tokens_stage1", "tokens_stage2"}
        if others:
            raise InputError(
                f"the law {law.key} also needs {', '.join(sorted(others))}; break-even takes "
                "laws of tokens only: fit one model size at a time"
            )
    return rival
