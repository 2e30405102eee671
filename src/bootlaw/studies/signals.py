"""Ctrl-C and SIGTERM as a wish to stop, not as an exception in the middle of a step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
