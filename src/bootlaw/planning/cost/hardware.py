"""What runs the training: peak speed, the share of it that is reached, price and power.

Peaks are dense bfloat16 products with float32 sums as the vendors' data sheets give them (half
of the figure "with sparsity"), watts the boards' greatest power. Prices and utilisation are
assumptions, round numbers of rented devices in 2025: they differ several-fold between sellers,
so set your own. Utilisation of 0.4 is what large dense runs report (PaLM 0.46 on TPU v4, arXiv
2204.02311; Llama 3 405B 0.38 to 0.43 on H100, arXiv 2407.21783); mixtures of experts and small
models reach less.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.planning.validity import check_kind, number

ASSUMED_MFU = 0.4
SETTABLE = ("peak_flops", "mfu", "price", "watts", "devices", "overhead", "currency")


@dataclass(frozen=True)
class Hardware:
    """Devices, how fast they train, and what they cost.

    Attributes
    ----------
    peak_flops : FLOP/s of one device, dense bfloat16.
    mfu : model FLOPs utilisation, the share of the peak that training reaches, above 0 to 1.
    price : money per device-hour; None where unknown.
    watts : power of one device under load; None where unknown. Hosts, network and cooling come
        on top unless you include them.
    devices : that work at once; they divide days, not money.
    overhead : share of device-hours that comes on top: restarts, evaluation, failed nodes.
    source : where the peak and the watts are from.
    assumed : names of the fields that are assumptions of this package, not yours.
    """

    name: str
    peak_flops: float
    mfu: float = ASSUMED_MFU
    price: float | None = None
    watts: float | None = None
    devices: int = 1
    overhead: float = 0.0
    currency: str = "USD"
    source: str = ""
    assumed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check("peak FLOP/s", self.peak_flops)
        _check("MFU", self.mfu, most=1.0)
        _check("number of devices", self.devices)
        if self.devices != int(self.devices):
            raise InputError(f"the number of devices is {self.devices:g}; it must be whole")
        _check("overhead", self.overhead, zero=True)
        if self.price is not None:
            _check("price per device-hour", self.price, zero=True)
        if self.watts is not None:
            _check("power in watts", self.watts)

    @property
    def flops_per_device_hour(self) -> float:
        """FLOPs of training that one paid device-hour gives, overhead taken off."""
        return self.peak_flops * self.mfu * 3600.0 / (1.0 + self.overhead)

    @property
    def notes(self) -> tuple[str, ...]:
        """The assumptions behind its numbers, in words."""
        said = {
            "mfu": f"an MFU of {self.mfu:g}",
            "price": f"a price of {self.price or 0:g} {self.currency} per device-hour",
        }
        found = [text for name, text in said.items() if name in self.assumed]
        return (f"assumed: {' and '.join(found)}; set your own",) if found else ()

    def with_options(self, **options: Any) -> Hardware:
        """Return it with other values, which are then no assumptions; None changes nothing.

        Raises
        ------
        InputError
            When a name is not one of `SETTABLE`, or a value makes no sense.
        """
        unknown = sorted(set(options) - set(SETTABLE))
        if unknown:
            raise InputError(
                f"hardware has no setting {unknown[0]!r}; it has {', '.join(SETTABLE)}"
            )
        given = {name: value for name, value in options.items() if value is not None}
        return replace(self, assumed=self.assumed - set(given), **given)

    def to_json(self) -> dict[str, Any]:
        """Return its fields, the assumed ones by name."""
        document = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**document, "assumed": sorted(self.assumed)}


def _check(what: str, value: float, *, most: float = math.inf, zero: bool = False) -> None:
    value = number(f"the {what}", value)
    if math.isfinite(value) and (value > 0 or (zero and value == 0)) and value <= most:
        return
    least = "at least 0" if zero else "above 0"
    bound = f"{least} and at most {most:g}" if math.isfinite(most) else f"{least} and finite"
    raise InputError(f"the {what} is {value:g}; it must be {bound}")


def check_hardware(on: Any) -> None:
    """Raise InputError unless `on` is hardware, or None."""
    check_kind("the hardware", on, Hardware, "a Hardware, such as cost.hardware('h100')")


def _named(name: str, tera: float, price: float, watts: float | None, source: str) -> Hardware:
    return Hardware(
        name,
        tera * 1e12,
        price=price,
        watts=watts,
        source=source,
        assumed=frozenset({"mfu", "price"}),
    )


_NVIDIA, _GOOGLE = "NVIDIA data sheet", "Google Cloud TPU documentation; no power is published"
HARDWARE: dict[str, Hardware] = {
    device.name: device
    for device in (
        _named("a100", 312.0, 1.5, 400.0, f"{_NVIDIA}, A100 SXM"),
        _named("h100", 989.0, 2.5, 700.0, f"{_NVIDIA}, H100 SXM"),
        _named("h200", 989.0, 3.0, 700.0, f"{_NVIDIA}, H200 SXM"),
        _named("b200", 2250.0, 5.0, 1000.0, f"{_NVIDIA}, HGX B200"),
        _named("l40s", 362.0, 1.0, 350.0, f"{_NVIDIA}, L40S"),
        _named("rtx4090", 165.2, 0.4, 450.0, "NVIDIA Ada architecture white paper, RTX 4090"),
        _named("mi300x", 1307.4, 2.5, 750.0, "AMD data sheet, Instinct MI300X"),
        _named("tpu-v4", 275.0, 3.2, None, _GOOGLE),
        _named("tpu-v5e", 197.0, 1.2, None, _GOOGLE),
        _named("tpu-v5p", 459.0, 4.2, None, _GOOGLE),
        _named("tpu-v6e", 918.0, 2.7, None, _GOOGLE),
    )
}
"""Known devices by name."""


def hardware(name: str, **options: Any) -> Hardware:
    """Return a known device, with other values where `options` (see `SETTABLE`) name them.

    Raises
    ------
    InputError
        When the device is unknown, or a value makes no sense.
    """
    key = name.lower().replace("_", "-").replace(" ", "-")
    found = {known.replace("-", ""): device for known, device in HARDWARE.items()}
    device = found.get(key.replace("-", ""))
    if device is None:
        raise InputError(
            f"no hardware is called {name!r}; the known ones are {', '.join(HARDWARE)}. Others "
            "are described in a TOML file with name and peak_flops"
        )
    return device.with_options(**options)


def read_hardware(path: Path | str) -> Hardware:
    """Return the hardware that a TOML file describes, alone or in a table ``[hardware]``.

    A known `name` gives what the file leaves out; any other needs ``peak_flops``.

    Raises
    ------
    InputError
        When the file is missing, no TOML, or describes no hardware.
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such hardware file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not a TOML file ({error})") from None
    try:
        return _from_table(document.get("hardware", document))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _from_table(table: Mapping[str, Any]) -> Hardware:
    for name, value in table.items():
        wanted = str if name in ("name", "currency") else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            kind = "a text" if wanted is str else "a number"
            raise InputError(f"hardware.{name} must be {kind}, found {value!r}")
    options = {key: value for key, value in table.items() if key != "name"}
    name = str(table.get("name", "own hardware"))
    if "peak_flops" not in options:
        return hardware(name, **options)
    own = Hardware(name, options["peak_flops"], source="yours", assumed=frozenset({"mfu"}))
    return own.with_options(**options)
