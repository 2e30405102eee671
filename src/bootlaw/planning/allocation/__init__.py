"""Budgets: how to split one over stages and sizes, and the least one for a loss."""

from bootlaw.planning.allocation.allocate import allocate
from bootlaw.planning.allocation.plan import Allocation, Plan
from bootlaw.planning.allocation.risk import Regret
from bootlaw.planning.allocation.route import Route

__all__ = ["Allocation", "Plan", "Regret", "Route", "allocate"]
