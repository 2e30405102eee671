"""What a choice of the replay share answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bootlaw.planning import notes, words


@dataclass(frozen=True)
class Mix:
    """One replay share, and the losses that it leads to, nats per token."""

    replay: float
    new_loss: float
    old_loss: float


@dataclass(frozen=True)
class MixtureShare:
    """The replay share with the lowest new-domain loss that keeps the old-domain loss in bounds.

    Attributes
    ----------
    basis : what the two losses were read from, in words.
    max_old_loss : the limit, nats per token.
    best : the share and its losses; None where no share keeps the limit.
    binding : whether the limit decides the share, so that less replay would break it.
    lower, upper : percentile interval of the share over the replicates; None without them, and
        an end where the replicates there keep the limit at no share.
    kept : share of the replicates in which `best` keeps the limit; None without them.
    impossible : share of the replicates in which no share keeps the limit.
    flat : the least and the greatest share around `best` that keep the limit with a new-domain
        loss at most 1 % above the best.
    price : the same losses with one per cent of the tokens less, and more, replayed.
    nearest : where no share keeps the limit, the one with the lowest old-domain loss.
    search : the shares looked at.
    """

    basis: str
    tokens_stage2: float
    max_old_loss: float
    level: float
    search: tuple[float, float]
    best: Mix | None = None
    binding: bool = False
    lower: float | None = None
    upper: float | None = None
    kept: float | None = None
    impossible: float | None = None
    flat: tuple[float, float] | None = None
    price: tuple[Mix, ...] = ()
    nearest: Mix | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> Literal["ok", "impossible", "undetermined"]:
        """``impossible`` where no share looked at keeps the limit."""
        if self.reasons:
            return "undetermined"
        return "ok" if self.best is not None else "impossible"

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON document of ``plan mixture``."""
        plain = (
            *("basis", "tokens_stage2", "max_old_loss", "binding", "lower", "upper", "level"),
            *("kept", "impossible"),
        )
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "replay": self.best and self.best.replay,
            "new_loss": self.best and self.best.new_loss,
            "old_loss": self.best and self.best.old_loss,
            **{name: getattr(self, name) for name in plain},
            "flat": list(self.flat) if self.flat else None,
            "price": [vars(mix).copy() for mix in self.price],
            "nearest": vars(self.nearest).copy() if self.nearest else None,
            "range": list(self.search),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer in words."""
        lines = [self._headline(), *(f"  undetermined: {reason}" for reason in self.reasons)]
        if self.best is not None:
            lines += [*self._certainty(), *self._prices()]
        lines.append(f"  from {self.basis}")
        return "\n".join([*lines, *notes.lines(self.warnings)])

    def _headline(self) -> str:
        stage = f"{words.tokens(self.tokens_stage2)} stage-2 tokens"
        if self.best is not None:
            return (
                f"replay {words.per_cent(self.best.replay)} of {stage}: new-domain loss "
                f"{self.best.new_loss:.4f}, old-domain loss {self.best.old_loss:.4f} "
                f"(limit {self.max_old_loss:.4f}{', which decides' if self.binding else ''})"
            )
        if self.nearest is None:
            return f"no answer for {stage}"
        low, high = (words.per_cent(end) for end in self.search)
        return (
            f"no share of replay between {low} and {high} keeps the old-domain loss at "
            f"{self.max_old_loss:.4f} over {stage}: the lowest is {self.nearest.old_loss:.4f}, "
            f"with {words.per_cent(self.nearest.replay)}"
        )

    def _certainty(self) -> list[str]:
        lines = []
        if self.lower is not None or self.upper is not None:
            ends = [
                "no share" if end is None else words.per_cent(end)
                for end in (self.lower, self.upper)
            ]
            lines.append(f"  {words.per_cent(self.level)} interval: {ends[0]} to {ends[1]}")
        if self.kept is not None:
            kept = words.per_cent(self.kept)
            lines.append(f"  the limit is kept in {kept} of the replicates with this share")
        if self.impossible:
            share = words.per_cent(self.impossible)
            lines.append(f"  in {share} of the replicates no share keeps the limit")
        return lines

    def _prices(self) -> list[str]:
        lines = [
            f"  with {words.per_cent(mix.replay)}: new-domain loss {mix.new_loss:.4f}, old-domain "
            f"loss {mix.old_loss:.4f}"
            for mix in self.price
        ]
        if self.flat is not None:
            low, high = (words.per_cent(end) for end in self.flat)
            lines.append(f"  within 1 % of the best new-domain loss: replay {low} to {high}")
        return lines


@dataclass(frozen=True)
class CriticalMixture:
    """The largest share of new-domain text at which the old-domain loss does not rise.

    Attributes
    ----------
    domain_share : that share of the stage-2 tokens.
    lower, upper : percentile interval over the replicates; None without them.
    """

    label: str
    tokens_stage2: float
    level: float
    domain_share: float | None = None
    lower: float | None = None
    upper: float | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> Literal["ok", "undetermined"]:
        """``undetermined`` where the law gives no share between 0 and 1."""
        return "undetermined" if self.reasons else "ok"

    @property
    def replay(self) -> float | None:
        """The share of old-domain text, the rest of the tokens."""
        return None if self.domain_share is None else 1 - self.domain_share

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``plan mixture`` prints of such a law."""
        return {
            "status": self.status,
            "reasons": list(self.reasons),
            "basis": self.label,
            "tokens_stage2": self.tokens_stage2,
            "domain_share": self.domain_share,
            "replay": self.replay,
            "lower": None if self.upper is None else 1 - self.upper,
            "upper": None if self.lower is None else 1 - self.lower,
            "level": self.level,
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the answer in words."""
        stage = f"{words.tokens(self.tokens_stage2)} stage-2 tokens"
        if self.domain_share is None or self.replay is None:
            head = f"no answer for {stage}"
        else:
            head = (
                f"at most {words.per_cent(self.domain_share)} new-domain text in {stage}, replay "
                f"{words.per_cent(self.replay)} or more: the old-domain loss then does not rise"
            )
        lines = [head, *(f"  undetermined: {reason}" for reason in self.reasons)]
        if self.lower is not None and self.upper is not None:
            low, high = words.per_cent(1 - self.upper), words.per_cent(1 - self.lower)
            lines.append(f"  {words.per_cent(self.level)} interval of the replay: {low} to {high}")
        lines.append(f"  from {self.label}")
        return "\n".join([*lines, *notes.lines(self.warnings)])
