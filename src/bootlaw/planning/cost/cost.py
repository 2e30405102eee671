"""What a plan costs: FLOPs, device-hours, days, money and energy, for one plan or for many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootlaw.errors import InputError
from bootlaw.planning import words
from bootlaw.planning.cost.hardware import Hardware, check_hardware
from bootlaw.planning.cost.shape import INFERENCE, TRAINING, ModelShape
from bootlaw.planning.validity import check_kind, number

Floats = NDArray[np.float64]
Unit = Literal["flops", "device-hours", "money", "days"]
UNITS: tuple[Unit, ...] = ("flops", "device-hours", "money", "days")

Size: TypeAlias = "ModelShape | ArrayLike"
"""A model's shape, or only its number of parameters (of active ones, if it has experts)."""


@dataclass(frozen=True, eq=False)
class Cost:
    """What some work costs; every field is an array of one shape, () for a single plan.

    Attributes
    ----------
    flops : of training or inference.
    device_hours, days, kwh, money : None where no hardware, no watts or no price is known.
    currency : of `money`.
    devices : that work at once, behind `days`.
    """

    flops: Floats
    device_hours: Floats | None = None
    days: Floats | None = None
    money: Floats | None = None
    kwh: Floats | None = None
    currency: str = ""
    devices: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of both, done one after the other on the same hardware."""
        if (self.currency, self.devices) != (other.currency, other.devices):
            raise InputError("costs on different hardware cannot be added")
        mine, theirs = self._numbers(), other._numbers()
        both = {name: _sum(mine[name], theirs[name]) for name in mine}
        return Cost(**both, currency=self.currency, devices=self.devices)  # type: ignore[arg-type]

    def __getitem__(self, index: Any) -> Cost:
        """Return one plan's cost, or those of some plans."""
        chosen = {
            name: None if values is None else np.asarray(values[index])
            for name, values in self._numbers().items()
        }
        return Cost(**chosen, currency=self.currency, devices=self.devices)  # type: ignore[arg-type]

    def __str__(self) -> str:
        if self.flops.ndim:
            return "\n".join(str(self[i]) for i in range(len(self.flops)))
        parts = [f"{float(self.flops):.3g} FLOPs"]
        if self.device_hours is not None:
            parts.append(f"{words.count(float(self.device_hours))} device-hours")
        if self.days is not None:
            plural = "" if self.devices == 1 else "s"
            parts.append(f"{float(self.days):.3g} days on {self.devices} device{plural}")
        if self.money is not None:
            parts.append(f"{words.count(float(self.money))} {self.currency}")
        if self.kwh is not None:
            parts.append(f"{words.count(float(self.kwh))} kWh")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return a number for each field of a single plan, a list for many; null if unknown."""
        numbers = {k: None if v is None else v.tolist() for k, v in self._numbers().items()}
        return {**numbers, "currency": self.currency or None, "devices": self.devices or None}

    def _numbers(self) -> Mapping[str, Floats | None]:
        return {
            "flops": self.flops,
            "device_hours": self.device_hours,
            "days": self.days,
            "money": self.money,
            "kwh": self.kwh,
        }


def flops_per_token(size: Size) -> Floats:
    """Return training FLOPs per token of a shape, or 6 N where only the parameters are known.

    6 N leaves out attention and the head (Kaplan et al., arXiv 2001.08361): a few per cent of a
    large model at short context, as much again as the rest in a very small one.
    """
    if isinstance(size, ModelShape):
        return np.asarray(size.flops_per_token)
    if np.asarray(size).dtype.kind not in "iuf":
        wanted = "a ModelShape, such as cost.read_shape('config.json'), or numbers of parameters"
        check_kind("the model's shape", size, ModelShape, wanted)
    return TRAINING * np.asarray(size, dtype=np.float64)


def flops_basis(size: Size) -> str:
    """Return in words what the FLOPs per token rest on."""
    if isinstance(size, ModelShape):
        return "FLOPs from the model's shape: 6 (N_active + head) + attention, per token"
    return "FLOPs taken as 6 N per token: without a model config, attention and head are left out"


def training_cost(tokens: ArrayLike, size: Size, on: Hardware | None = None) -> Cost:
    """Return what it costs to train a model of this size on so many tokens.

    Parameters
    ----------
    tokens : raw tokens, any shape that broadcasts with `size`.
    size : a `ModelShape`, or non-embedding (active) parameters, one or many.
    on : the hardware; without it only FLOPs are known.
    """
    return cost_of_flops(np.asarray(tokens, dtype=np.float64) * flops_per_token(size), on)


def inference_cost(tokens: ArrayLike, size: Size, on: Hardware | None = None) -> Cost:
    """Return what it costs to serve so many tokens, prompt or answer: the forward pass alone.

    The same utilisation as in training is taken, which batched reading of prompts reaches and
    generation mostly does not; give a `Hardware` with an MFU of its own for serving.
    """
    flops = np.asarray(tokens, dtype=np.float64) * flops_per_token(size) * INFERENCE / TRAINING
    return cost_of_flops(flops, on)


def cost_of_flops(flops: ArrayLike, on: Hardware | None = None) -> Cost:
    """Return what so many FLOPs cost on this hardware, any shape."""
    work = np.asarray(flops, dtype=np.float64)
    check_hardware(on)
    if on is None:
        return Cost(work)
    hours = np.asarray(work / on.flops_per_device_hour)
    return Cost(
        flops=work,
        device_hours=hours,
        days=np.asarray(hours / (24.0 * on.devices)),
        money=None if on.price is None else np.asarray(hours * on.price),
        kwh=None if on.watts is None else np.asarray(hours * on.watts / 1000.0),
        currency=on.currency,
        devices=on.devices,
    )


def flops_of(amount: float, unit: Unit, on: Hardware | None = None) -> float:
    """Return the FLOPs that an amount of money, device-hours, days or FLOPs buys.

    Raises
    ------
    InputError
        When the amount is not above 0, or the hardware or its price is not known.
    """
    amount = number("the budget", amount)
    if not (np.isfinite(amount) and amount > 0):
        raise InputError(f"the budget is {amount:g} {unit}; it must be a finite number above 0")
    if unit not in UNITS:
        raise InputError(f"unknown unit {unit!r}; a budget is in {', '.join(UNITS)}")
    if unit == "flops":
        return float(amount)
    check_hardware(on)
    if on is None:
        raise InputError(f"a budget in {unit} needs the hardware, e.g. --hardware h100")
    if unit == "money":
        if on.price is None:
            raise InputError("a budget in money needs a price per device-hour: --price")
        if on.price == 0:
            raise InputError(
                "at a price of 0 per device-hour money buys any amount of compute: give the "
                "budget in device-hours, days or FLOPs"
            )
        amount = amount / on.price
    hours = amount * 24.0 * on.devices if unit == "days" else amount
    return float(hours * on.flops_per_device_hour)


def _sum(one: Floats | None, other: Floats | None) -> Floats | None:
    return None if one is None or other is None else np.asarray(one + other)
