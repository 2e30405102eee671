"""``bootlaw plan mixture``: how much old text to replay in a second stage."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number, positive_number
from bootlaw.cli.output import emit
from bootlaw.cli.plan import options
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.mixture_answer import CriticalMixture, MixtureShare

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

HELP = "(see bootlaw plan mixture --help)"


def add_parser(questions: Subparsers) -> None:
    """Add the question's parser."""
    parser = questions.add_parser(
        "mixture",
        help="how much old text to replay",
        description="The replay share with the lowest new-domain loss that keeps the old-domain "
        "loss within a limit: from two laws of the share (FIT.json and --old-fit), from runs "
        "evaluated on both texts (--runs), or from a critical-mixture-ratio law alone.",
    )
    options.add_source(parser)
    parser.add_argument("--old-fit", metavar="FIT.json|PRESET", help="a law of the old-domain loss")
    runs = parser.add_argument_group("your own runs, in the place of laws")
    runs.add_argument("--runs", metavar="TABLE", help="run table with replay and eval_data")
    runs.add_argument("--new", metavar="TEXT", help="eval_data of the new domain")
    runs.add_argument("--old", metavar="TEXT", help="eval_data of the old domain")
    runs.add_argument("--method", metavar="NAME", help="runs of this method")
    runs.add_argument("--where", metavar="EXPR", help="only rows for which this holds")
    runs.add_argument(
        "--bootstrap",
        type=int,
        default=200,
        metavar="R",
        help="refits for the interval (default: 200)",
    )
    runs.add_argument("--seed", type=int, default=0, metavar="S", help="of the refits")
    parser.add_argument(
        "--tokens-stage2",
        type=positive_number,
        required=True,
        metavar="D2",
        help="tokens of the second stage, replayed ones included",
    )
    parser.add_argument(
        "--max-old-loss",
        type=positive_number,
        metavar="L",
        help="the limit of the old-domain loss, nats per token",
    )
    parser.add_argument(
        "--range",
        type=non_negative_number,
        nargs=2,
        metavar=("LO", "HI"),
        help="replay shares to look at, from 0 to 1 (default: all; of --runs those tried)",
    )
    parser.add_argument(
        "--tokens-stage1", type=positive_number, metavar="D1", help="for laws that read it"
    )
    parser.add_argument(
        "--params", type=positive_number, metavar="N", help="non-embedding parameters"
    )
    options.add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the replay share; return 3 when the data cannot tell."""
    answer = _from_runs(args) if args.runs is not None else _from_laws(args)
    emit(args, answer.to_json(), answer.summary())
    return 3 if answer.status == "undetermined" else 0


def _from_runs(args: argparse.Namespace) -> MixtureShare:
    from bootlaw.planning.mixture_runs import mixture_from_runs

    if args.fit is not None or args.law is not None or args.old_fit is not None:
        raise InputError(f"--runs takes the place of laws; leave FIT.json and --law out {HELP}")
    if args.new is None or args.old is None:
        raise InputError(f"--runs needs the two texts as --new TEXT --old TEXT {HELP}")
    return mixture_from_runs(
        args.runs,
        new=args.new,
        old=args.old,
        tokens_stage2=args.tokens_stage2,
        max_old_loss=_limit(args),
        params=args.params,
        method=args.method,
        where=args.where,
        search=_search(args),
        bootstrap=args.bootstrap,
        seed=args.seed,
        level=0.95 if args.level is None else args.level,
    )


def _from_laws(args: argparse.Namespace) -> MixtureShare | CriticalMixture:
    from bootlaw.planning.critical_mixture import critical_mixture
    from bootlaw.planning.mixture import mixture_share

    for name in ("new", "old", "method", "where"):
        if getattr(args, name) is not None:
            raise InputError(f"--{name} goes with --runs TABLE {HELP}")
    if (args.fit is None) == (args.law is None):
        raise InputError(f"name one of FIT.json, --law PRESET and --runs TABLE {HELP}")
    law = args.law or args.fit
    if args.old_fit is None:
        answer = critical_mixture(law, tokens_stage2=args.tokens_stage2, level=args.level)
        _refuse_unread(args)
        return answer
    return mixture_share(
        options.source(args),
        args.old_fit,
        tokens_stage2=args.tokens_stage2,
        max_old_loss=_limit(args),
        params=args.params,
        tokens_stage1=args.tokens_stage1,
        search=_search(args) or (0.0, 1.0),
        level=args.level,
    )


def _refuse_unread(args: argparse.Namespace) -> None:
    """Refuse options that a critical mixture ratio alone does not answer to."""
    for name in ("max_old_loss", "params", "tokens_stage1", "range"):
        if getattr(args, name) is not None:
            raise InputError(
                f"--{name.replace('_', '-')} goes with a law of each text's loss: give --old-fit "
                f"too, or leave it out {HELP}"
            )


def _limit(args: argparse.Namespace) -> float:
    if args.max_old_loss is None:
        raise InputError(f"give the limit of the old-domain loss as --max-old-loss L {HELP}")
    return float(args.max_old_loss)


def _search(args: argparse.Namespace) -> tuple[float, float] | None:
    return None if args.range is None else (args.range[0], args.range[1])
