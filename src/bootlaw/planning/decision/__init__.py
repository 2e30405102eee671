"""Reuse or restart: every option side by side at equal budget."""

from bootlaw.planning.decision.answer import Decision
from bootlaw.planning.decision.decide import decide
from bootlaw.planning.decision.flips import Flip
from bootlaw.planning.decision.listing import Known
from bootlaw.planning.decision.outcome import Outcome

__all__ = ["Decision", "Flip", "Known", "Outcome", "decide"]
