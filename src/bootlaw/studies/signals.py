"""Ctrl-C and SIGTERM as a wish to stop, not as an exception in the middle of a step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the first SIGINT or SIGTERM; a second one ends the process as usual."""
    former: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, former[number])
        stop()

    try:
        for number in _SIGNALS:
            former[number] = signal.signal(number, handle)
    except ValueError:
        # Not the main thread: signals are the caller's business there.
        former.clear()
    try:
        yield
    finally:
        for caught, handler in former.items():
            signal.signal(caught, handler)


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Start processes in this block that no Ctrl-C reaches, not even while they start.

    The parent gets a Ctrl-C of that time right afterwards.
    """
    # Else its own start, at the first process, would let SIGINT through again.
    resource_tracker.ensure_running()
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
