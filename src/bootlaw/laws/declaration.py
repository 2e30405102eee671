"""What a law of the catalogue declares, and the parameters that many of them share.

Exponents of tokens are per ln token, coefficients are in nats per token at one unit of their
variables (raw tokens, raw parameters). With an interaction or with logarithms in an exponent
these numbers move with the unit of tokens, which is why the unit is part of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bootlaw.laws.law import Kind

NATS = "nats per token"
AT_ONE = f"{NATS}, at D = 1 token"
PER_LN = "per ln token"
AT_TOKEN = "per ln token, at D = 1 token"
PER_LN_N = "per ln parameter"


@dataclass(frozen=True)
class Declared:
    """One parameter: name, meaning, unit, and LaTeX where the name is not it.

    `kind` follows from the name, as in a user's formula, unless given; `sign` is 0 where the
    source claims no sign.
    """

    name: str
    meaning: str
    unit: str
    latex: str = ""
    kind: Kind | None = None
    sign: Literal[0, 1] = 1


@dataclass(frozen=True)
class Declaration:
    """One law; see `bootlaw.laws.law.Law` for the fields.

    `definitions` are names for parts of the formula, each with its own formula, which may hold
    the names before it.
    """

    key: str
    title: str
    source: str
    formula: str
    parameters: tuple[Declared, ...]
    single_level: tuple[str, ...] = ()
    reuse_only: bool = False
    output: str = "loss"
    definitions: tuple[tuple[str, str], ...] = ()


A = Declared("A", "reducible loss at D1 = D2 = 1 token", AT_ONE)
A_TOKENS = Declared("A", "reducible loss at 1 token", AT_ONE)
E = Declared("E", "loss that more tokens cannot remove", NATS)
A1 = Declared("a1", "stage-1 exponent", PER_LN, r"\alpha_1")
A2 = Declared("a2", "stage-2 exponent", PER_LN, r"\alpha_2")
A1_AT = Declared("a1", "stage-1 exponent at D2 = 1 token", AT_TOKEN, r"\alpha_1")
A2_AT = Declared("a2", "stage-2 exponent at D1 = 1 token", AT_TOKEN, r"\alpha_2")
A3 = Declared(
    "a3", "fall of the stage-2 exponent per unit of ln D1", "per (ln token)^2", r"\alpha_3"
)
B_N = Declared("B", "loss of a model of 1 parameter", f"{NATS}, at N = 1 parameter")
B_EXP_N = Declared("b", "exponent of parameters", PER_LN_N, r"\beta")
A_N = Declared("A", "loss of a model of 1 parameter", f"{NATS}, at N = 1 parameter")
A_EXP_N = Declared("a", "exponent of parameters", PER_LN_N, r"\alpha")
B_D = Declared("B", "reducible loss at 1 token", AT_ONE)
B_EXP_D = Declared("b", "exponent of tokens", PER_LN, r"\beta")
K = Declared("k", "worth of stage 1 at 1 token", "tokens of stage 2", kind="coefficient")

LIEW_KATO = "Liew & Kato, arXiv 2510.06548"
COMPARED = f"comparison form of {LIEW_KATO}, table 2"
