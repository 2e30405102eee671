"""Joint laws: reuse rows and scratch rows with one irreducible loss."""

from __future__ import annotations

from dataclasses import replace

from bootlaw.errors import InputError
from bootlaw.laws.formula import PREFIX, REUSE, from_formula
from bootlaw.laws.law import Law, Parameter, Part
from bootlaw.laws.names import SHORT_NAMES
from bootlaw.laws.parser import parse

SCRATCH_SUFFIX = "+scratch"

_TOKENS = (
    Parameter(
        "A_s",
        "nats per token, at D = 1 token",
        "coefficient",
        "reducible loss from scratch at D2 = 1 token",
        "A_s",
    ),
    Parameter("a_s", "per ln token", "exponent", "exponent from scratch", r"\alpha_s"),
)
_SIZE = (
    Parameter(
        "B_s",
        "nats per token, at N = 1 parameter",
        "coefficient",
        "loss of a model of 1 parameter, from scratch",
        "B_s",
    ),
    Parameter(
        "b_s", "per ln parameter", "exponent", "exponent of parameters, from scratch", r"\beta_s"
    ),
)


def with_scratch(law: Law) -> Law:
    """Return the joint law: rows with tokens_stage1 = 0 have A_s D2^-a_s and share E.

    A break-even compares reuse with starting over; two fits with two irreducible losses would
    decide it by the difference of two extrapolated constants. The scratch part is the
    one-stage law of arXiv 2203.15556: at one model size, or with B_s N^-b_s for a law that
    reads the size.
    """
    if law.has_scratch_part:
        return law
    if not law.is_two_stage:
        raise InputError(f"law {law.key} has one stage, so a scratch part would repeat it")
    if law.irreducible is None:
        raise InputError(f"law {law.key} has no irreducible loss that a scratch part could share")
    sized = SHORT_NAMES["N"] in law.variables
    formula = "A_s*D2^-a_s" + (" + B_s*N^-b_s" if sized else "") + f" + {law.irreducible}"
    if law.key.startswith(PREFIX):
        return from_formula(f"{_with_rows(law.key.removeprefix(PREFIX))}; scratch: {formula}")
    *reducible, irreducible = law.parameters
    return replace(
        law,
        key=f"{law.key}{SCRATCH_SUFFIX}",
        title=f"{law.title}; with runs from scratch, E shared",
        parameters=(*reducible, *_TOKENS, *(_SIZE if sized else ()), irreducible),
        parts=(
            *(Part(part.expression, "reuse") for part in law.parts),
            Part(parse(formula), "scratch"),
        ),
    )


def _with_rows(formula: str) -> str:
    return formula if formula.startswith(REUSE) else f"{REUSE} {formula}"
