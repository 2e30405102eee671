"""What was found, as records and verdicts; how it reads is in `words`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from bootlaw.reports.quantities import Interval

NEGLIGIBLE_FALL = 0.1
"""A fall of the exponent over the whole grid below this share of it counts as none."""

JOINT_SHIFT = 0.25
"""A shift of a3 by less than this share of its interval's half width is not worth a sentence."""


class Trend(Enum):
    """Whether the second stage's exponent falls as the base is trained longer."""

    FALLS = "falls"
    STEADY = "does not fall noticeably"
    GROWS = "grows"
    UNDETERMINED = "cannot be told"


@dataclass(frozen=True)
class Gain:
    """How much the loss fell between two second-stage lengths, on two bases, in nats."""

    tokens_from: float
    tokens_to: float
    shortest_base: float
    longest_base: float
    on_shortest: float
    on_longest: float


@dataclass(frozen=True)
class Ahead:
    """In how many cells (D1, D2) reuse had a lower mean loss than scratch runs of D2 tokens."""

    reuse_better: int
    compared: int


@dataclass(frozen=True)
class Saturation:
    """The interaction a3 of the main law and the exponents at the ends of the grid.

    `joint_interaction` is a3 of the fit together with the runs from scratch, whose E is better
    determined; the verdict is that of the reuse runs alone.
    """

    interaction: Interval
    shortest_base: float
    longest_base: float
    at_shortest: Interval
    at_longest: Interval
    level: float
    joint_interaction: Interval | None = None

    @property
    def joint_differs(self) -> bool:
        """Whether the fit with the runs from scratch says something else about a3.

        It does where the value moves by more than a quarter of the interval's half width, or
        where only one of the two intervals holds zero.
        """
        own, joint = self.interaction, self.joint_interaction
        if joint is None:
            return False
        scale = own.half_width if own.known else abs(own.value)
        moved = abs(joint.value - own.value) > JOINT_SHIFT * scale
        return moved or (own.known and joint.known and own.holds_zero != joint.holds_zero)

    @property
    def trend(self) -> Trend:
        """The verdict that the interval of a3 allows.

        It falls where the whole interval is above zero, grows where it is below, and is steady
        where even the upper end takes less than a tenth off the exponent over the grid.
        """
        lower, upper = self.interaction.lower, self.interaction.upper
        if not self.interaction.known or lower is None or upper is None:
            return Trend.UNDETERMINED
        if lower > 0:
            return Trend.FALLS
        if upper < 0:
            return Trend.GROWS
        span = math.log(self.longest_base / self.shortest_base)
        largest_change = max(upper, -lower) * span
        if 0 < largest_change < NEGLIGIBLE_FALL * abs(self.at_shortest.value):
            return Trend.STEADY
        return Trend.UNDETERMINED


@dataclass(frozen=True)
class BreakevenAnswer:
    """Where starting over catches up with reuse from one base.

    `status` is that of ``bootlaw plan breakeven``; `tokens` is None without a change from reuse
    to starting over; `until` is where reuse overtakes instead, if that is the first change;
    `data` is the range of second-stage tokens that the runs cover; `head_start` the tokens that
    starting over gets on top of D2 for the compute of the base; `longest_scratch` the longest
    run from scratch, None where it is not known.
    """

    tokens_stage1: float
    stage1: str
    status: str
    tokens: Interval | None
    data: tuple[float, float]
    search: tuple[float, float]
    reason: str = ""
    until: float | None = None
    head_start: float = 0.0
    longest_scratch: float | None = None

    @property
    def scratch_tokens(self) -> float:
        """The tokens from scratch that the answer rests on: at the change, else at the most run."""
        change = self.tokens.value if self.tokens is not None else self.until
        return self.head_start + (self.data[1] if change is None else change)

    @property
    def beyond_scratch(self) -> bool:
        """Whether the base's compute carries starting over beyond the runs from scratch."""
        longest = self.longest_scratch
        return self.head_start > 0 and longest is not None and self.scratch_tokens > longest

    @property
    def beyond_data(self) -> bool:
        """Whether the crossing lies outside the second-stage lengths that were run."""
        return self.tokens is not None and not self.data[0] <= self.tokens.value <= self.data[1]


@dataclass(frozen=True)
class ContestRow:
    """One law's score in one hold-out test: errors in log loss, None where it was not fitted."""

    law: str
    title: str
    n_params: int
    rms_in: float | None
    rms_out: float | None
    coverage: float | None
    weight: float | None
    tie: bool
    status: str


@dataclass(frozen=True)
class Contest:
    """The laws on one hold-out, best first."""

    holdout: str
    rows: tuple[ContestRow, ...]
    n_in: int
    n_out: int

    @property
    def winners(self) -> tuple[str, ...]:
        """The best law and those that tie with it, by key; one key is a clear winner."""
        if not self.scored:
            return ()
        best, *others = self.scored
        return (best.law, *(row.law for row in others if row.tie))

    @property
    def scored(self) -> tuple[ContestRow, ...]:
        """The laws that could be fitted, best first."""
        return tuple(row for row in self.rows if row.rms_out is not None)

    def error_of(self, law: str) -> float | None:
        """Return the held-out error of one law, None where it has none."""
        return next((row.rms_out for row in self.scored if row.law == law), None)

    @property
    def all_tie(self) -> bool:
        """Whether no law that could be fitted predicts worse than the best beyond chance."""
        return len(self.winners) == len(self.scored)


@dataclass(frozen=True)
class Noise:
    """Spread between seeds and the sampling error of the held-out text.

    `relative_sd` is the pooled standard deviation of the log loss over cells run with several
    seeds, NaN without such a cell; `sampling_error` is the median standard error of a loss,
    nats, NaN where the table does not say; `paired_error` is what the held-out text's size adds
    to one run when two are compared on it, nats, where a study has measured it; `by_seed` says
    whether the table tells runs of one setting apart by their seed.
    """

    n_cells: int
    n_runs: int
    relative_sd: float
    sampling_error: float
    paired_error: float | None = None
    by_seed: bool = True


@dataclass(frozen=True)
class Scale:
    """Sizes of the study, from its table: parameters and tokens per parameter."""

    smallest_params: float
    largest_params: float
    tokens_per_param_stage1: tuple[float, float] | None
    tokens_per_param_stage2: tuple[float, float] | None


@dataclass(frozen=True)
class Trunks:
    """How many draws of noise the intervals rest on.

    `count` is None where the table tells neither trunks nor seeds, so that every run counts as
    independent; `named` is False where seed, method, size and base stand in for the trunk.
    """

    count: int | None
    named: bool
