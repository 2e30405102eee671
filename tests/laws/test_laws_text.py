"""Laws in plain text and LaTeX."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from bootlaw import laws

PLAIN = {
    "A*(1 - D1/D2)": "L = A (1 - D1 / D2)",
    "-a*log(D1 + D2) - 3": "L = -a ln(D1 + D2) - 3",
    "A/(B*C1)/D": "L = A / (B C1) / D2",
    "(A*D)^-a^b": "L = (A D2)^(-a^b)",
    "(A^a)^b": "L = (A^a)^b",
    "x*log(D)^2": "L = x (ln D2)^2",
    "A*exp(-D/B)": "L = A exp(-D2 / B)",
    "max(A, D*x)": "L = max(A, D2 x)",
    "A*1e-9*D + 250000000*B": "L = A D2 / 1e9 + 2.5e8 B",
    "A*replay^x + B*peak": "L = A replay^x + B peak",
}
LATEX = {
    "A*D1^-a1*D2^(-a2+a3*log(D1)) + E": r"L = A \, D_1^{-a_1} \, D_2^{-a_2 + a_3 \, \ln D_1} + E",
    "A/(1 + x)^2": r"L = \frac{A}{\left(1 + x\right)^{2}}",
    "A*B/(1 + x)": r"L = \frac{A \, B}{1 + x}",
    "(A + B)/D": r"L = \frac{A + B}{D_2}",
    "exp(-x)*loss_base": r"L = e^{-x} \, L_1",
    "sin(x)*3e9": r"L = 3 \cdot 10^{9} \, \sin\left(x\right)",
    "sqrt(alpha_s*`my col`)": r"L = \left(\alpha_s \, \mathrm{my col}\right)^{0.5}",
    "A^a^b": "L = A^{a^{b}}",
}


@pytest.mark.parametrize("formula", PLAIN)
def test_plain_text(formula: str) -> None:
    assert laws.from_formula(formula).formula == PLAIN[formula]


@pytest.mark.parametrize("formula", LATEX)
def test_latex(formula: str) -> None:
    assert laws.from_formula(formula).latex == LATEX[formula]


@pytest.mark.parametrize("key", [key for key in laws.names() if "+" not in key])
def test_latex_can_be_typeset(key: str) -> None:
    assert MathTextParser("path").parse(f"${laws.get(key).latex}$").width > 0


def test_named_parts_keep_a_long_formula_readable() -> None:
    law = laws.get("repeated-data")
    assert law.formula == (
        "L = A (N (1 + R_N (1 - exp(-(M_N - 1) / R_N))) / M_N)^-a + "
        "B (D2 (1 + R_D (1 - exp(-(M_D - 1) / R_D))) / M_D)^-b + E with M_D = max(D2 / U, 1), "
        "G = (a A / (b B))^(1 / (a + b)), M_N = max(N / (G (G D2 / M_D)^(b / a)), 1)"
    )
    assert r", \quad M_D = \max\left(\frac{D_2}{U}, 1\right)" in law.latex


def test_joint_laws_say_which_rows_have_which_formula() -> None:
    law = laws.get("bootstrapped-joint+scratch")
    assert law.formula == (
        "L = A D1^-a1 D2^(-a2 + a3 ln D1) + B N^-b + E where D1 > 0; "
        "A_s D2^-a_s + B_s N^-b_s + E where D1 = 0"
    )
    assert law.latex.startswith(r"L = \begin{cases} A")
    assert r"& D_1 > 0 \\ A_s" in law.latex
