"""OLMo ladder: losses on C4 of 5 sizes, each at 5 token counts; predict the largest size."""

from __future__ import annotations

import numpy as np

from bootlaw.laws import from_formula
from bootlaw.runs import RunTable
from real.forecasts import Recipe, forecast, misfit_or_none, rms
from real.outcome import Outcome
from real.rows import Folder, run_table, split

FILE = "olmo_ladder_final.csv"
PUBLISHED_FIT = 0.0054
"""RMS log error of the published fit (Chinchilla form) over all 30 rows."""
PUBLISHED_HELD_OUT = (0.002, 0.025)
"""Absolute log errors of that fit on the largest size when only the others are fitted."""

RECIPES = (
    Recipe("chinchilla", "chinchilla"),
    Recipe(
        "A*N^-a + B*D^-b*N^-c + E (form of arXiv 2407.02118)",
        from_formula("A*N^-a + B*D^-b*N^-c + E"),
    ),
)


def outcomes(folder: Folder) -> list[Outcome]:
    """Return the fit of all rows and the forecast of the largest size."""
    rows = folder.read(FILE)
    fitted, held_out = (
        run_table(part, loss="loss_c4_en")
        for part in split(rows, lambda row: float(row["params"]) >= 3e9)
    )
    inner = _inner(fitted)
    recipe = RECIPES[int(np.argmin(inner))]
    choice = ", ".join(
        f"{one.name}: {error:.2%}" for one, error in zip(RECIPES, inner, strict=True)
    )
    chosen = f"RMS at the inner hold-out, the 1.3B models: {choice}"
    return [
        _fit_outcome(recipe, run_table(rows, loss="loss_c4_en")),
        _forecast_outcome(recipe, fitted, held_out, chosen),
    ]


def _inner(fitted: RunTable) -> list[float]:
    top = fitted.numbers("params") > 1e9
    return [rms(one.missed(fitted.select(~top), fitted.select(top))) for one in RECIPES]


def _fit_outcome(recipe: Recipe, table: RunTable) -> Outcome:
    error = recipe.fitted(table).rms_log
    return Outcome(
        "OLMo ladder, loss on C4",
        "all rows fitted",
        f"{len(table)}",
        f"{recipe.name}, delta auto",
        "RMS log error",
        f"{error:.2%}",
        f"{PUBLISHED_FIT:.2%}",
        error <= PUBLISHED_FIT,
        error / PUBLISHED_FIT,
    )


def _forecast_outcome(recipe: Recipe, fitted: RunTable, held_out: RunTable, chosen: str) -> Outcome:
    found = misfit_or_none(recipe, fitted, "params")
    ahead = forecast(recipe, fitted, held_out, [found] if found else [])
    missed = np.sort(np.abs(ahead.errors))
    published = RECIPES[0].missed(fitted, held_out)
    return Outcome(
        "OLMo ladder, loss on C4",
        "params < 3e9 fitted, the 3B models held out",
        f"{len(fitted)} fitted, {len(held_out)} held out",
        f"{recipe.name}, delta auto; {chosen}",
        "largest absolute log error (range)",
        f"{missed[-1]:.2%} ({missed[0]:.2%} to {missed[-1]:.2%}), RMS {rms(missed):.2%}",
        f"{PUBLISHED_HELD_OUT[1]:.1%} ({PUBLISHED_HELD_OUT[0]:.1%} to "
        f"{PUBLISHED_HELD_OUT[1]:.1%}); RMS of chinchilla here {rms(published):.2%}",
        bool(missed[-1] <= PUBLISHED_HELD_OUT[1]) and rms(missed) <= rms(published),
        missed[-1] / PUBLISHED_HELD_OUT[1],
        ahead.covered,
        ahead.bare,
        (
            f"errors share a sign (mean {ahead.errors.mean():+.2%}): the floor E is the hard part; "
            "the smallest error is not below the published smallest one",
        ),
    )
