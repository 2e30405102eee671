"""The same task given to every tool that can do it: the Chinchilla form on the 234 rows.

    python benchmarks/peers.py [--replicates 50]    (with the peers installed, see README.md)

Task 1: pairs-bootstrap replicates from one warm start each. Task 2: the table itself from a grid
of cold starts. For each tool the median and largest gap of its objective (sum of Huber losses of
log residuals, delta 1e-3) to the best known, and CPU time per start. A tool that is not installed
or has another objective is named with the reason.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootlaw.fitting import kernel
from bootlaw.fitting.bootstrap import refit, resampled
from bootlaw.fitting.objective import Objective
from bootlaw.fitting.optimum import Optimum, find_optimum
from fit_speed import chinchilla, scipy_refit

Floats = NDArray[np.float64]
Solver = Callable[[Objective, Floats], Floats]
"""From the objective of R tables and R starts (R, 5) to R ends (R, 5): ln A, a, ln B, b, E."""

GRID = {
    "E": [0.5, 1.5], "a": [2.0, 6.0, 12.0], "b": [2.0, 6.0, 12.0], "alpha": [0.2, 0.5],
    "beta": [0.2, 0.5],
}  # fmt: skip
"""Cold starts, a coarser form of the grid of Hoffmann et al. (a = ln A, b = ln B)."""


def cold_starts() -> Floats:
    """Return the grid as points (72, 5) in our order."""
    return np.array([[a, al, b, be, e] for e, a, b, al, be in product(*GRID.values())])


def logs(objective: Objective) -> tuple[Floats, Floats]:
    """Return ln N and ln D (n,)."""
    columns = objective.design.columns
    return np.log(columns["params"]), np.log(columns["tokens_stage2"])


def weights_of(objective: Objective, n: int) -> Floats:
    """Return weights (R, n)."""
    return np.broadcast_to(objective.weights, (n, objective.design.n_rows))


def bootlaw_solver(optimum: Optimum | None) -> Solver:
    """Return our refit of replicates, or our solver from cold starts."""
    from bootlaw.fitting.graduated import follow

    def solve(objective: Objective, starts: Floats) -> Floats:
        if optimum is None:
            return follow(objective, starts, threads=1).u
        return refit(objective, optimum, len(starts), threads=1).u

    return solve


def scipy_solver(objective: Objective, starts: Floats) -> Floats:
    """least_squares with Huber's loss and the analytic Jacobian."""
    pairs = zip(weights_of(objective, len(starts)), starts, strict=True)
    return np.array([scipy_refit(objective, w, start) for w, start in pairs])


def lmfit_solver(objective: Objective, starts: Floats) -> Floats:
    """lmfit's least_squares with Huber's loss: bounds by its own parameters, no Jacobian."""
    lmfit = import_module("lmfit")
    x, y = logs(objective)
    names = ("a", "alpha", "b", "beta", "E")
    ends = []
    for w, start in zip(weights_of(objective, len(starts)), starts, strict=True):
        rows = np.repeat(np.arange(w.size), w.astype(int))
        x1, y1, targets = x[rows], y[rows], objective.targets[rows]

        def residuals(p: Any, x1=x1, y1=y1, targets=targets) -> Floats:  # type: ignore[no-untyped-def]
            a, alpha, b, beta, e = (p[name].value for name in names)
            with np.errstate(all="ignore"):
                r = np.log(np.exp(a - alpha * x1) + np.exp(b - beta * y1) + e) - targets
            return np.nan_to_num(r, nan=1e3, posinf=1e3)  # it stops at a trial step out of range

        parameters = lmfit.Parameters()
        for name, value in zip(names, start, strict=True):
            parameters.add(name, value=float(value), min=0.0 if name == "E" else -np.inf)
        found = lmfit.minimize(residuals, parameters, method="least_squares", loss="huber",
                               f_scale=objective.delta, x_scale="jac")  # fmt: skip
        ends.append([found.params[name].value for name in names])
    return np.array(ends)


def optimistix_solver() -> Solver:
    """optimistix's BFGS on all problems at once (vmap), compiled before the clock starts."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    optx, jnp = import_module("optimistix"), import_module("jax.numpy")
    compiled: dict[int, Any] = {}

    def build(objective: Objective) -> Any:
        x, y = logs(objective)
        # Centred logs, without which BFGS from an identity matrix hardly moves.
        x0, y0, delta, targets = x.mean(), y.mean(), objective.delta, objective.targets

        def value(v: Any, w: Any) -> Any:
            f = jnp.exp(v[0] - v[1] * (x - x0)) + jnp.exp(v[2] - v[3] * (y - y0)) + jnp.abs(v[4])
            r = jnp.abs(jnp.log(f) - targets)
            return jnp.sum(w * jnp.where(r < delta, 0.5 * r**2, delta * (r - 0.5 * delta)))

        def one(v: Any, w: Any) -> Any:
            solver = optx.BFGS(rtol=1e-12, atol=1e-14)
            return optx.minimise(value, solver, v, args=w, max_steps=1000, throw=False).value

        return jax.jit(jax.vmap(one)), x0, y0

    def solve(objective: Objective, starts: Floats) -> Floats:
        if len(starts) not in compiled:
            compiled[len(starts)] = build(objective)
        run, x0, y0 = compiled[len(starts)]
        centred = starts.copy()
        centred[:, 0] -= starts[:, 1] * x0
        centred[:, 2] -= starts[:, 3] * y0
        end = np.array(run(centred, np.array(weights_of(objective, len(starts)))))
        end[:, 0] += end[:, 1] * x0
        end[:, 2] += end[:, 3] * y0
        end[:, 4] = np.abs(end[:, 4])
        return end

    return solve


def kyo_takano(objective: Objective, folder: str) -> Floats:
    """Return the (1, 5) best of the grid by `chinchilla`, with its loss log_huber at our delta.

    It has no warm start and no weights, and keeps only the best of its grid.
    """
    package = import_module("chinchilla")
    metrics = import_module("chinchilla._metrics")
    tool = package.Chinchilla(
        project_dir=folder,
        param_grid={name: np.array(values) for name, values in GRID.items()},
        seed_ranges={"C": (1e17, 1e24), "N_to_D": (1, 100)},
        loss_fn=lambda true, predicted: metrics.log_huber(true, predicted, objective.delta),
        log_level=40,
    )
    columns = objective.design.columns
    for n, d, target in zip(
        columns["params"], columns["tokens_stage2"], objective.targets, strict=True
    ):
        tool.database.append(N=float(n), D=float(d), loss=float(np.exp(target)))
    tool.visualizer.optim = lambda *_, **__: None
    tool.fit(parallel=False)
    found = tool.get_params()
    return np.array([[np.log(found["A"]), found["alpha"], np.log(found["B"]), found["beta"],
                      found["E"]]])  # fmt: skip


def measure(solve: Solver, objective: Objective, starts: Floats) -> tuple[float, Floats]:
    """Return CPU seconds of the second run (the first one compiles) and the objectives (R,)."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        solve(objective, starts)
        started = time.process_time()
        end = solve(objective, starts)
        seconds = time.process_time() - started
    return seconds, objective.value(end)


def report(name: str, seconds: float, n: int, gaps: Floats, unit: str) -> None:
    """Print one line."""
    print(
        f"{name:34s} {1e3 * seconds / n:9.3f} ms of CPU a {unit}; gap to the best known: least "
        f"{gaps.min():.0e}, median {np.median(gaps):.0e}, largest {gaps.max():.0e}",
        flush=True,
    )


def named(package: str) -> str:
    """Return the package with its version; raise ImportError with the reason where it is absent."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise ImportError(f"{package} is not installed") from None


def peers(optimum: Optimum | None) -> list[tuple[str, str, Callable[[], Solver]]]:
    """Return label, package and maker of each solver."""
    ours = "compiled kernel" if kernel.available() else "NumPy"
    return [
        (f"({ours})", "bootlaw", lambda: bootlaw_solver(optimum)),
        ("least_squares, huber", "scipy", lambda: scipy_solver),
        ("least_squares, huber", "lmfit", lambda: lmfit_solver),
        ("BFGS, vmap", "optimistix", optimistix_solver),
    ]


def compare(optimum: Optimum | None, objective: Objective, starts: Floats, unit: str) -> None:
    """Print a line per solver, gaps to the best end point of all of them and of ours."""
    ends = {}
    for label, package, make in peers(optimum):
        try:
            name = f"{named(package)} {label}"
            ends[name] = measure(make(), objective, starts)
        except ImportError as reason:
            print(f"{package} {label}: left out, {reason}")
    values = np.array([values for _, values in ends.values()])
    best = values.min(axis=0) if unit == "replicate" else np.full(len(starts), values.min())
    for name, (seconds, value) in ends.items():
        report(name, seconds, len(starts), (value - best) / best, unit)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=50)
    args = parser.parse_args()
    objective = chinchilla()
    optimum = find_optimum(objective)
    n = args.replicates
    print(f"{n} pairs-bootstrap replicates of 234 rows, one warm start each")
    tables = resampled(objective, optimum.u, "pairs", None, n, 0)
    compare(optimum, tables, np.repeat(optimum.u[None, :], n, axis=0), "replicate")
    starts = cold_starts()
    print(f"\nthe table itself from {len(starts)} cold starts (least gap: the answer of the tool)")
    plain = replace(objective, weights=np.ones(objective.design.n_rows))
    compare(None, plain, starts, "start")
    started = time.process_time()
    value = np.array([find_optimum(objective).objective])
    seconds = time.process_time() - started
    report("bootlaw, its own starts", seconds, 1, value / optimum.objective - 1, "whole search")
    try:
        name = named("chinchilla")
        started = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            value = objective.value(kyo_takano(objective, folder))
        seconds = time.process_time() - started
        report(f"{name}, BFGS", seconds, len(starts), value / optimum.objective - 1, "start")
    except ImportError as reason:
        print(f"chinchilla: left out, {reason}")
    try:
        print(f"{named('simple-scaling-laws')}: left out, it has squared losses only")
    except ImportError as reason:
        print(f"simple-scaling-laws: left out, {reason} (needs Python 3.12; squared losses only)")


if __name__ == "__main__":
    main()
