"""Which options there are, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootlaw.errors import InputError
from bootlaw.laws.names import N
from bootlaw.planning import validity, words
from bootlaw.planning.decision.optimal import optimal_size
from bootlaw.planning.decision.option import Option
from bootlaw.planning.decision.setting import Setting
from bootlaw.planning.question import other_size, own_size, settled
from bootlaw.planning.source import Source


@dataclass(frozen=True)
class Listing:
    """The options that can be compared, and the others with the reason why not."""

    options: tuple[Option, ...]
    missing: Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """A model of which the loss on the target text was measured, such as a public checkpoint.

    Attributes
    ----------
    loss : nats per token on the held-out text that the laws are about, in their tokens.
    params : its parameters; None where unknown.
    """

    loss: float
    params: float | None = None

    def __post_init__(self) -> None:
        validity.set_numbers(self, "loss", "params")


def list_options(
    setting: Setting,
    reuse: Mapping[str, Source],
    scratch: Sequence[Source],
    *,
    budget: float,
    base_loss: float | None,
    base_law: Source | None,
    others: Mapping[str, Known],
    serving_params: float | None,
) -> Listing:
    """Return every option of a decision at one budget.

    Parameters
    ----------
    reuse : method (cpt, stack, ...) -> its law.
    scratch : the laws of runs from scratch, that of the final size first; others are of runs of
        one other size.
    budget : FLOPs, or tokens of the final model where no size is known.
    base_loss : the base's own loss on the target text; None where it was not measured.
    base_law : a law of runs from scratch of the base's kind, on the target text.
    others : name -> a model taken as it is.
    serving_params : a size to train from scratch, and serve.
    """
    found: list[Option] = []
    missing: dict[str, str] = {}
    _add(found, missing, "leave the base as it is", _leave(setting, base_law, base_loss))
    for method, source in reuse.items():
        _add(found, missing, _reuse_name(method), _reuse(setting, method, source))
    found += [
        Option(f"take {name} as it is", "other", loss=known.loss, params=known.params)
        for name, known in others.items()
    ]
    first = scratch[0] if scratch else None
    for name, option in _from_scratch(setting, first, budget, serving_params).items():
        _add(found, missing, name, option)
    for source in scratch[1:]:
        size = own_size(source)
        name = f"scratch, at {words.tokens(size or 0.0)}"
        _add(found, missing, name, _scratch(setting, source, name, size))
    return Listing(tuple(found), missing)


def _add(found: list[Option], missing: dict[str, str], name: str, option: Option | str) -> None:
    if isinstance(option, str):
        missing[name] = option
    else:
        found.append(option)


def _reuse_name(method: str) -> str:
    names = {"cpt": "continue the base (cpt)", "reuse": "reuse the base"}
    return names.get(method, f"grow the base ({method})")


def _leave(setting: Setting, base_law: Source | None, base_loss: float | None) -> Option | str:
    name, size = "leave the base as it is", setting.base_size
    if base_loss is not None:
        return Option(
            name, "leave", loss=Known(base_loss).loss, params=size, paid=setting.base_flops
        )
    if base_law is None:
        return (
            "the base's own loss on the target text is not known: measure it and give "
            "--base-loss, or give --base-law a law of such bases on the same text"
        )
    refused = base_law.broken or _refused(base_law, setting.at, size)
    if refused is not None:
        return refused
    return Option(
        name,
        "leave",
        base_law,
        "scratch",
        size,
        paid=setting.base_flops,
        tokens_fixed=setting.tokens_stage1,
        at=_others(base_law, setting.at, size),
        note="its loss is what the law of such bases expects",
    )


def _reuse(setting: Setting, method: str, source: Source) -> Option | str:
    continued = method == "cpt"
    size = setting.size_of(method)
    if source.broken is not None:
        return source.broken
    if not source.answers("reuse"):
        raise InputError(
            f"{source.label}: {source.law.key} is not a law of two stages and says nothing of "
            "reuse; give the law of reuse runs first, and this one with --scratch"
        )
    refused = _refused(source, setting.at, size)
    if refused is not None:
        return refused
    at = _others(source, setting.at, size)
    invalid = validity.invalid_at(source, setting.tokens_stage1, {**at, N: size or 1.0})
    if invalid is not None:
        return invalid
    return Option(
        _reuse_name(method),
        "reuse",
        source,
        "reuse",
        size,
        per_token=setting.per_token_base if continued else setting.per_token,
        paid=setting.base_flops,
        at=at,
    )


def _from_scratch(
    setting: Setting, scratch: Source | None, budget: float, serving_params: float | None
) -> dict[str, Option | str]:
    same, best, serving = "scratch", "scratch, compute-optimal size", "scratch, size for serving"
    if scratch is None:
        reason = "there is no law of runs from scratch: fit KEY+scratch, or give --scratch"
        return {same: reason, best: reason}
    options: dict[str, Option | str] = {same: _scratch(setting, scratch, same, setting.params)}
    reads = N in scratch.law.variables
    no_size = f"the law {scratch.law.key} does not read the size; fit runs of several sizes"
    if not reads:
        options[best] = no_size
    elif isinstance(options[same], Option):
        size = optimal_size(scratch, setting, budget, _others(scratch, setting.at, None))
        name = f"{best} ({words.tokens(size)})"
        options[name] = _scratch(setting, scratch, name, size)
    if serving_params is not None:
        name = f"{serving} ({words.tokens(serving_params)})"
        options[name] = _scratch(setting, scratch, name, serving_params) if reads else no_size
    return options


def _scratch(setting: Setting, scratch: Source, name: str, size: float | None) -> Option | str:
    if scratch.broken is not None:
        return scratch.broken
    refused = _refused(scratch, setting.at, size) or validity.invalid_scratch(scratch)
    if refused is not None:
        return refused
    per_token = setting.per_token if size is None else float(setting.per_token_of(size))
    at = _others(scratch, setting.at, size)
    return Option(name, "scratch", scratch, "scratch", size, per_token=per_token, at=at)


def _refused(source: Source, at: Mapping[str, float], size: float | None) -> str | None:
    """Return why a law has no answer at a size, None where it has one."""
    if size is None:
        return None
    return other_size(source, {**at, N: size})


def _others(source: Source, at: Mapping[str, float], size: float | None) -> dict[str, float]:
    """Return the law's variables other than tokens and size."""
    return {k: v for k, v in settled(source, {**at, N: size or 1.0}).items() if k != N}
