"""bootlaw: scaling laws of two-stage language-model pretraining.

Read tables of training runs, fit the law and its rivals, answer "reuse or restart?",
and run the experiments. Names are loaded on first use, so that the light core
(``read_runs``, ``fit``, ``compare``, ``forecast``, ``breakeven``,
``allocate``) never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "read_runs": "bootlaw.runs",
    "RunTable": "bootlaw.runs",
    "fit": "bootlaw.fitting",
    "Fit": "bootlaw.fitting",
    "average_laws": "bootlaw.fitting",
    "compare": "bootlaw.fitting",
    "forecast": "bootlaw.planning",
    "breakeven": "bootlaw.planning",
    "allocate": "bootlaw.planning",
    "grow": "bootlaw.growth.grow",
    "choose_checkpoint": "bootlaw.planning",
    "decide": "bootlaw.planning",
    "mixture_from_runs": "bootlaw.planning",
    "mixture_share": "bootlaw.planning",
    "next_runs": "bootlaw.planning.pilots",
    "write_report": "bootlaw.reports",
    "run_study": "bootlaw.studies",
}

__all__ = [
    "Fit",
    "RunTable",
    "__version__",
    "allocate",
    "average_laws",
    "breakeven",
    "choose_checkpoint",
    "compare",
    "decide",
    "fit",
    "forecast",
    "grow",
    "mixture_from_runs",
    "mixture_share",
    "next_runs",
    "read_runs",
    "run_study",
    "write_report",
]

if TYPE_CHECKING:
    from bootlaw.fitting.average import average_laws
    from bootlaw.fitting.compare import compare
    from bootlaw.fitting.fit import fit
    from bootlaw.fitting.result import Fit
    from bootlaw.growth.grow import grow
    from bootlaw.planning.allocation.allocate import allocate
    from bootlaw.planning.breakeven import breakeven
    from bootlaw.planning.choose import choose_checkpoint
    from bootlaw.planning.decision.decide import decide
    from bootlaw.planning.forecast import forecast
    from bootlaw.planning.mixture import mixture_share
    from bootlaw.planning.mixture_runs import mixture_from_runs
    from bootlaw.planning.pilots import next_runs
    from bootlaw.reports import write_report
    from bootlaw.runs import RunTable, read_runs
    from bootlaw.studies import run_study


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bootlaw' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
