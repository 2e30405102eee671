"""The laws that bootlaw knows, each as one declaration with its source."""

from __future__ import annotations

import difflib
from functools import cache

from bootlaw.errors import InputError
from bootlaw.laws.features import (
    D1,
    D2,
    EFFECTIVE_DATA,
    LN_D1,
    LN_D1_LN_D2,
    LN_D2,
    LN_TOTAL,
    ONE,
)
from bootlaw.laws.law import Factor, Law, Parameter, Term
from bootlaw.laws.scratch import SCRATCH_SUFFIX, with_scratch

PER_LN = "per ln token, at D = 1 token"
"""Unit of an exponent whose value moves with the unit of tokens when there is an interaction."""
NATS = "nats per token"
PLAIN = "per ln token"


def _coefficient(name: str, meaning: str) -> Parameter:
    return Parameter(name, f"{NATS}, at D = 1 token", "coefficient", meaning, name)


def _exponent(name: str, meaning: str, unit: str = PLAIN) -> Parameter:
    symbol = {"a1": r"\alpha_1", "a2": r"\alpha_2", "a3": r"\alpha_3", "a": r"\alpha"}
    latex = symbol.get(name, r"\beta" if name == "b" else name)
    return Parameter(name, unit, "exponent", meaning, latex)


_E = Parameter("E", NATS, "irreducible", "loss that more tokens cannot remove", "E")
_A_ONE = Factor("A", ONE)
_B_ONE = Factor("B", ONE)

BOOTSTRAPPED = Law(
    key="bootstrapped",
    title="Bootstrapped pretraining: the second stage's exponent falls with ln D1",
    source="Liew & Kato, arXiv 2510.06548, the main law; the same form with numbers in "
    "Liew, Kato & Takase, arXiv 2502.03009",
    parameters=(
        _coefficient("A", "reducible loss at D1 = D2 = 1 token"),
        _exponent("a1", "stage-1 exponent at D2 = 1 token", PER_LN),
        _exponent("a2", "stage-2 exponent at D1 = 1 token", PER_LN),
        _exponent("a3", "fall of the stage-2 exponent per unit of ln D1", "per (ln token)^2"),
        _E,
    ),
    variables=(D1, D2),
    terms=(
        Term(
            (
                _A_ONE,
                Factor("a1", LN_D1, -1),
                Factor("a2", LN_D2, -1),
                Factor("a3", LN_D1_LN_D2),
            )
        ),
    ),
)

MULTIPLICATIVE = Law(
    key="multiplicative",
    title="Multiplicative: the main law without interaction (a3 = 0)",
    source="comparison form of arXiv 2510.06548; Zhang et al., arXiv 2402.17193",
    parameters=(
        _coefficient("A", "reducible loss at D1 = D2 = 1 token"),
        _exponent("a1", "stage-1 exponent"),
        _exponent("a2", "stage-2 exponent"),
        _E,
    ),
    variables=(D1, D2),
    terms=(Term((_A_ONE, Factor("a1", LN_D1, -1), Factor("a2", LN_D2, -1))),),
)

TOTAL_TOKENS = Law(
    key="total-tokens",
    title="Total tokens: a token counts the same in either stage (the no-shift null)",
    source="one-stage law of Hoffmann et al., arXiv 2203.15556, at D = D1 + D2",
    parameters=(
        _coefficient("A", "reducible loss at D1 + D2 = 1 token"),
        _exponent("a", "exponent of all tokens"),
        _E,
    ),
    variables=(D1, D2),
    terms=(Term((_A_ONE, Factor("a", LN_TOTAL, -1))),),
)

ADDITIVE = Law(
    key="additive",
    title="Additive: each stage has a power law of its own",
    source="comparison form of arXiv 2510.06548, table 2",
    parameters=(
        _coefficient("A", "stage-1 reducible loss at D1 = 1 token"),
        _exponent("a1", "stage-1 exponent"),
        _coefficient("B", "stage-2 reducible loss at D2 = 1 token"),
        _exponent("a2", "stage-2 exponent"),
        _E,
    ),
    variables=(D1, D2),
    terms=(
        Term((_A_ONE, Factor("a1", LN_D1, -1))),
        Term((_B_ONE, Factor("a2", LN_D2, -1))),
    ),
)

EFFECTIVE = Law(
    key="effective-data",
    title="Effective data: stage 1 is worth k D1^c tokens of stage 2",
    source="after Hernandez et al., arXiv 2102.01293 (effective data transferred), and the "
    "rectified law of Lin et al., arXiv 2402.02314",
    parameters=(
        _coefficient("B", "reducible loss at 1 token of effective data"),
        Parameter("k", "tokens of stage 2 at D1 = 1 token", "coefficient", "worth of stage 1", "k"),
        Parameter("c", PLAIN, "exponent", "exponent of the worth of stage 1", "c"),
        _exponent("b", "exponent of effective data"),
        _E,
    ),
    variables=(D1, D2),
    terms=(Term((_B_ONE, Factor("b", EFFECTIVE_DATA, -1))),),
)

POWER = Law(
    key="power",
    title="Power law in the tokens of one stage",
    source="Hoffmann et al., arXiv 2203.15556, at one model size",
    parameters=(
        _coefficient("A", "reducible loss at D2 = 1 token"),
        _exponent("a", "exponent"),
        _E,
    ),
    variables=(D2,),
    terms=(Term((_A_ONE, Factor("a", LN_D2, -1))),),
)

_BASE = {
    law.key: law for law in (BOOTSTRAPPED, MULTIPLICATIVE, TOTAL_TOKENS, ADDITIVE, EFFECTIVE, POWER)
}


def names() -> tuple[str, ...]:
    """Return the keys of all laws, those with a scratch part last."""
    joint = (f"{key}{SCRATCH_SUFFIX}" for key, law in _BASE.items() if law.is_two_stage)
    return (*_BASE, *joint)


@cache
def get(key: str) -> Law:
    """Return the law with this key; InputError with a near match where there is none."""
    if key not in names():
        near = difflib.get_close_matches(key.lower().replace("_", "-"), names(), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise InputError(f"no law is called {key!r}{hint} The laws are {', '.join(names())}.")
    base = key.removesuffix(SCRATCH_SUFFIX)
    return _BASE[base] if base == key else with_scratch(_BASE[base])
