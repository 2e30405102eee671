"""The law that several laws make together: their weighted geometric mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bootlaw.errors import InputError
from bootlaw.laws.expression import Expression, Symbol, power, product, substitute
from bootlaw.laws.law import Law, Parameter, Part, Rows

KEY = "average"


def weight_name(key: str) -> str:
    """Return the name of the weight of one of the laws."""
    return f"w[{key}]"


def parameter_name(key: str, name: str) -> str:
    """Return the name in the average of the parameter `name` of one of the laws."""
    return f"{name}[{key}]"


def average_law(laws: Sequence[Law]) -> Law:
    """Return L = product of L_k^w_k over the laws, with the parameters of all and the weights.

    With weights of sum 1 the log of the loss is the weighted mean of the laws' logs, as stacking
    defines a mix (`bootlaw.fitting.stacking`). A weight is an exponent, so that a law of weight 0
    is no part of it wherever it has a loss.

    Raises
    ------
    InputError
        When there is no law, two have one key, some speak of runs from scratch and others do not,
        or one predicts something else than the loss or has a formula for each of several methods.
    """
    _require_alike(laws)
    kinds: tuple[Rows, ...] = ("reuse", "scratch") if laws[0].has_scratch_part else ("all",)
    parameters = tuple(
        replace(parameter, name=parameter_name(law.key, parameter.name))
        for law in laws
        for parameter in law.parameters
    )
    weights = tuple(
        Parameter(weight_name(law.key), "1", "exponent", f"weight of {law.key}", f"w_{{{number}}}")
        for number, law in enumerate(laws, start=1)
    )
    return Law(
        key=KEY,
        title=f"the geometric mean of {', '.join(law.key for law in laws)}",
        source="stacking: Wolpert, Neural Networks 5 (1992) 241",
        parameters=(*parameters, *weights),
        parts=tuple(Part(product(*(_factor(law, rows) for law in laws)), rows) for rows in kinds),
        irreducible=None,
        single_level=tuple(dict.fromkeys(name for law in laws for name in law.single_level)),
        reuse_only=any(law.reuse_only for law in laws),
    )


def _factor(law: Law, rows: Rows) -> Expression:
    own = {name: Symbol(parameter_name(law.key, name)) for name in law.names}
    formula = next(part.expression for part in law.parts if part.rows in ("all", rows))
    return power(substitute(formula, own), Symbol(weight_name(law.key)))


def _require_alike(laws: Sequence[Law]) -> None:
    keys = [law.key for law in laws]
    if not keys:
        raise InputError("an average needs at least one law")
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise InputError(f"the law {twice} is in the average twice; name each law once")
    for law in laws:
        if law.output != "loss":
            raise InputError(f"the law {law.key} predicts {law.output}, not the loss")
        if any(part.method is not None for part in law.parts):
            raise InputError(f"the law {law.key} holds several methods; average those of one")
    kinds = {(law.is_two_stage, law.has_scratch_part) for law in laws}
    if len(kinds) > 1:
        raise InputError(
            f"the laws {', '.join(keys)} do not speak of the same runs: some are of two stages or "
            "hold a part for runs from scratch, and others not"
        )
