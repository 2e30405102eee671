"""The local executor: the walk over the run graph on worker processes of this machine.

With one worker the runs are trained in this process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any

from bootlaw.errors import BootlawError, Interrupted
from bootlaw.studies.execute import Workplace, execute
from bootlaw.studies.nodes import RunNode
from bootlaw.studies.progress import ProgressLine, Work
from bootlaw.studies.signals import stop_on_signals
from bootlaw.studies.walk import Walk

_POLL_SECONDS = 0.25
_MOST_WORKER_DEATHS = 3


@dataclass
class LocalControl:
    """Counts work in this process and knows whether the user asked to stop."""

    on_work: Callable[[Work], None]
    stop: bool = False

    def stopping(self) -> bool:
        """True after a signal."""
        return self.stop

    def add_cost(self, flops: float, tokens: int) -> None:
        """Pass the work on."""
        self.on_work(Work(flops, tokens))


class _WorkerControl:
    """The worker's end: a shared event and shared counters."""

    def __init__(self, stop: Event, flops: Any, tokens: Any) -> None:
        self._stop, self._flops, self._tokens = stop, flops, tokens
        self._parent = os.getppid()

    def stopping(self) -> bool:
        # A worker whose parent was killed is adopted by another process: it saves and ends.
        return self._stop.is_set() or os.getppid() != self._parent

    def add_cost(self, flops: float, tokens: int) -> None:
        with self._flops.get_lock():
            self._flops.value += flops
            self._tokens.value += tokens


_worker_control: _WorkerControl | None = None


def _start_worker(stop: Event, flops: Any, tokens: Any) -> None:
    """Prepare a worker: one thread, and signals left to the parent."""
    global _worker_control
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    use_one_thread()
    _worker_control = _WorkerControl(stop, flops, tokens)


def use_one_thread() -> None:
    """Give torch one thread: at these sizes a second one makes every step slower."""
    import torch

    torch.set_num_threads(1)


def _run_in_worker(node: RunNode, place: Workplace) -> None:
    assert _worker_control is not None
    attempt(node, place, _worker_control)


def attempt(node: RunNode, place: Workplace, control: Any) -> None:
    """Execute `node`; a failure is recorded in its folder before it is raised."""
    store = place.store(node.id)
    try:
        store.clear_error()
        execute(node, place, control)
    except Interrupted:
        raise
    except Exception as error:
        store.write_error(f"{error}\n\n{traceback.format_exc()}")
        raise BootlawError(f"{node.id}: {error}") from error


def walk_inline(
    walk: Walk, place: Workplace, line: ProgressLine, on_run: Callable[[], None], runs: int
) -> None:
    """Train the runs of `walk` one after the other in this process."""
    use_one_thread()
    total = Work()

    def count(work: Work) -> None:
        nonlocal total
        total = total + work
        line.update(total, len(walk.done), runs)

    control = LocalControl(count)
    with stop_on_signals(lambda: setattr(control, "stop", True)):
        while not control.stop and (ready := walk.ready()):
            error: BaseException | None = None
            try:
                attempt(ready[0], place, control)
            except BootlawError as caught:
                error = caught
            walk.finish(ready[0], error)
            on_run()
    line.update(total, len(walk.done), runs, force=True)
    if control.stop:
        raise Interrupted("stopped")


def walk_processes(
    walk: Walk,
    place: Workplace,
    line: ProgressLine,
    on_run: Callable[[], None],
    runs: int,
    workers: int,
) -> None:
    """Train the runs of `walk` on `workers` processes; a dead worker is replaced."""
    context = multiprocessing.get_context("spawn")
    stop, flops, tokens = context.Event(), context.Value("d", 0.0), context.Value("q", 0)
    deaths = 0
    with stop_on_signals(stop.set):
        while not stop.is_set() and not walk.over:
            with ProcessPoolExecutor(
                workers, context, initializer=_start_worker, initargs=(stop, flops, tokens)
            ) as pool:
                before = len(walk.done)

                def show(*, force: bool = False) -> None:
                    work = Work(flops.value, tokens.value)
                    line.update(work, len(walk.done), runs, force=force)

                try:
                    _feed(walk, place, pool, workers, stop, show, on_run)
                except BrokenProcessPool as error:
                    deaths = 1 if len(walk.done) > before else deaths + 1
                    walk.running.clear()
                    if deaths >= _MOST_WORKER_DEATHS:
                        raise BootlawError(
                            "worker processes were killed several times without progress (out "
                            "of memory?); free memory or use --workers 1, the same command "
                            "continues"
                        ) from error
                show(force=True)
    if stop.is_set():
        raise Interrupted("stopped")


def _feed(
    walk: Walk,
    place: Workplace,
    pool: ProcessPoolExecutor,
    workers: int,
    stop: Event,
    show: Callable[[], None],
    on_run: Callable[[], None],
) -> None:
    futures: dict[Future[None], RunNode] = {}
    while futures or (not stop.is_set() and not walk.over):
        if not stop.is_set():
            for node in walk.ready()[: workers - len(futures)]:
                walk.running.add(node.id)
                futures[pool.submit(_run_in_worker, node, place)] = node
        finished, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in finished:
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                raise error
            walk.finish(futures.pop(future), error)
        if finished:
            on_run()
        show()
        if not futures and not finished:
            time.sleep(_POLL_SECONDS)
