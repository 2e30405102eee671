"""The variables of a law at the point that a question asks about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, SHORT_NAMES, N
from bootlaw.planning import validity
from bootlaw.planning.source import Source

TOKENS = (D1, D2)


def given_variables(params: float | None, at: Mapping[str, float] | None) -> dict[str, float]:
    """Return what a question says beside tokens: the model's size, and other columns by name.

    Raises
    ------
    InputError
        For a size that is not above zero, a value that is not finite, or tokens said twice.
    """
    if at is not None and not isinstance(at, Mapping):
        raise InputError(f"at is {at!r}; it must be a dictionary of columns, {{'replay': 0.05}}")
    sizes: dict[str, Any] = {} if params is None else {N: params}
    given = {**{SHORT_NAMES.get(name, name): value for name, value in (at or {}).items()}, **sizes}
    for name in given:
        if name in TOKENS:
            raise InputError(f"{name} has an argument of its own; leave it out of the others")
    return {
        name: validity.check_tokens(name, value, zero_allowed=name != N)
        for name, value in given.items()
    }


def settled(source: Source, given: Mapping[str, float]) -> dict[str, float]:
    """Return the value of each variable of the law other than tokens.

    A variable that the question leaves open is known where the fit saw one value of it.

    Raises
    ------
    InputError
        Where a variable is not known, or was given and no law reads it.
    """
    others = [name for name in source.law.variables if name not in TOKENS]
    return {name: given[name] if name in given else _only_value(source, name) for name in others}


def refuse_unread(given: Mapping[str, float], *sources: Source) -> None:
    """Raise InputError for what was given and no law reads; a size is welcome everywhere.

    A size that a law does not read must be the one that it was fitted to.
    """
    read = {name for source in sources for name in source.law.variables}
    for name in given:
        if name not in read and name != N:
            keys = " and ".join(source.law.key for source in sources)
            raise InputError(f"{name} was given, but the law {keys} does not read it; leave it out")


def refuse_other_texts(*sources: Source) -> None:
    """Raise InputError for laws of losses on different held-out texts, as far as that is known."""
    texts = {source.eval_data: source for source in sources if source.eval_data}
    if len(texts) > 1:
        (one, first), (other, second) = list(texts.items())[:2]
        raise InputError(
            f"{_named(first)} is of losses on {one!r} and {_named(second)} of losses on {other!r} "
            "(column eval_data): losses on different texts cannot be compared; evaluate all runs "
            "on one text, and fit those rows"
        )


def _named(source: Source) -> str:
    return f"{source.label} of {source.method}" if source.method else source.label


def own_size(source: Source) -> float | None:
    """Return the one size of the runs behind a law that does not read it, None without one."""
    low, high = source.ranges.get(N, (0.0, 0.0))
    return low if low == high and low > 0 and N not in source.law.variables else None


def other_size(source: Source, given: Mapping[str, float]) -> str | None:
    """Return why a law without a size has no answer for the size asked about, None if it has."""
    if N not in given or N in source.law.variables or N not in source.ranges:
        return None
    low, high = source.ranges[N]
    if low / 1.01 <= given[N] <= high * 1.01:
        return None
    from bootlaw.planning import words

    fitted = words.tokens(low) if low == high else f"{words.tokens(low)} to {words.tokens(high)}"
    return (
        f"the law {source.law.key} does not read the model's size and was fitted to runs of "
        f"{fitted} parameters; it says nothing about {words.tokens(given[N])}: fit "
        "bootstrapped-joint to runs of several sizes"
    )


def _only_value(source: Source, variable: str) -> float:
    low, high = source.ranges.get(variable, (0.0, 1.0))
    if low == high:
        return low
    how = "--params N" if variable == N else f"--at {variable}=VALUE"
    why = (
        "which differs between the fitted rows; give it with " + how
        if variable in source.ranges
        else f"which is not known here; give it with {how}"
    )
    raise InputError(f"the law {source.law.key} also needs {variable}, {why}")
