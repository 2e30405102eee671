"""Joint laws: reuse rows and scratch rows of one model with one irreducible loss."""

from __future__ import annotations

from dataclasses import replace

from bootlaw.errors import InputError
from bootlaw.laws.features import LN_D2, ONE
from bootlaw.laws.law import Factor, Law, Parameter, Term

SCRATCH_SUFFIX = "+scratch"

_SCRATCH_PARAMETERS = (
    Parameter(
        "A_s",
        "nats per token, at D = 1 token",
        "coefficient",
        "reducible loss from scratch at D2 = 1 token",
        "A_s",
    ),
    Parameter("a_s", "per ln token", "exponent", "exponent from scratch", r"\alpha_s"),
)


def with_scratch(law: Law) -> Law:
    """Return the joint law: rows with tokens_stage1 = 0 have A_s D2^-a_s and share E.

    A break-even compares reuse with starting over; two fits with two irreducible losses would
    decide it by the difference of two extrapolated constants. The scratch part is the
    one-stage law of arXiv 2203.15556 at one model size.
    """
    if law.has_scratch_part:
        return law
    if not law.is_two_stage:
        raise InputError(f"law {law.key} has one stage, so a scratch part would repeat it")
    scratch = Term((Factor("A_s", ONE), Factor("a_s", LN_D2, -1)), rows="scratch")
    *reducible, irreducible = law.parameters
    return replace(
        law,
        key=f"{law.key}{SCRATCH_SUFFIX}",
        title=f"{law.title}; with runs from scratch, E shared",
        parameters=(*reducible, *_SCRATCH_PARAMETERS, irreducible),
        terms=(*(replace(term, rows="reuse") for term in law.terms), scratch),
    )
