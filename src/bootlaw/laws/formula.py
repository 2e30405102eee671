"""A user's own formula as a law: what kind each parameter is follows from its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache

from bootlaw.arguments import require_text, require_text_or_none, require_texts
from bootlaw.errors import InputError
from bootlaw.laws.canonical import canonical
from bootlaw.laws.expression import Expression, Symbol, symbols, terms_of
from bootlaw.laws.law import Law, Parameter, Part, Rows
from bootlaw.laws.parser import parse

PREFIX = "formula:"
REUSE = "reuse:"
USER = "user formula"
"""The source of a law that nobody else is said to have written."""

_QUOTED = re.compile("`[^`]*`")
_SEMICOLON = re.compile(";(?=(?:[^`]*`[^`]*`)*[^`]*$)")
"""A semicolon outside backquotes: an even number of them follows."""
_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda"),
    *("mu", "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
}


def from_formula(
    text: str,
    *,
    columns: Collection[str] = (),
    key: str | None = None,
    title: str = "A formula of your own",
    source: str = USER,
) -> Law:
    """Return the law of a formula such as ``A*D1^-a1*D2^(-a2+a3*log(D1)) + E``.

    A name that begins with a capital letter is an amount: at least 0 where it is an additive
    constant of the whole formula (the irreducible loss), else above 0 (a coefficient). A name
    that begins with a small letter is free in sign. Formulas for rows with and without a base
    are written ``reuse: ...; scratch: ...``; parameters of one name are one parameter.

    Parameters
    ----------
    columns : names of the table's columns of numbers; see `bootlaw.laws.parser.parse`.
    key : the law's key; by default ``formula:`` and the formula in its canonical form, from
        which `bootlaw.laws.get` restores the law.

    Raises
    ------
    InputError
        Where the text is no formula, or has no parameter to fit.
    """
    require_text(text=text, title=title, source=source)
    require_text_or_none(key=key)
    require_texts(columns=columns)
    parts = _parts(text, columns)
    names = list(dict.fromkeys(name for part in parts for name in symbols(part.expression)))
    if not names:
        raise InputError(f"the formula {text!r} has no parameter; every name in it is a column")
    irreducible = _irreducible([part.expression for part in parts])
    reuse = f"{REUSE} " if len(parts) == 1 and text.strip().startswith(REUSE) else ""
    ordered = [name for name in names if name != irreducible]
    ordered += [irreducible] if irreducible is not None else []
    return Law(
        key=key or PREFIX + reuse + "; ".join(_written(part) for part in parts),
        title=title,
        source=source,
        parameters=tuple(_parameter(name, irreducible) for name in ordered),
        parts=parts,
        irreducible=irreducible,
        reuse_only=bool(reuse),
    )


@cache
def restored(key: str) -> Law:
    """Return the law with a key that `from_formula` gave, or ``formula:`` and any formula."""
    return from_formula(key.removeprefix(PREFIX))


def latex_name(name: str) -> str:
    """Return a parameter's name as LaTeX: ``a_1`` for a1, ``\\alpha_s`` for alpha_s."""
    stem, _, index = name.partition("_")
    if not index:
        stem = name.rstrip("0123456789") or name
        index = name.removeprefix(stem)
    if stem in _GREEK:
        stem = f"\\{stem}"
    elif len(stem) > 1:
        stem = rf"\mathrm{{{_escaped(stem)}}}"
    if len(index) > 1:
        index = f"{{{_escaped(index)}}}"
    return f"{stem}_{index}" if index else stem


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")


def _parts(text: str, columns: Collection[str]) -> tuple[Part, ...]:
    pieces = _SEMICOLON.split(text)
    if len(pieces) == 1 and ":" not in _QUOTED.sub("", text):
        return (Part(parse(text, columns)),)
    if len(pieces) == 1 and text.strip().startswith(REUSE):
        return (Part(parse(text.strip().removeprefix(REUSE), columns)),)
    own = {rows.strip(): formula for rows, _, formula in (p.partition(":") for p in pieces)}
    if len(pieces) != 2 or set(own) != {"reuse", "scratch"}:
        raise InputError("a formula in two parts is written 'reuse: FORMULA; scratch: FORMULA'")
    both: tuple[Rows, Rows] = ("reuse", "scratch")
    return tuple(Part(parse(own[rows], columns), rows) for rows in both)


def _written(part: Part) -> str:
    text = canonical(part.expression)
    return text if part.rows == "all" else f"{part.rows}: {text}"


def _irreducible(expressions: Sequence[Expression]) -> str | None:
    """Return the amount that stands alone as a term of every part and nowhere else.

    None where there is none or several: then no constant of the formula is *the* constant.
    """
    alone = [
        [t.name for t in terms_of(e) if isinstance(t, Symbol) and _is_amount(t.name)]
        for e in expressions
    ]
    inside = {
        name
        for e in expressions
        for term in terms_of(e)
        if not isinstance(term, Symbol)
        for name in symbols(term)
    }
    common = [name for name in dict.fromkeys(alone[0]) if all(name in names for names in alone)]
    free = [name for name in common if name not in inside]
    return free[0] if len(free) == 1 else None


def _is_amount(name: str) -> bool:
    return name[0].isupper()


def _parameter(name: str, irreducible: str | None) -> Parameter:
    symbol = latex_name(name)
    if name == irreducible:
        return Parameter(name, "unit of the target", "irreducible", "constant term", symbol)
    if _is_amount(name):
        return Parameter(name, "as in the formula", "coefficient", "amount above 0", symbol)
    return Parameter(name, "as in the formula", "exponent", "free in sign", symbol, sign=0)
