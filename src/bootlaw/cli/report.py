"""``bootlaw report``: the page about a study folder or a run table."""

from __future__ import annotations

import argparse
from typing import Any

from bootlaw.cli.output import add_json_option, emit


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="write the page: figures, tables and the answer in words",
        description="Write one self-contained HTML page about a study folder or a run table.",
    )
    parser.add_argument("source", metavar="DIR-or-TABLE", help="study folder or run table")
    parser.add_argument(
        "--out",
        metavar="FILE.html",
        help="the page, in a folder that exists; default: report.html in the study folder, "
        "TABLE_report.html beside a table",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from bootlaw.reports import publish

    written = publish(args.source, args.out)
    figures = sorted(str(path) for path in written.figures)
    page = str(written.page)
    emit(args, {"status": "done", "report": page, "figures": figures}, page)
    return 0
