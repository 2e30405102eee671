"""Exponents with another sign than the law's source claims, or than any data have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from bootlaw.fitting.evidence import Diagnostic, Evidence
from bootlaw.fitting.local import Response, responses
from bootlaw.laws.names import D1, D2
from bootlaw.runs.quantities import short
from bootlaw.runs.schema import column_named

MATERIAL = 1e-4
"""Absolute exponent below which a sign means nothing: 10 times the tokens change the reducible
loss by 0.02 %."""


def _spent(e: Evidence) -> list[str]:
    """Return the counts of which more should help: not D1, which the law with interaction says
    may hurt at a large D2."""
    columns = {name: column_named(name) for name in e.law.variables if name != D1}
    return [name for name, column in columns.items() if column is not None and column.is_count]


def _exponent_sign_change(e: Evidence) -> Iterator[Diagnostic]:
    if not e.identifiable:
        return
    for name in _spent(e):
        found = [r for r in _at_corners(e) if r.variable == name and abs(r.exponent) > MATERIAL]
        if not found:
            continue
        low = min(found, key=lambda r: r.exponent)
        high = max(found, key=lambda r: r.exponent)
        if low.exponent < 0 < high.exponent:
            yield Diagnostic(
                "exponent_sign_change",
                f"the exponent of {name} goes from {high.exponent:.3g} {_where(high, low)} to "
                f"{low.exponent:.3g} {_where(low, high)}, inside the data (0 means that more do "
                "not help); the law fails there, compare it with its rivals",
                "warning",
                low.exponent,
            )


def _at_corners(e: Evidence) -> list[Response]:
    """Return the responses at the corners of the box that the rows with a base span."""
    values = {name: e.rows.table.numbers(name) for name in e.law.variables}
    above = {name: column[column > 0] for name, column in values.items()}
    if not all(column.size for column in above.values()):
        return []
    ends = [np.unique([column.min(), column.max()]).tolist() for column in above.values()]
    corners = [dict(zip(above, corner, strict=True)) for corner in product(*ends)]
    return responses(e.law, e.optimum.u, corners)


def _where(here: Response, there: Response) -> str:
    """Return where a response is, by the variables that set it apart from the other one."""
    apart = [n for n in here.point if here.point[n] != there.point[n]]
    return f"at {', '.join(f'{n} = {short(here.point[n])}' for n in apart)}"


def _unexpected_sign(e: Evidence) -> Iterator[Diagnostic]:
    claimed = [p.name for p in e.law.parameters if p.sign > 0 and p.kind == "exponent"]
    wrong = [name for name in claimed if name not in e.fixed and e.value(name) < 0]
    if not wrong or not e.identifiable:
        return
    listed = ", ".join(f"{name} = {e.value(name):.3g}" for name in wrong)
    yield Diagnostic(
        "unexpected_sign",
        f"{listed}: negative, where the law's source claims positive; check its interval "
        "(--bootstrap 1000) before reading meaning into it",
        "warning",
        e.value(wrong[0]),
    )


def _loss_rises(e: Evidence) -> Iterator[Diagnostic]:
    if not e.identifiable or e.law.output != "loss":
        return
    points = e.middles
    spent = _spent(e)
    for found in responses(e.law, e.optimum.u, points):
        # Over a decade, as a share of the loss at the point: what a reader would see.
        rise = found.slope * np.log(10.0) / e.rows.table.numbers("loss").mean()
        if found.variable not in spent or not rise > MATERIAL:
            continue
        scratch = " from scratch" if found.point.get(D1) == 0 and found.variable == D2 else ""
        yield Diagnostic(
            "loss_rises",
            f"in the middle of the data the fitted loss{scratch} rises with {found.variable}, by "
            f"{rise:.2g} of itself per factor of 10: are columns swapped, rows of several studies "
            "mixed, or runs diverged? look at them with bootlaw runs check",
            "warning",
            rise,
        )


CHECKS = (_exponent_sign_change, _unexpected_sign, _loss_rises)
