"""The laws by key: those of the catalogue, those with a scratch part, and users' formulas."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from bootlaw.arguments import require_text
from bootlaw.errors import InputError
from bootlaw.laws.continual_laws import CONTINUAL_LAWS
from bootlaw.laws.declaration import Declaration, Declared
from bootlaw.laws.formula import PREFIX, from_formula, latex_name, restored
from bootlaw.laws.law import Definition, Law, Parameter
from bootlaw.laws.names import D1, D2, N
from bootlaw.laws.one_stage_laws import ONE_STAGE_LAWS
from bootlaw.laws.parser import parse
from bootlaw.laws.scratch import SCRATCH_SUFFIX, with_scratch
from bootlaw.laws.size import SIZE_SUFFIX, has_size_form, with_size
from bootlaw.laws.token_laws import TOKEN_LAWS

_DECLARED = {law.key: law for law in (*TOKEN_LAWS, *CONTINUAL_LAWS, *ONE_STAGE_LAWS)}


@cache
def names() -> tuple[str, ...]:
    """Return the keys of all laws, those with a term in the size and a scratch part last."""
    plain = (*_DECLARED, *(f"{key}{SIZE_SUFFIX}" for key in _DECLARED if has_size_form(_base(key))))
    joint = (key for key in plain if has_scratch_form(_base(key)))
    return (*plain, *(f"{key}{SCRATCH_SUFFIX}" for key in joint))


def has_scratch_form(law: Law) -> bool:
    """Return whether rows from scratch can be fitted together with this law's rows.

    They have tokens and a size, but no base whose loss, and no old text whose share, a law
    could read; and they have no place in a law of one D2, nor in one of another quantity.
    """
    return (
        law.is_two_stage
        and law.output == "loss"
        and D2 not in law.single_level
        and set(law.variables) <= {D1, D2, N}
    )


def get(key: str) -> Law:
    """Return the law with this key; InputError with a near match where there is none.

    ``KEY+size`` has a term in the model's size; ``KEY+scratch`` is the joint law with the runs
    from scratch; ``formula:TEXT`` a formula.
    """
    require_text(key=key)
    return _get(key)


def as_law(law: str | Law) -> Law:
    """Return the law with a key, or the law itself; InputError for anything else."""
    if isinstance(law, Law):
        return law
    if not isinstance(law, str):
        raise InputError(f"law is the key of a law, a formula or a Law, not {law!r:.100}")
    return get(law)


@cache
def _get(key: str) -> Law:
    if key.startswith(PREFIX):
        return restored(key)
    base = key.removesuffix(SCRATCH_SUFFIX)
    if base not in names() or (base != key and not has_scratch_form(_base(base))):
        raise _unknown(key)
    return _base(base) if base == key else with_scratch(_base(base))


def _unknown(key: str) -> InputError:
    import difflib

    near = difflib.get_close_matches(key.lower().replace("_", "-"), names(), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return InputError(
        f"no law is called {key!r}{hint} The laws are {', '.join(_DECLARED)}; laws of two stages "
        f"also with {SIZE_SUFFIX} and {SCRATCH_SUFFIX} behind their names (bootlaw laws lists all)."
    )


@cache
def _base(key: str) -> Law:
    """Return a law of the catalogue: its formula, with what was declared of its parameters."""
    if key.endswith(SIZE_SUFFIX):
        return with_size(_base(key.removesuffix(SIZE_SUFFIX)))
    declared = _DECLARED[key]
    law = from_formula(_expanded(declared, declared.formula), key=key)
    inferred = {parameter.name: parameter for parameter in law.parameters}
    return replace(
        law,
        title=declared.title,
        source=declared.source,
        parameters=tuple(_parameter(p, inferred[p.name]) for p in declared.parameters),
        single_level=declared.single_level,
        reuse_only=declared.reuse_only,
        output=declared.output,
        definitions=tuple(
            Definition(name, parse(_expanded(declared, text)))
            for name, text in declared.definitions
        ),
    )


def _expanded(declared: Declaration, formula: str) -> str:
    """Return the formula with the law's defined names replaced by what they stand for."""
    for name, text in reversed(declared.definitions):
        formula = re.sub(rf"\b{name}\b", f"({text})", formula)
    return formula


def _parameter(declared: Declared, inferred: Parameter) -> Parameter:
    return Parameter(
        name=declared.name,
        unit=declared.unit,
        kind=declared.kind or inferred.kind,
        meaning=declared.meaning,
        latex=declared.latex or latex_name(declared.name),
        sign=declared.sign,
    )
