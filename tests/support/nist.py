"""The NIST StRD nonlinear regression data sets, as published, and their models as formulas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "data" / "nist_strd"

FORMULAS = {
    "Bennett5": "b1*(b2+x)^(-1/b3)",
    "BoxBOD": "b1*(1-exp(-b2*x))",
    "Chwirut1": "exp(-b1*x)/(b2+b3*x)",
    "Chwirut2": "exp(-b1*x)/(b2+b3*x)",
    "DanWood": "b1*x^b2",
    "ENSO": "b1 + b2*cos(2*3.141592653589793*x/12) + b3*sin(2*3.141592653589793*x/12)"
    " + b5*cos(2*3.141592653589793*x/b4) + b6*sin(2*3.141592653589793*x/b4)"
    " + b8*cos(2*3.141592653589793*x/b7) + b9*sin(2*3.141592653589793*x/b7)",
    "Eckerle4": "(b1/b2)*exp(-0.5*((x-b3)/b2)^2)",
    "Gauss1": "b1*exp(-b2*x) + b3*exp(-(x-b4)^2/b5^2) + b6*exp(-(x-b7)^2/b8^2)",
    "Gauss2": "b1*exp(-b2*x) + b3*exp(-(x-b4)^2/b5^2) + b6*exp(-(x-b7)^2/b8^2)",
    "Gauss3": "b1*exp(-b2*x) + b3*exp(-(x-b4)^2/b5^2) + b6*exp(-(x-b7)^2/b8^2)",
    "Hahn1": "(b1+b2*x+b3*x^2+b4*x^3)/(1+b5*x+b6*x^2+b7*x^3)",
    "Kirby2": "(b1+b2*x+b3*x^2)/(1+b4*x+b5*x^2)",
    "Lanczos1": "b1*exp(-b2*x)+b3*exp(-b4*x)+b5*exp(-b6*x)",
    "Lanczos2": "b1*exp(-b2*x)+b3*exp(-b4*x)+b5*exp(-b6*x)",
    "Lanczos3": "b1*exp(-b2*x)+b3*exp(-b4*x)+b5*exp(-b6*x)",
    "MGH09": "b1*(x^2+x*b2)/(x^2+x*b3+b4)",
    "MGH10": "b1*exp(b2/(x+b3))",
    "MGH17": "b1+b2*exp(-x*b4)+b3*exp(-x*b5)",
    "Misra1a": "b1*(1-exp(-b2*x))",
    "Misra1b": "b1*(1-(1+b2*x/2)^(-2))",
    "Misra1c": "b1*(1-(1+2*b2*x)^(-0.5))",
    "Misra1d": "b1*b2*x/(1+b2*x)",
    "Nelson": "b1-b2*x1*exp(-b3*x2)",
    "Rat42": "b1/(1+exp(b2-b3*x))",
    "Rat43": "b1/(1+exp(b2-b3*x))^(1/b4)",
    "Roszman1": "b1-b2*x-arctan(b3/(x-b4))/3.141592653589793",
    "Thurber": "(b1+b2*x+b3*x^2+b4*x^3)/(1+b5*x+b6*x^2+b7*x^3)",
}


@dataclass(frozen=True)
class Certified:
    """One data set.

    Attributes
    ----------
    columns : y and the predictors.
    starts : the two published starts, name -> value.
    values : certified estimates; squares : certified residual sum of squares.
    """

    name: str
    formula: str
    columns: dict[str, np.ndarray]
    starts: tuple[dict[str, float], dict[str, float]]
    values: dict[str, float]
    squares: float


def load(name: str) -> Certified:
    """Return the data set `name`; Nelson's response is ln y, as its model says."""
    lines = (FOLDER / f"{name}.dat").read_text().splitlines()
    first: dict[str, float] = {}
    second: dict[str, float] = {}
    values: dict[str, float] = {}
    for line in lines[40:60]:
        found = re.match(r"\s*(b\d+)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", line)
        if found:
            label = found[1]
            first[label], second[label], values[label] = (float(found[i]) for i in (2, 3, 4))
    squares = next(float(line.split(":")[1]) for line in lines if "Residual Sum of Sq" in line)
    start = next(
        i for i, line in enumerate(lines) if line.startswith("Data:") and "y" in line and i > 50
    )
    names = lines[start].split()[1:]
    data = np.array(
        [[float(cell) for cell in line.split()] for line in lines[start + 1 :] if line.strip()]
    )
    columns = {label: data[:, i] for i, label in enumerate(names)}
    if name == "Nelson":
        columns["y"] = np.log(columns["y"])
    return Certified(name, FORMULAS[name], columns, (first, second), values, squares)
