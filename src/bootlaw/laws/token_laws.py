"""The main law of two-stage pretraining and its rivals in the tokens of the two stages."""

from __future__ import annotations

from bootlaw.laws.declaration import (
    A1,
    A1_AT,
    A2,
    A2_AT,
    A3,
    A_EXP_N,
    A_N,
    A_TOKENS,
    AT_ONE,
    B_EXP_N,
    B_N,
    COMPARED,
    LIEW_KATO,
    PER_LN,
    PER_LN_N,
    A,
    Declaration,
    Declared,
    E,
    K,
)
from bootlaw.laws.names import D1, D2

TOKEN_LAWS: tuple[Declaration, ...] = (
    Declaration(
        "bootstrapped",
        "Bootstrapped pretraining: the second stage's exponent falls with ln D1",
        f"{LIEW_KATO}, the main law; the same form with numbers in Liew, Kato & Takase, "
        "arXiv 2502.03009",
        "A*D1^-a1*D2^(-a2 + a3*log(D1)) + E",
        (A, A1_AT, A2_AT, A3, E),
    ),
    Declaration(
        "bootstrapped-joint",
        "Bootstrapped pretraining with model size",
        f"{LIEW_KATO}, the joint law (Fig. 4); Liew, Kato & Takase, arXiv 2502.03009",
        "A*D1^-a1*D2^(-a2 + a3*log(D1)) + B*N^-b + E",
        (A, A1_AT, A2_AT, A3, B_N, B_EXP_N, E),
    ),
    Declaration(
        "fixed-base",
        "One base: a power law in the tokens of stage 2",
        f"{LIEW_KATO}, Fig. 1 left: the main law at one D1",
        "A*D2^-a + E",
        (A_TOKENS, Declared("a", "stage-2 exponent of this base", PER_LN, r"\alpha"), E),
        single_level=(D1,),
        reuse_only=True,
    ),
    Declaration(
        "fixed-stage2",
        "One length of stage 2: a power law in the tokens of stage 1",
        f"{LIEW_KATO}, Fig. 3: the main law at one D2",
        "A*D1^-b + E",
        (A_TOKENS, Declared("b", "stage-1 exponent at this D2", PER_LN, r"\beta"), E),
        single_level=(D2,),
        reuse_only=True,
    ),
    Declaration(
        "total-tokens",
        "Total tokens: a token counts the same in either stage (the no-shift null)",
        "one-stage law of Hoffmann et al., arXiv 2203.15556, at D = D1 + D2",
        "A*(D1 + D2)^-a + E",
        (
            Declared("A", "reducible loss at D1 + D2 = 1 token", AT_ONE),
            Declared("a", "exponent of all tokens", PER_LN, r"\alpha"),
            E,
        ),
    ),
    Declaration(
        "additive",
        "Additive: each stage has a power law of its own",
        COMPARED,
        "A*D1^-a1 + B*D2^-a2 + E",
        (
            Declared("A", "stage-1 reducible loss at D1 = 1 token", AT_ONE),
            A1,
            Declared("B", "stage-2 reducible loss at D2 = 1 token", AT_ONE),
            A2,
            E,
        ),
    ),
    Declaration(
        "multiplicative",
        "Multiplicative: the main law without interaction (a3 = 0)",
        f"comparison form of {LIEW_KATO}; Zhang et al., arXiv 2402.17193",
        "A*D1^-a1*D2^-a2 + E",
        (A, A1, A2, E),
    ),
    Declaration(
        "hybrid",
        "Hybrid: a transfer gap that stage 1 does not close falls with stage 2",
        "Mikami et al., arXiv 2108.11018; Barnett, arXiv 2408.16947; " + COMPARED,
        "(A*D1^-a1 + G)*D2^-a2 + E",
        (
            A,
            A1,
            Declared("G", "transfer gap at D2 = 1 token", AT_ONE),
            A2,
            E,
        ),
    ),
    Declaration(
        "effective-data",
        "Effective data: stage 1 is worth k D1^c tokens of stage 2",
        "after Hernandez et al., arXiv 2102.01293 (effective data transferred), and the "
        "rectified law of Lin et al., arXiv 2402.02314",
        "B*(D2 + k*D1^c)^-b + E",
        (
            Declared("B", "reducible loss at 1 token of effective data", AT_ONE),
            K,
            Declared("c", "exponent of the worth of stage 1", PER_LN),
            Declared("b", "exponent of effective data", PER_LN, r"\beta"),
            E,
        ),
    ),
    Declaration(
        "effective-data-joint",
        "Effective data with model size: pretraining is worth k D2^al N^be tokens",
        "Hernandez et al., arXiv 2102.01293, D_T = k D_F^al N^be, in a scratch law of N and D",
        "A*N^-a + B*(D2 + k*D2^al*N^be)^-b + E",
        (
            A_N,
            A_EXP_N,
            Declared("B", "reducible loss at 1 token of effective data", AT_ONE),
            Declared(
                "k",
                "worth of pretraining at 1 token and 1 parameter",
                "tokens of stage 2",
                kind="coefficient",
            ),
            Declared("al", "exponent of stage-2 tokens in the worth", PER_LN, r"\alpha_T"),
            Declared("be", "exponent of parameters in the worth", PER_LN_N, r"\beta_T"),
            Declared("b", "exponent of effective data", PER_LN, r"\beta"),
            E,
        ),
        reuse_only=True,
    ),
)
