"""Laws of continual pretraining that look at more than the tokens of two stages."""

from __future__ import annotations

from bootlaw.laws.declaration import (
    A3,
    AT_ONE,
    AT_TOKEN,
    NATS,
    PER_LN,
    PER_LN_N,
    Declaration,
    Declared,
    E,
)

CONTINUAL_LAWS: tuple[Declaration, ...] = (
    Declaration(
        "cpt-dynamics",
        "Continual pretraining at constant rate: a loss of all tokens plus a shift that fades",
        "arXiv 2505.07796, at constant learning rate: the shift does not depend on when it happens",
        "A*(D1 + D2)^-a + B*(1 - (1 + F*D2)^-b) + E",
        (
            Declared("A", "reducible loss at D1 + D2 = 1 token", AT_ONE),
            Declared("a", "exponent of all tokens", PER_LN, r"\alpha"),
            Declared("B", "whole shift between the texts", NATS),
            Declared("F", "speed of the shift", "per token of stage 2"),
            Declared("b", "exponent of the shift", PER_LN, r"\beta"),
            E,
        ),
    ),
    Declaration(
        "base-loss",
        "Base loss: of stage 1 only the loss that it reached matters",
        "the idea of arXiv 2606.05610; L1 is the base's own loss on the held-out text",
        "A*L1^g*D2^-a + E",
        (
            Declared("A", "reducible loss at L1 = 1 nat and D2 = 1 token", AT_ONE),
            Declared("g", "exponent of the base's loss", "per ln nat", r"\gamma"),
            Declared("a", "stage-2 exponent", PER_LN, r"\alpha"),
            E,
        ),
        reuse_only=True,
    ),
    Declaration(
        "tokens-per-param",
        "Tokens per parameter: the main law in D1 / N",
        "what PTPP-aware continual pretraining, arXiv 2510.23198, suggests",
        "A*(D1/N)^-a1*D2^(-a2 + a3*log(D1/N)) + E",
        (
            Declared("A", "reducible loss at D1 = N, D2 = 1 token", AT_ONE),
            Declared("a1", "stage-1 exponent at D2 = 1 token", AT_TOKEN, r"\alpha_1"),
            Declared("a2", "stage-2 exponent at D1 = N", PER_LN, r"\alpha_2"),
            A3,
            E,
        ),
    ),
    Declaration(
        "d-cpt",
        "D-CPT: loss on a domain against size, tokens and the domain's share, 1 - replay",
        "Que et al., arXiv 2406.01375; their r, the share of domain text, is 1 - replay here, "
        "and their epsilon is k",
        "A*N^-al + B*(1 - replay)^eta*D2^-be + C_r*((1 - replay) + k)^-ga + E",
        (
            Declared("A", "loss of a model of 1 parameter", f"{NATS}, at N = 1 parameter"),
            Declared("al", "exponent of parameters", PER_LN_N, r"\alpha"),
            Declared("B", "reducible loss at 1 token of the domain alone", AT_ONE),
            Declared("eta", "exponent of the domain's share", "per ln share", r"\eta"),
            Declared("be", "exponent of stage-2 tokens", PER_LN, r"\beta"),
            Declared("C_r", "amount of the share's own term, where 1 - replay + k = 1", NATS, "C"),
            Declared(
                "k",
                "offset of the share, which keeps its term finite at 0",
                "share",
                r"\epsilon",
                kind="coefficient",
            ),
            Declared("ga", "exponent of the share itself", "per ln share", r"\gamma"),
            E,
        ),
        reuse_only=True,
    ),
    Declaration(
        "data-transferred",
        "Effective data transferred: the tokens of stage 2 that a base is worth",
        "Hernandez et al., arXiv 2102.01293: D_T = k D_F^alpha N^beta, D_F being D2",
        "k*D2^al*N^be",
        (
            Declared(
                "k",
                "worth at 1 token and 1 parameter",
                "tokens of stage 2",
                kind="coefficient",
            ),
            Declared("al", "exponent of stage-2 tokens", PER_LN, r"\alpha"),
            Declared("be", "exponent of parameters", PER_LN_N, r"\beta"),
        ),
        reuse_only=True,
        output="tokens_transferred",
    ),
    Declaration(
        "mixture-ratio",
        "Critical mixture ratio: the largest share of domain text that costs nothing elsewhere",
        "Gu et al., arXiv 2407.17467; T is stage-2 tokens in units of 0.2e9",
        "b0 + b1*(D2/0.2e9)^s",
        (
            Declared("b0", "ratio far out, where s < 0", "share", r"\beta_0", sign=0),
            Declared("b1", "change of the ratio from there at T = 1", "share", r"\beta_1", sign=0),
            Declared("s", "exponent", "per ln token", "s", sign=0),
        ),
        reuse_only=True,
        output="critical_ratio",
    ),
    Declaration(
        "cross-lingual",
        "Cross-lingual continual pretraining: tokens count for more in larger models",
        "Zheng et al., arXiv 2407.02118 (be 0.20, ga 0.08)",
        "A*N^-al + B*D2^-be*N^-ga + E",
        (
            Declared("A", "loss of a model of 1 parameter", f"{NATS}, at N = 1 parameter"),
            Declared("al", "exponent of parameters", PER_LN_N, r"\alpha"),
            Declared("B", "reducible loss at D2 = 1 token, N = 1 parameter", AT_ONE),
            Declared("be", "exponent of stage-2 tokens", PER_LN, r"\beta"),
            Declared("ga", "exponent of parameters in the tokens' term", PER_LN_N, r"\gamma"),
            E,
        ),
        reuse_only=True,
    ),
)
