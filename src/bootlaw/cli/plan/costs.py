"""What a plan is priced with: the model's shape, and the hardware."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bootlaw.cli.numbers import non_negative_number, positive_number, whole_number
from bootlaw.errors import InputError

if TYPE_CHECKING:
    from bootlaw.planning.cost import Hardware, ModelShape, Unit

BUDGET_UNITS = ("flops", "device-hours", "money", "days")


def add_hardware(parser: argparse.ArgumentParser) -> None:
    """Add the options that turn FLOPs into days and money."""
    group = parser.add_argument_group("cost")
    group.add_argument(
        "--hardware", metavar="NAME|FILE.toml", help="h100, a100, ... or a TOML file of your own"
    )
    for flag, kind, words in (
        ("--mfu", positive_number, "share of the peak FLOP/s that training reaches, e.g. 0.4"),
        ("--price", non_negative_number, "money per device-hour; 0 for devices of your own"),
        ("--watts", positive_number, "power of one device under load"),
        ("--devices", whole_number, "devices that work at once"),
        (
            "--overhead",
            non_negative_number,
            "share of device-hours on top: restarts, evaluation, failed nodes",
        ),
    ):
        group.add_argument(flag, type=kind, metavar="X", help=words)
    group.add_argument("--currency", metavar="TEXT", help="of the price (default: USD)")


def add_shapes(parser: argparse.ArgumentParser) -> None:
    """Add the configs of the models, for FLOPs per token beyond 6 N."""
    parser.add_argument(
        "--model-config", metavar="PATH", help="config.json of the final model: exact FLOPs"
    )
    parser.add_argument("--base-config", metavar="PATH", help="config.json of the base")
    parser.add_argument(
        "--sequence-length",
        type=whole_number,
        metavar="T",
        help="tokens a training sequence, for the cost of attention (default: 4096, or the "
        "config's longest context if that is shorter)",
    )


def hardware(args: argparse.Namespace) -> Hardware | None:
    """Return the hardware that was named; InputError for settings of none."""
    from bootlaw.planning import cost

    names = ("mfu", "price", "watts", "devices", "overhead", "currency")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.hardware is None:
        if given:
            raise InputError(f"--{next(iter(given))} is a setting of hardware: name --hardware too")
        return None
    if Path(args.hardware).suffix == ".toml":
        return cost.read_hardware(args.hardware).with_options(**given)
    return cost.hardware(args.hardware, **given)


def shape(path: str | None, sequence_length: int | None = None) -> ModelShape | None:
    """Return the shape in a config.json, None where no path was given."""
    from bootlaw.planning.cost import read_shape

    return None if path is None else read_shape(path, sequence_length=sequence_length)


def base_cost(args: argparse.Namespace) -> float:
    """Return FLOPs per token of the base over those of the final model."""
    if args.base_cost is not None:
        return float(args.base_cost)
    final, base = (
        shape(args.model_config, args.sequence_length),
        shape(args.base_config, args.sequence_length),
    )
    if base is None:
        return 1.0
    if final is None:
        raise InputError("--base-config needs --model-config beside it, to set the two in relation")
    return float(base.flops_per_token / final.flops_per_token)


def budget_flops(amount: float, unit: Unit, on: Hardware | None) -> float:
    """Return the FLOPs that a budget buys."""
    from bootlaw.planning.cost import flops_of

    return flops_of(amount, unit, on)
