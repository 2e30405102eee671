"""Certified results of the NIST StRD nonlinear sets, fitted as formulas with a squared loss."""

from __future__ import annotations

import json

import numpy as np
import pytest
from nist import FORMULAS, load

from bootlaw import laws
from bootlaw.cli.main import main
from bootlaw.fitting import fit


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("which", [0, 1])
def test_certified_values_to_six_digits(name: str, which: int) -> None:
    known = load(name)
    law = laws.from_formula(known.formula, columns=tuple(known.columns))
    found = fit(
        known.columns,
        law,
        target="y",
        loss="squared",
        scale="level",
        start=known.starts[which],
    )
    fitted = {label: found.value(label) for label in known.values}
    mirrored = _in_certified_order(name, fitted, known.values)
    for label, value in known.values.items():
        assert mirrored[label] == pytest.approx(value, rel=1e-6), label
    assert 2 * found.objective == pytest.approx(known.squares, rel=1e-6, abs=1e-20)


def _in_certified_order(
    name: str, fitted: dict[str, float], certified: dict[str, float]
) -> dict[str, float]:
    """Return the fit with exchangeable terms in the certified order, and signs that only occur
    squared made positive: the optimum is one point up to these symmetries."""
    if name.startswith("Lanczos"):
        groups = [("b1", "b2"), ("b3", "b4"), ("b5", "b6")]
    elif name == "MGH17":
        groups = [("b2", "b4"), ("b3", "b5")]
    elif name == "ENSO":
        groups = [("b4", "b5", "b6"), ("b7", "b8", "b9")]
    elif name.startswith("Gauss"):
        groups = [("b3", "b4", "b5"), ("b6", "b7", "b8")]
        fitted = fitted | {"b5": abs(fitted["b5"]), "b8": abs(fitted["b8"])}
    elif name == "Eckerle4":
        return fitted | {"b1": abs(fitted["b1"]), "b2": abs(fitted["b2"])}
    else:
        return fitted
    key = {"Lanczos": 1, "MGH17": 1, "ENSO": 0, "Gauss": 1}[
        name.rstrip("123") if name != "MGH17" else name
    ]
    own = sorted(
        (tuple(fitted[label] for label in group) for group in groups), key=lambda g: g[key]
    )
    order = np.argsort([certified[group[key]] for group in groups])
    result = dict(fitted)
    for place, values in zip(order, own, strict=True):
        result |= dict(zip(groups[place], values, strict=True))
    return result


def test_the_command_line_fits_any_table_of_numbers(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    known = load("Misra1a")
    table = tmp_path / "misra1a.csv"  # type: ignore[operator]
    rows = zip(known.columns["x"], known.columns["y"], strict=True)
    table.write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows))
    words = ["fit", str(table), "--formula", known.formula, "--target", "y", "--loss", "squared"]
    words += ["--scale", "level", "--start", "b1=500", "--start", "b2=0.0001", "--json"]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    for label, value in known.values.items():
        assert document["params"][label]["value"] == pytest.approx(value, rel=1e-6)
