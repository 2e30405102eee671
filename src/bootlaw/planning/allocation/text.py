"""An allocation in words."""

from __future__ import annotations

import math

from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import notes, words
from bootlaw.planning.allocation.plan import Allocation, Plan
from bootlaw.planning.extrapolation import if_the_law_holds

_NAMES = {N: "size", D1: "stage 1", D2: "stage 2", "budget": "budget"}
_PARTS = {"stage1": "stage 1", "stage2": "stage 2"}
_UNITS = {N: " parameters", D1: " tokens", D2: " tokens"}


def summary(answer: Allocation) -> str:
    """Return the best plan with everything that qualifies it, then the others in a line each."""
    best = answer.best
    lines = [_headline(answer)]
    lines += [f"  undetermined: {reason}" for reason in best.reasons]
    if best.loss is not None:
        lines += _details(answer, best)
    lines += [_other(plan, answer) for plan in answer.plans[1:]]
    return "\n".join([*lines, *notes.lines(best.warnings)])


def _headline(answer: Allocation) -> str:
    best = answer.best
    asked = (
        f"the least budget for a loss of {answer.target_loss:g}"
        if answer.target_loss is not None
        else f"the best use of {_amount(answer)}"
    )
    if best.loss is None:
        return f"no answer about {asked} ({best.law})"
    verdict = {"ok": "", "tie": "tie, first of those that nothing separates: "}
    return f"{asked}: {verdict.get(answer.status, '')}{_plan(best)} ({best.law})"


def _amount(answer: Allocation) -> str:
    amount = answer.amount or 0.0
    if answer.unit == "flops":
        return f"{amount:.3g} FLOPs"
    if answer.unit == "tokens":
        return f"{words.tokens(amount)} tokens"
    cost = answer.best.cost
    money = cost.currency if cost is not None else "money"
    return f"{words.count(amount)} {money if answer.unit == 'money' else answer.unit}"


def _plan(plan: Plan) -> str:
    size = "" if plan.params is None else f"{words.tokens(plan.params)} parameters"
    if plan.route == "scratch":
        return f"from scratch, {size + ' on ' if size else ''}{_tokens(plan.tokens_stage2)}"
    base = ""
    if plan.params and plan.params_base and plan.params_base != plan.params:
        base = f" of a {words.tokens(plan.params_base)} base"
    grown = f" at {size}" if size else ""
    return (
        f"{plan.route}, {_tokens(plan.tokens_stage1)}{base}, then {_tokens(plan.tokens_stage2)}"
        f"{grown}"
    )


def _tokens(value: float | None) -> str:
    return "an unknown number of tokens" if value is None else f"{words.tokens(value)} tokens"


def _details(answer: Allocation, plan: Plan) -> list[str]:
    lines = [_loss(answer, plan)]
    lines += [f"  {name}: {cost}" for name, cost in _costs(plan)]
    lines += [
        f"  best {_NAMES[name]}, {words.per_cent(answer.level)} interval"
        f"{if_the_law_holds(plan.extrapolation)}: {_optimum(name, low, high, answer)}"
        for name, (low, high) in plan.optimum.items()
    ]
    lines += _flat(answer, plan)
    lines += _risk(plan)
    if plan.share_best is not None:
        lines.append(f"  best route in {words.per_cent(plan.share_best)} of the replicates")
    return lines


def _loss(answer: Allocation, plan: Plan) -> str:
    text = f"  loss {plan.loss:.4f} nats per token"
    if plan.lower is None or plan.upper is None:
        return text
    holds = if_the_law_holds(plan.extrapolation)
    share = words.per_cent(answer.level)
    return f"{text}, {share} of runs{holds} between {plan.lower:.4f} and {plan.upper:.4f}"


def _costs(plan: Plan) -> list[tuple[str, str]]:
    costs = [(_PARTS.get(name, name), str(cost)) for name, cost in plan.costs.items()]
    return costs if len(costs) > 2 else [("cost", text) for name, text in costs if name == "total"]


def _range(low: float, high: float) -> str:
    return f"{_end(low)} to {_end(high)}"


def _end(value: float) -> str:
    if value == 0:
        return "below all searched"
    return words.tokens(value) if math.isfinite(value) else "beyond all searched"


def _optimum(name: str, low: float, high: float, answer: Allocation) -> str:
    """Return an interval with its unit; FLOPs as in the line of the cost, without B and T."""
    unit = _of(name, answer)
    if unit != " FLOPs":
        return f"{_range(low, high)}{unit}"
    ends = [f"{end:.3g}" if math.isfinite(end) else "beyond all searched" for end in (low, high)]
    return f"{ends[0]} to {ends[1]} FLOPs"


def _of(name: str, answer: Allocation) -> str:
    return _UNITS.get(name, " tokens" if answer.in_tokens else " FLOPs")


def _flat(answer: Allocation, plan: Plan) -> list[str]:
    if not plan.flat:
        return []
    ranges = ", ".join(f"{_NAMES[name]} {_range(*ends)}" for name, ends in plan.flat.items())
    share = words.per_cent(answer.tolerance)
    return [f"  as good within {share} of the reducible loss, the rest following: {ranges}"]


def _risk(plan: Plan) -> list[str]:
    lines = []
    if plan.regret is not None:
        lines.append(
            f"  price of the fit's errors: {plan.regret.mean:.2g} nats expected, "
            f"{plan.regret.high:.2g} at worst (95 %), worth "
            f"{words.per_cent(plan.regret.budget_share)} of the budget"
        )
    for name, (less, more) in plan.off_by_two.items():
        lines.append(
            f"  {_NAMES[name]} off by a factor of two: {_nats(less)} (half), {_nats(more)} (twice)"
        )
    return lines


def _nats(value: float) -> str:
    return f"{value:+.2g} nats" if math.isfinite(value) else "not possible"


def _other(plan: Plan, answer: Allocation) -> str:
    if plan.loss is None or plan.budget is None:
        return f"  {plan.route}: undetermined: {'; '.join(plan.reasons)}"
    share = "" if plan.share_best is None else f", best in {words.per_cent(plan.share_best)}"
    doubt = f"; undetermined: {'; '.join(plan.reasons)}" if plan.reasons else ""
    tokens = f"{words.tokens(plan.budget)} tokens"
    spent = tokens if answer.in_tokens else f"{plan.budget:.3g} FLOPs"
    spent = "" if answer.target_loss is None else f", {spent} in all"
    return f"  instead {_plan(plan)}: loss {plan.loss:.4f}{spent}{share}{doubt}"
