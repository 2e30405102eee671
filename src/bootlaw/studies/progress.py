"""The progress line: tokens done, tokens in all, time left."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_REDRAWS = 1.0
_SECONDS_TO_LEARN_THE_PACE = 5.0


@dataclass(frozen=True)
class Work:
    """An amount of work."""

    flops: float = 0.0
    tokens: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.flops + other.flops, self.tokens + other.tokens)


class ProgressLine:
    """Shows how far a study is: one line redrawn on a terminal, plain lines elsewhere."""

    def __init__(self, total: Work, done: Work, clock: Callable[[], float] = time.monotonic):
        self._total, self._before, self._clock = total, done, clock
        self._pace = Pace()
        self._shown = -math.inf
        self._terminal = sys.stderr.isatty()

    def update(self, new: Work, runs_done: int, runs: int, *, force: bool = False) -> None:
        """Show the state after `new` work was done by this call of the study."""
        now = self._clock()
        self._pace = self._pace.after(new.flops, now)
        pause = _SECONDS_BETWEEN_REDRAWS if self._terminal else _SECONDS_BETWEEN_LINES
        if now - self._shown < pause and not force:
            return
        self._shown = now
        left = self._pace.seconds_for(self._total.flops - self._before.flops - new.flops)
        line = progress_text(self._total, self._before + new, runs_done, runs, left)
        ending = "\r" if self._terminal else "\n"
        clear = "\x1b[2K" if self._terminal else ""
        print(clear + line, end=ending, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line standing."""
        if self._terminal:
            print(file=sys.stderr)


@dataclass(frozen=True)
class Pace:
    """Work per second since the first work was seen, start-up of the workers left out."""

    first_flops: float = 0.0
    first_seconds: float | None = None
    flops: float = 0.0
    seconds: float = 0.0

    def after(self, flops: float, seconds: float) -> Pace:
        """Return the pace once `flops` in all were done at the time `seconds`."""
        if self.first_seconds is None:
            return Pace(flops, seconds) if flops > 0 else self
        return replace(self, flops=flops, seconds=seconds)

    def seconds_for(self, flops: float) -> float | None:
        """Return the time that `flops` more will take, None until there is enough to tell."""
        if self.first_seconds is None or self.flops <= self.first_flops:
            return None
        elapsed = self.seconds - self.first_seconds
        if elapsed < _SECONDS_TO_LEARN_THE_PACE:
            return None
        return max(0.0, flops) * elapsed / (self.flops - self.first_flops)


def progress_text(
    total: Work, done: Work, runs_done: int, runs: int, seconds_left: float | None
) -> str:
    """Return the progress line."""
    share = min(1.0, done.flops / total.flops) if total.flops else 1.0
    text = (
        f"{min(done.tokens, total.tokens) / 1e6:.2f}M of {total.tokens / 1e6:.2f}M tokens "
        f"({100 * share:.0f} % of the work), {runs_done} of {runs} runs"
    )
    if share >= 1.0 or seconds_left is None:
        return text
    return f"{text}, {duration(seconds_left)} left"


def duration(seconds: float) -> str:
    """Return `seconds` as people write it: ``42 s``, ``4:05 min``, ``1:02 h``."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
