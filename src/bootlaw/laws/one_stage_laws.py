"""Laws of one stage of training."""

from __future__ import annotations

from bootlaw.laws.declaration import (
    A_EXP_N,
    A_N,
    AT_ONE,
    B_D,
    B_EXP_D,
    NATS,
    PER_LN,
    Declaration,
    Declared,
    E,
)

ONE_STAGE_LAWS: tuple[Declaration, ...] = (
    Declaration(
        "repeated-data",
        "Repeated data: repetitions of U unique tokens, and parameters beyond them, fade",
        "Muennighoff et al., arXiv 2305.16264, section 3: D' = U_D + U_D R_D "
        "(1 - exp(-(epochs - 1) / R_D)) with U_D = D / M_D, and the same for N beyond the size "
        "that the Chinchilla part gives U_D",
        "A*(N/M_N*(1 + R_N*(1 - exp(-(M_N - 1)/R_N))))^-a"
        " + B*(D/M_D*(1 + R_D*(1 - exp(-(M_D - 1)/R_D))))^-b + E",
        (
            A_N,
            A_EXP_N,
            B_D,
            B_EXP_D,
            Declared("R_N", "excess of parameters at which their worth fades by e", "1", "R_N^*"),
            Declared("R_D", "repetitions at which the tokens' worth fades by e", "epochs", "R_D^*"),
            E,
        ),
        definitions=(
            # Epochs of the unique tokens; compute-optimal sizes are N = G (C/6)^(b/(a+b)) and
            # D = (C/6)^(a/(a+b)) / G, so that N = G (G D)^(b/a); and how often N holds that.
            ("M_D", "max(D/U, 1)"),
            ("G", "(a*A/(b*B))^(1/(a + b))"),
            ("M_N", "max(N/(G*(G*D/M_D)^(b/a)), 1)"),
        ),
    ),
    Declaration(
        "chinchilla",
        "Chinchilla: parameters and tokens of one stage",
        "Hoffmann et al., arXiv 2203.15556, approach 3",
        "A*N^-a + B*D^-b + E",
        (A_N, A_EXP_N, B_D, B_EXP_D, E),
    ),
    Declaration(
        "over-training",
        "Over-training: one exponent of compute at any tokens per parameter M = D/N",
        "Gadre et al., arXiv 2403.08540, with compute C = 6 N D",
        "(A*(D/N)^eta + B*(D/N)^-eta)*(6*N*D)^-eta + E",
        (
            Declared("A", "loss at C = 1 FLOP from too few parameters", f"{NATS}, at C = 1 FLOP"),
            Declared("B", "loss at C = 1 FLOP from too few tokens", f"{NATS}, at C = 1 FLOP"),
            Declared("eta", "exponent of compute", "per ln FLOP", r"\eta"),
            E,
        ),
    ),
    Declaration(
        "rectified",
        "Rectified: a base already knows what Dl^(1/b) tokens would teach",
        "Lin et al., arXiv 2402.02314",
        "B/(Dl + D^b) + E",
        (
            Declared("B", "reducible loss times tokens^b", f"{NATS} times token^b"),
            Declared("Dl", "pre-learned data size", "tokens^b", "D_l"),
            Declared("b", "exponent of tokens", PER_LN, r"\beta"),
            E,
        ),
    ),
    Declaration(
        "power",
        "Power law in the tokens of one stage",
        "Hoffmann et al., arXiv 2203.15556, at one model size",
        "A*D^-a + E",
        (
            Declared("A", "reducible loss at D2 = 1 token", AT_ONE),
            Declared("a", "exponent", PER_LN, r"\alpha"),
            E,
        ),
    ),
)
