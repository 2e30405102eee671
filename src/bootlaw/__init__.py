"""bootlaw: scaling laws of two-stage language-model pretraining.

Read tables of training runs, fit the law and its rivals, answer "reuse or restart?",
and run the experiments. Names are loaded on first use, so that the light core
(``read_runs``, ``fit``, ``compare``, ``forecast``, ``breakeven``) never imports torch.
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
    "compare": "bootlaw.fitting",
    "forecast": "bootlaw.planning",
    "breakeven": "bootlaw.planning",
    "write_report": "bootlaw.reports",
    "run_study": "bootlaw.studies",
}

__all__ = [
    "Fit",
    "RunTable",
    "__version__",
    "breakeven",
    "compare",
    "fit",
    "forecast",
    "read_runs",
    "run_study",
    "write_report",
]

if TYPE_CHECKING:
    from bootlaw.fitting.compare import compare
    from bootlaw.fitting.fit import fit
    from bootlaw.fitting.result import Fit
    from bootlaw.planning.breakeven import breakeven
    from bootlaw.planning.forecast import forecast
    from bootlaw.reports import write_report
    from bootlaw.runs import RunTable, read_runs
    from bootlaw.studies import run_study


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bootlaw' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
