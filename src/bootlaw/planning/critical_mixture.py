"""The critical mixture ratio: how much new text costs nothing on the old."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from bootlaw.errors import InputError
from bootlaw.fitting import Fit
from bootlaw.laws import Law, Preset, preset, preset_names
from bootlaw.laws.names import D2
from bootlaw.planning import validity, words
from bootlaw.planning.extrapolation import extrapolation_warnings
from bootlaw.planning.mixture_answer import CriticalMixture
from bootlaw.planning.paired import paired_loss
from bootlaw.planning.source import as_source
from bootlaw.planning.verdict import percentile_interval

OUTPUT = "critical_ratio"


def critical_mixture(
    law: Preset | Fit | str | Path, *, tokens_stage2: float, level: float | None = None
) -> CriticalMixture:
    """Return the largest share of new text that leaves the old-domain loss where it was.

    R = b0 + b1 T^s, T in units of 0.2e9 tokens: the critical-mixture-ratio law of Gu et al.,
    arXiv 2407.17467.

    Parameters
    ----------
    law : a preset of the law or its name, a fit of the law or its path.
    tokens_stage2 : D2, raw tokens, replayed ones included.
    level : of the interval; the fit's own by default.

    Raises
    ------
    InputError
        When the law predicts something else.
    """
    tokens_stage2 = validity.check_tokens("tokens_stage2", tokens_stage2)
    level = None if level is None else validity.check_level(level)
    found = _loaded(law)
    if found.law.output != OUTPUT:
        raise InputError(
            f"the law {found.law.key} predicts {found.law.output}, not a critical mixture ratio; "
            "give two laws, of the new text's loss and of the old text's (--old-fit)"
        )
    if isinstance(found, Preset):
        return _published(found, tokens_stage2, level)
    return _fitted(found, tokens_stage2, level)


AnyLaw = Preset | Fit | str | Path


def _loaded(law: AnyLaw) -> Preset | Fit:
    if isinstance(law, Preset | Fit):
        return law
    name = str(law)
    if name in preset_names() or (not Path(name).exists() and not name.endswith(".json")):
        return preset(name)
    return Fit.load(law)


def _published(found: Preset, tokens: float, level: float | None) -> CriticalMixture:
    note = f" ({found.note})" if found.note else ""
    ratio = _ratios(found.law, found.params[np.newaxis], tokens)
    warning = (
        f"published coefficients {found.key}, {found.source}{note}: no covariance was published, "
        "so there is no interval; they are of one model size, one base and one pair of texts"
    )
    label = f"the published coefficients {found.key}"
    answer = CriticalMixture(label, tokens, level or 0.95, warnings=(warning,))
    return _checked(answer, ratio)


def _fitted(fit: Fit, tokens: float, level: float | None) -> CriticalMixture:
    source = as_source(fit)
    level = source.level if level is None else level
    beyond = extrapolation_warnings(source.ranges, {D2: tokens})
    warnings = (*beyond, *source.warnings)
    answer = CriticalMixture(source.label, tokens, level, warnings=warnings)
    if source.broken is not None:
        return replace(answer, reasons=(source.broken,))
    return _checked(answer, _ratios(source.law, source.params, tokens))


def _ratios(law: Law, params: np.ndarray, tokens: float) -> np.ndarray:
    columns = {D2: np.full((1, 1), tokens)}
    return paired_loss(law, law.to_internal(params), columns, "reuse")[:, 0]


def _checked(answer: CriticalMixture, ratios: np.ndarray) -> CriticalMixture:
    share = float(ratios[0])
    if not 0 < share < 1:
        found = f"{share:.3g}" if math.isfinite(share) else "no number"
        return replace(
            answer,
            reasons=(
                f"at {words.tokens(answer.tokens_stage2)} stage-2 tokens the law gives {found}, "
                "which is no share between 0 and 1: it is asked too far out",
            ),
        )
    if len(ratios) == 1:
        return replace(answer, domain_share=share)
    lower, upper = percentile_interval(ratios[1:], answer.level)
    return replace(answer, domain_share=share, lower=max(lower, 0.0), upper=min(upper, 1.0))
