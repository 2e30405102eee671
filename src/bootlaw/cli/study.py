"""``bootlaw study``: train the grid, fit, write the report. The same command continues."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bootlaw.cli.output import add_json_option, emit, say
from bootlaw.errors import BootlawError, InputError


def add_parser(subparsers: Any) -> None:
    """Add the command's options."""
    parser = subparsers.add_parser(
        "study",
        help="train a grid of two-stage runs, fit the laws, write the report",
        description="Train the grid of a preset (smoke, quick, full) or of a TOML file, fit the "
        "laws and write the report. Run it again to continue; nothing is trained twice.",
    )
    parser.add_argument("spec", metavar="PRESET-or-SPEC.toml")
    parser.add_argument("--out", required=True, metavar="DIR", help="the study's folder")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="PATH",
        help="file or folder of text, JSONL (plain or compressed) or Parquet for stage 1, "
        "instead of the text found in the Python installation; repeatable",
    )
    parser.add_argument(
        "--cpt-text",
        action="append",
        default=[],
        metavar="PATH",
        help="the same for the second stage of continual pretraining",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes, one thread each (default: cores)"
    )
    parser.add_argument(
        "--executor",
        choices=["local"],
        default="local",
        help="where runs are trained (default: local processes)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the run graph and its cost, train nothing"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the study, then write its report."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {' and '.join(missing)}: pip install 'bootlaw[train]'")
    from bootlaw.studies import run_study

    result = run_study(
        args.spec,
        args.out,
        text=args.text,
        cpt_text=args.cpt_text,
        workers=args.workers,
        dry_run=args.dry_run,
        say=say,
    )
    document: dict[str, Any] = {
        "status": "planned" if args.dry_run else "done",
        "folder": str(result.folder),
        "runs_csv": str(result.runs_csv),
        "rows": result.rows,
        "runs": {"done": result.runs_done, "all": result.runs},
        "tokens": {
            "trained": result.tokens_trained,
            "separate_runs": result.tokens_separate_runs,
        },
        "notes": list(result.notes),
        "report": None,
    }
    if result.dry_run is not None:
        emit(args, {**document, "graph": result.dry_run.splitlines()}, result.dry_run)
        return 0
    report = _write_report(result.folder)
    document["report"] = str(report)
    saved = result.tokens_separate_runs / max(result.tokens_trained, 1)
    emit(
        args,
        document,
        f"{result.rows} rows from {result.runs} runs; {result.tokens_trained / 1e6:.1f}M tokens "
        f"trained, separate runs would have needed {result.tokens_separate_runs / 1e6:.1f}M "
        f"({saved:.1f} times as many)\ntable:  {result.runs_csv}\nreport: {report}",
    )
    return 0


def _write_report(folder: Path) -> Path:
    from bootlaw.reports import write_report

    try:
        return write_report(folder)
    except BootlawError as error:
        raise BootlawError(
            f"the runs are done ({folder / 'runs.csv'}), the report is not: {error}"
        ) from error
