"""A loss as a function of the replay share: what a mixture is chosen by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning.source import Source

Floats = NDArray[np.float64]
REPLAY = "replay"


@dataclass(frozen=True)
class ShareCurve:
    """The loss on one text after a second stage of given length, against the replay share.

    Attributes
    ----------
    losses : replay shares (n,) -> losses (1 + r, n), nats per token, the point estimate first.
    n_replicates : r, how many further curves there are.
    tried : least and greatest replay share of the runs behind it; None where not known.
    beyond : what leads away from those runs whatever the share, in words.
    label : how sentences call it.
    warnings : what a reader of any answer must know.
    """

    losses: Callable[[Floats], Floats]
    n_replicates: int
    tried: tuple[float, float] | None
    label: str
    beyond: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def share_curve(source: Source, given: Mapping[str, float], role: str) -> ShareCurve:
    """Return the curve of a law that reads the replay share, at one D2 and size.

    Parameters
    ----------
    given : values of the law's other variables, as far as they are known.
    role : ``new`` or ``old``, the text whose loss it is.

    Raises
    ------
    InputError
        When the law does not read the replay share, or another variable is not given.
    """
    law = source.law
    if REPLAY not in law.variables or law.output != "loss":
        raise InputError(
            f"the law {law.key} of the {role} text's loss does not read the replay share; fit "
            "d-cpt, or a formula with replay in it"
        )
    fixed = _fixed(source, given, role)

    def losses(shares: Floats) -> Floats:
        return source.loss({REPLAY: shares, **fixed}, "reuse")

    from bootlaw.planning.extrapolation import extrapolation_warnings

    return ShareCurve(
        losses=losses,
        n_replicates=source.n_replicates,
        tried=source.ranges.get(REPLAY),
        label=source.label,
        beyond=extrapolation_warnings(source.ranges, fixed),
        warnings=source.warnings,
    )


def _fixed(source: Source, given: Mapping[str, float], role: str) -> dict[str, float]:
    """Return the law's other variables; one that its runs never varied need not be given."""
    found = {}
    for name in source.law.variables:
        if name == REPLAY:
            continue
        low, high = source.ranges.get(name, (np.nan, np.nan))
        if name in given:
            found[name] = given[name]
        elif low == high:
            found[name] = low
        else:
            raise InputError(
                f"the law {source.law.key} of the {role} text's loss also reads {name}; "
                f"{_how(name)}"
            )
    return found


def _how(name: str) -> str:
    options = {N: "--params", D1: "--tokens-stage1", D2: "--tokens-stage2"}
    if name in options:
        return f"say which with {name} ({options[name]})"
    return "fit a law of tokens, size and replay"
