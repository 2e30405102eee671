"""The worker processes as their parent sees them: one pipe each, and nothing shared.

A process that is killed may die holding the lock of a queue, an event or a counter, and whoever
needs that lock next waits for ever. A pipe has two ends only: when one is gone, the other reads
the end of file.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from bootlaw.errors import BootlawError
from bootlaw.studies.execute import Workplace
from bootlaw.studies.nodes import RunNode
from bootlaw.studies.progress import Work
from bootlaw.studies.signals import sigint_blocked
from bootlaw.studies.workers import Finished, Ready, Unable, work

_SECONDS_TO_SAVE = 10.0
_SECONDS_TO_DIE = 5.0


@dataclass(frozen=True)
class Ended:
    """A run ended."""

    node: RunNode
    error: BootlawError | None


@dataclass(frozen=True)
class Death:
    """A worker ended before its run did."""

    node: RunNode
    exit_code: int
    """Negative: the number of the signal that killed it."""


Event = Work | Ended | Death


@dataclass(eq=False)
class Worker:
    """A process, the parent's end of its pipe, and the run it trains."""

    process: SpawnProcess
    pipe: Connection
    node: RunNode | None = None
    ready: bool = False
    told_to_stop: bool = False


class Crew:
    """At most `size` workers, hired when there is a run for them and kept for the next one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers: list[Worker] = []

    @property
    def free(self) -> int:
        """How many runs could be given out now."""
        return self._size - sum(worker.node is not None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """True while a run is trained."""
        return any(worker.node is not None for worker in self._workers)

    def give(self, node: RunNode, place: Workplace) -> None:
        """Have `node` trained by a free worker."""
        idle = (worker for worker in self._workers if worker.node is None)
        worker = next(idle, None) or self._hire()
        worker.node = node
        # A worker that died meanwhile shows in the next `events`.
        with suppress(OSError):
            worker.pipe.send((node, place))

    def events(self, timeout: float) -> Iterator[Event]:
        """Yield what the workers have to say, after at most `timeout` seconds of silence.

        Raises
        ------
        BootlawError
            When workers cannot start.
        """
        speakers: dict[object, Worker] = {}
        for worker in self._workers:
            speakers[worker.pipe] = speakers[worker.process.sentinel] = worker
        heard = connection.wait([*speakers], timeout)  # type: ignore[list-item]
        for worker in {speakers[source] for source in heard}:
            yield from self._listen(worker)

    def stop(self) -> None:
        """Tell the workers to save and stop; go on listening to `events` until none is busy."""
        for worker in self._workers:
            if not worker.told_to_stop:
                worker.told_to_stop = True
                with suppress(OSError):
                    worker.pipe.send(None)

    def close(self) -> None:
        """End all workers: with the pipe closed they save and leave, else they are made to."""
        for worker in self._workers:
            worker.pipe.close()
        deadline = time.monotonic() + _SECONDS_TO_SAVE
        for worker in self._workers:
            _end(worker.process, max(0.0, deadline - time.monotonic()))
        self._workers.clear()

    def _hire(self) -> Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=True)
        process = context.Process(target=work, args=(theirs,), daemon=True)
        with theirs, sigint_blocked():
            process.start()
        worker = Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _listen(self, worker: Worker) -> Iterator[Event]:
        try:
            while worker.pipe.poll():
                yield from _understood(worker, worker.pipe.recv())
        except (EOFError, OSError):
            yield from self._bury(worker)

    def _bury(self, worker: Worker) -> Iterator[Death]:
        self._workers.remove(worker)
        worker.pipe.close()
        _end(worker.process, _SECONDS_TO_DIE)
        exit_code = worker.process.exitcode or 0
        if worker.node is None:
            return
        if not worker.ready and exit_code > 0:
            raise BootlawError(
                f"a worker process could not start (exit code {exit_code}, its own error is "
                "above); a script that calls run_study must do so below "
                '`if __name__ == "__main__":`, and `workers=1` needs no worker processes'
            )
        yield Death(worker.node, exit_code)


def _understood(worker: Worker, message: Ready | Unable | Work | Finished) -> Iterator[Event]:
    match message:
        case Ready():
            worker.ready = True
        case Unable(reason):
            raise BootlawError(f"a worker process cannot train: {reason}")
        case Work():
            yield message
        case Finished(error):
            node, worker.node = worker.node, None
            if node is not None:
                yield Ended(node, error)


def _end(process: SpawnProcess, seconds: float) -> None:
    process.join(seconds)
    for force in (process.terminate, process.kill):
        if process.is_alive():
            force()
            process.join(_SECONDS_TO_DIE)
