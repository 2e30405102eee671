"""The columns of a run table that laws read, and the short names they have in formulas."""

from __future__ import annotations

from collections.abc import Mapping

D1 = "tokens_stage1"
D2 = "tokens_stage2"
N = "params"

METHOD_NUMBER = "method_number"
"""Column that tells the methods of a joint fit apart, from 1; 0 on runs from scratch."""

SHORT_NAMES: Mapping[str, str] = {
    "D1": D1,
    "D2": D2,
    "D": D2,
    "N": N,
    "N1": "params_base",
    "U": "unique_tokens",
    "L1": "loss_base",
    "r": "replay",
    "C": "flops",
}
"""Short name in a formula -> column. ``D`` is the tokens of the only stage, which a run table
keeps as ``tokens_stage2``."""

SHORT_NAME_OF: Mapping[str, str] = {
    column: short for short, column in reversed(list(SHORT_NAMES.items()))
}
"""Column -> the first of its short names."""

USUAL_PARAMETERS = frozenset(
    {
        *("A", "A_s", "B", "B_n", "B_s", "C_r", "Dl", "E", "F", "G", "R_D", "R_N"),
        *("a", "a1", "a2", "a3", "a_s", "al", "b", "b0", "b1", "b_n", "b_s", "be", "c", "eta"),
        *("g", "ga", "k", "s"),
    }
)
"""The names of the catalogue's parameters: a column called so is not taken for one silently."""
