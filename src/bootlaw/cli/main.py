"""The ``bootlaw`` command: parse, call public functions, print.

Each command is one module of this package with ``add_parser(subparsers)`` and ``run(args)``;
``run`` returns the exit code. Modules import what they need inside ``run``, so that
``bootlaw --help`` and the commands of the light core never import torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bootlaw import __version__
from bootlaw.cli import compare, fit, grow, laws, plan, report, runs, study
from bootlaw.cli.output import dumps, say
from bootlaw.errors import BootlawError, InputError

COMMANDS = (study, fit, compare, plan, grow, laws, runs, report)


class Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors are raised, so that ``--json`` covers them too."""

    def error(self, message: str) -> NoReturn:
        """Raise `message` with where to read more."""
        raise InputError(f"{message} (see {self.prog} --help)")


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="bootlaw",
        description="Reuse a base model or start over? Fit the laws of two-stage pretraining, "
        "plan with them, run the experiments.",
    )
    parser.add_argument("--version", action="version", version=f"bootlaw {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (see ``docs/architecture.md``)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = build_parser().parse_args(words)
        return int(args.run(args))
    except BootlawError as error:
        return _report_error(words, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _report_error(words, "interrupted; the same command starts again", 130)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _report_error(words, f"{where}{error.strerror or error}", 1)


def _report_error(words: Sequence[str], message: str, exit_code: int) -> int:
    command = next((word for word in words if not word.startswith("-")), "")
    say(f"{f'bootlaw {command}'.strip()}: {message}")
    if "--json" in words:
        print(dumps({"status": "error", "error": message, "exit_code": exit_code}))
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
