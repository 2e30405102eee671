"""An operator's name and arguments, as typed, held against what the operator takes."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bootlaw.errors import InputError
from bootlaw.growth.compose import Step
from bootlaw.growth.operators import OPERATORS, Operator


def checked_step(step: Step) -> Step:
    """Return the step with its arguments in the types that the operator takes.

    Raises
    ------
    InputError
        For an unknown operator or argument, one that is missing or of the wrong kind.
    """
    operator = find_operator(step.operator)
    unknown = [name for name in step.arguments if name not in operator.arguments]
    if unknown:
        raise InputError(
            f"{operator.name} takes no {unknown[0]}; it takes {', '.join(operator.arguments)}"
        )
    missing = _missing(operator, step.arguments)
    if missing:
        raise InputError(f"{operator.name} needs {' and '.join(missing)}")
    return Step(operator.name, _checked(operator, step.arguments))


def find_operator(name: str) -> Operator:
    """Return the operator of that name.

    Raises
    ------
    InputError
        When there is none; the message lists them.
    """
    if name in OPERATORS:
        return OPERATORS[name]
    near = difflib.get_close_matches(name, OPERATORS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"unknown operator {name!r}; {hint}operators are {', '.join(OPERATORS)}")


def _checked(operator: Operator, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments in the types that the operator's signature asks for."""
    hints = get_type_hints(operator.function)
    return {name: _of_kind(name, value, hints[name]) for name, value in given.items()}


def _of_kind(name: str, value: Any, hint: Any) -> Any:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if value is None and NoneType in kinds:
        return None
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if value in choices or (isinstance(value, str) and str in kinds):
        return value
    if isinstance(value, bool) and bool in kinds:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, float) and not math.isfinite(value):
        number = False
    if number and int in kinds and value == int(value):
        return int(value)
    if number and float in kinds:
        return float(value)
    raise InputError(f"{name} must be {_expected(kinds, choices)}, found {value!r}")


def _expected(kinds: tuple[Any, ...], choices: list[Any]) -> str:
    if choices:
        return " or ".join(str(choice) for choice in choices)
    if bool in kinds or str in kinds:
        return "yes or no" if bool in kinds else "a name"
    return "a number" if float in kinds else "a whole number"


def _missing(operator: Operator, given: Mapping[str, Any]) -> list[str]:
    parameters = list(signature(operator.function).parameters.values())[1:]
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is Parameter.empty and parameter.name not in given
    ]
