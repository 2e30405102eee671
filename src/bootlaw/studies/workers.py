"""A worker process: trains the runs that come through its pipe, one at a time.

Orders are pairs of a run and its workplace. While a run is trained, anything at the parent's end
of the pipe means "save and stop": a word to stop, or the end of file when the parent is gone.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bootlaw.errors import BootlawError
from bootlaw.studies.attempt import attempt, use_one_thread
from bootlaw.studies.execute import Workplace
from bootlaw.studies.nodes import RunNode
from bootlaw.studies.progress import Work

_SECONDS_BETWEEN_REPORTS = 0.25


@dataclass(frozen=True)
class Ready:
    """The worker has started and could import all it needs."""


@dataclass(frozen=True)
class Unable:
    """The worker could not import what training needs."""

    message: str


@dataclass(frozen=True)
class Finished:
    """The run ended."""

    error: BootlawError | None


class PipeControl:
    """How a run in a worker talks to the parent."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._unsent, self._sent = Work(), time.monotonic()

    def stopping(self) -> bool:
        """True when the parent asked to stop, or is gone."""
        return self._pipe.poll()

    def add_cost(self, flops: float, tokens: int) -> None:
        """Report work, a few times a second at most."""
        self._unsent += Work(flops, tokens)
        if time.monotonic() - self._sent > _SECONDS_BETWEEN_REPORTS:
            self.flush()

    def flush(self) -> None:
        """Report what was not yet; where nobody listens, `stopping` will tell."""
        try:
            self._pipe.send(self._unsent)
        except OSError:
            return
        self._unsent, self._sent = Work(), time.monotonic()


def work(pipe: Connection) -> None:
    """Train what comes through `pipe` until its end; the whole life of a worker process.

    Signals of the terminal are left to the parent, which says when to stop. SIGTERM ends a worker
    at once, so that a parent can always get rid of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        order = pipe.recv()
        if order is not None and _prepare(pipe):
            while order is not None:
                node, place = order
                pipe.send(Finished(_train(node, place, pipe)))
                order = pipe.recv()
    except (EOFError, OSError):
        # The parent is gone; what was trained is saved.
        return


def _prepare(pipe: Connection) -> bool:
    try:
        use_one_thread()
    except Exception as error:
        pipe.send(Unable(f"{type(error).__name__}: {error}"))
        return False
    pipe.send(Ready())
    return True


def _train(node: RunNode, place: Workplace, pipe: Connection) -> BootlawError | None:
    control = PipeControl(pipe)
    try:
        attempt(node, place, control)
    except BootlawError as error:
        return error
    finally:
        control.flush()
    return None
