"""Published coefficients by name: a law, its values, and where they are from.

Tokens and parameters are raw counts, losses nats per token, unless a note says otherwise. Only
complete sets are here: a law with a coefficient missing has no loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.arguments import require_text
from bootlaw.errors import InputError
from bootlaw.laws.catalogue import get
from bootlaw.laws.law import Law

Floats = NDArray[np.float64]
SizeOf = Literal["model", "base"]


@dataclass(frozen=True)
class Preset:
    """A law with published coefficients.

    Attributes
    ----------
    law_key : the law's key, see `bootlaw.laws.get`.
    values : parameter -> value, in the units of the law's parameters.
    source : the paper, with its table or equation.
    note : what one must know before using them; empty where nothing.
    standard_errors : parameter -> published standard error; empty where none was published, so
        that an answer can give no interval.
    size_of : whose parameters N counts, the ``model``'s or its dense ``base``'s.
    """

    key: str
    law_key: str
    values: Mapping[str, float]
    source: str
    note: str = ""
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    size_of: SizeOf = "model"

    @property
    def law(self) -> Law:
        """The law that the coefficients are of."""
        return get(self.law_key)

    @property
    def paper(self) -> str:
        """The arXiv number in `source`, else the whole of it: laws of one paper share a text."""
        found = re.search(r"arXiv \d+\.\d+", self.source)
        return found.group() if found else self.source

    @property
    def params(self) -> Floats:
        """The values (p,) in the order of the law's parameters."""
        return np.array([self.values[name] for name in self.law.names])

    def loss(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return what the law predicts (n,), for a law of the loss in nats per token.

        Parameters
        ----------
        columns : arrays (n,) or scalars for each of the law's variables.

        Raises
        ------
        InputError
            When a column is missing, or the law has no value at a row.
        """
        return self.law.loss(self.params, columns)

    def to_json(self) -> dict[str, Any]:
        """Return what ``bootlaw laws --json`` prints of this preset."""
        law = self.law
        return {
            "preset": self.key,
            "law": self.law_key,
            "formula": law.formula,
            "latex": law.latex,
            "javascript": law.javascript,
            "variables": list(law.variables),
            "output": law.output,
            "params": {
                p.name: {
                    "value": self.values[p.name],
                    "standard_error": self.standard_errors.get(p.name),
                    "unit": p.unit,
                }
                for p in law.parameters
            },
            "source": self.source,
            "note": self.note or None,
        }


_LIEW = "Liew, Kato & Takase, arXiv 2502.03009 (ICML 2025)"
_LIEW_NOTE = (
    "N is the number of parameters of the dense base also for the MoE; the three laws of that "
    "paper share E and may be compared with each other"
)
_RATIO_NOTE = "the critical share of domain text; at 20e9 tokens the paper has {} %"
_HERNANDEZ_NOTE = (
    "D2 and the result are in characters, not tokens; N is without embeddings; for stage 2 "
    "limited by its data"
)


def _ratio(size: str, b1: float, s: float, b0: float, at_20e9: float) -> Preset:
    return Preset(
        f"gu2024-mixture-{size}",
        "mixture-ratio",
        {"b0": b0, "b1": b1, "s": s},
        "Gu et al., arXiv 2407.17467",
        _RATIO_NOTE.format(at_20e9),
    )


_PRESETS = (
    Preset(
        "hoffmann2022",
        "chinchilla",
        {"A": 406.4, "a": 0.34, "B": 410.7, "b": 0.28, "E": 1.69},
        "Hoffmann et al., arXiv 2203.15556, approach 3",
        "besiroglu2024 is a better fit to the same runs",
    ),
    Preset(
        "besiroglu2024",
        "chinchilla",
        {"A": 482.01, "a": 0.3478, "B": 2085.43, "b": 0.3658, "E": 1.8172},
        "Besiroglu et al., arXiv 2404.10102, a refit to runs read off a figure of Hoffmann et al.",
        "the standard errors are bootstrapped; A with a, and B with b, are strongly correlated",
        {"A": 124.58, "a": 0.02, "B": 1293.23, "b": 0.02, "E": 0.03},
    ),
    Preset(
        "liew2025-upcycling-dense",
        "chinchilla",
        {"A": 12.3, "a": 0.116, "B": 8.83, "b": 0.088, "E": 0.165},
        f"{_LIEW}, dense models from scratch",
        f"{_LIEW_NOTE}; the paper calls the tokens' coefficients A, a and those of N B, b",
    ),
    Preset(
        "liew2025-upcycling-moe",
        "chinchilla",
        {"A": 7.05, "a": 0.080, "B": 32.0, "b": 0.161, "E": 0.165},
        f"{_LIEW}, mixtures of experts from scratch",
        f"{_LIEW_NOTE}; the paper calls the tokens' coefficients A, a and those of N B, b",
        size_of="base",
    ),
    Preset(
        "liew2025-upcycling-upcycled",
        "bootstrapped-joint",
        {"A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "B": 8.53, "b": 0.112, "E": 0.165},
        f"{_LIEW}, mixtures of experts upcycled from dense bases",
        _LIEW_NOTE,
        size_of="base",
    ),
    Preset(
        "muennighoff2023",
        "repeated-data",
        {
            "A": float(np.exp(6.255414)),
            "a": 0.3526596,
            "B": float(np.exp(7.3049974)),
            "b": 0.3526596,
            "R_N": 5.309743,
            "R_D": 15.387756,
            "E": float(np.exp(0.6254804)),
        },
        "Muennighoff et al., arXiv 2305.16264, appendices A and B (C4; A 521, B 1488, E 1.87)",
        "the exponents of parameters and tokens were fitted as one",
    ),
    Preset(
        "hernandez2021-text-python",
        "data-transferred",
        {"k": 1.9e4, "al": 0.18, "be": 0.38},
        "Hernandez et al., arXiv 2102.01293, from text to Python",
        _HERNANDEZ_NOTE,
    ),
    Preset(
        "hernandez2021-mixed-python",
        "data-transferred",
        {"k": 2.1e5, "al": 0.096, "be": 0.38},
        "Hernandez et al., arXiv 2102.01293, from half text and half other code to Python",
        _HERNANDEZ_NOTE,
    ),
    _ratio("460m", 0.2252, 0.2694, -0.4814, 29.8),
    _ratio("940m", 0.7521, 0.1372, -1.0658, 34.9),
    _ratio("1.6b", -2.3638, -0.1513, 1.5922, 41.4),
    _ratio("3.1b", -2.5368, -0.4207, 0.8438, 47.8),
)
_BY_KEY = {preset.key: preset for preset in _PRESETS}


def preset_names() -> tuple[str, ...]:
    """Return the names of all published sets of coefficients."""
    return tuple(_BY_KEY)


def preset(name: str) -> Preset:
    """Return the published coefficients with this name; InputError with a near match."""
    require_text(name=name)
    if name in _BY_KEY:
        return _BY_KEY[name]
    import difflib

    near = difflib.get_close_matches(name.lower().replace("_", "-"), _BY_KEY, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise InputError(f"no preset is called {name!r}{hint} The presets are {', '.join(_BY_KEY)}.")
