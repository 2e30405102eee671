"""Reuse or restart, at equal budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bootlaw.errors import InputError
from bootlaw.laws.names import D1, D2, N
from bootlaw.planning import validity
from bootlaw.planning.bases import at_bases, by_the_same_laws
from bootlaw.planning.cost import Hardware, Size
from bootlaw.planning.cost.hardware import check_hardware
from bootlaw.planning.decision.answer import Decision
from bootlaw.planning.decision.comparison import compare_options
from bootlaw.planning.decision.listing import Known, list_options
from bootlaw.planning.decision.option import setting_note
from bootlaw.planning.decision.setting import Setting, Stage1
from bootlaw.planning.decision.sizes import base_size, by_size, final_size
from bootlaw.planning.question import (
    given_variables,
    own_size,
    refuse_other_texts,
    refuse_unread,
)
from bootlaw.planning.remarks import source_warnings
from bootlaw.planning.source import AnySource, Source, as_source


def decide(
    reuse: AnySource | Mapping[str, AnySource],
    *,
    tokens_stage1: float,
    budget: float | None = None,
    tokens_stage2: float | None = None,
    params: float | None = None,
    params_base: float | None = None,
    scratch: AnySource | None = None,
    stage1: Stage1 = "free",
    base_cost: float = 1.0,
    base_loss: float | None = None,
    base_law: AnySource | None = None,
    others: Mapping[str, Known] | None = None,
    serving_params: float | None = None,
    shape: Size | None = None,
    shape_base: Size | None = None,
    on: Hardware | None = None,
    level: float | None = None,
    at: Mapping[str, float] | None = None,
) -> Decision:
    """Return every option at equal budget, best first: reuse the base, leave it, or start over.

    Options are told apart by the replicates of the laws: an option ties with the best where it
    has the lower loss of the two in more than a fifth of the resamples; without replicates
    where their losses are within 1 % (published coefficients) or the residual scale.

    Parameters
    ----------
    reuse : the law of reuse, or one for each method (``cpt`` keeps the base's size, every other
        method ends at `params`). Fits, paths of fits or names of published coefficients.
    tokens_stage1 : D1 of the base.
    budget : FLOPs that may be spent; instead of it `tokens_stage2`, the tokens of the final model
        that may be trained on.
    params, params_base : N of the final model and of the base, by default the one size that was
        fitted, and the final size; where methods have fits of several sizes the largest of them,
        and that of the continued runs.
    scratch : a one-stage law of runs from scratch; not for a ``+scratch`` fit, which holds one.
    stage1 : ``free`` where the base exists; ``paid`` where its training comes out of the budget.
    base_cost : FLOPs per token of the base over those of the final model, where no size of the
        base says it: 1 for continued pretraining, about 0.5 for a base grown by a factor of two.
    base_loss : loss of the base itself on the target text.
    base_law : instead of it, never both: a law of runs from scratch of the base's kind on the
        target text.
    others : models taken as they are, with their measured loss.
    serving_params : a size to consider from scratch because it is cheap to serve.
    shape, shape_base : `bootlaw.planning.cost.ModelShape` of the final model and of the base, for
        exact FLOPs; 6 N otherwise.
    on : hardware, for days and money.
    at : other columns that the laws read.

    Raises
    ------
    InputError
        When the question makes no sense: no budget or two, a base larger than the final model,
        laws of the wrong kind, a variable that is not known.
    """
    asked = _by_method(reuse)
    own = None if base_law is None else next(iter(scratch_sources({}, base_law)))
    every = _every(asked, scratch_sources(asked, scratch), own)
    check_hardware(on)
    given = given_variables(None, at)
    refuse_unread(given, *every)
    refuse_other_texts(*every)
    tokens_stage1 = validity.check_tokens(D1, tokens_stage1)
    serving_params = validity.check_optional("serving_params", serving_params)
    validity.check_kind("others", others, Mapping, "models by name, {'other-7b': Known(2.1)}")
    for name, known in (others or {}).items():
        validity.check_kind(f"others[{name!r}]", known, Known, "a Known, such as Known(2.1)")
    setting = Setting(
        tokens_stage1=tokens_stage1,
        params=final_size(params, asked, every),
        params_base=base_size(params_base, asked),
        shape=shape,
        shape_base=shape_base,
        base_cost=base_cost,
        stage1=stage1,
        at=given,
        on=on,
    )
    if base_loss is not None and base_law is not None:
        raise InputError(
            "the base's loss is known, or a law tells it: give --base-loss or --base-law"
        )
    sources = by_the_same_laws(
        {method: _at_base(method, source, setting) for method, source in asked.items()}
    )
    rivals = scratch_sources(sources, scratch)
    every = _every(sources, rivals, own)
    level = min(source.level for source in every) if level is None else level
    validity.check_level(level)
    spend = _budget(setting, budget, tokens_stage2)
    listing = list_options(
        setting,
        sources,
        by_size(rivals, setting.params),
        budget=spend,
        base_loss=base_loss,
        base_law=own,
        others=others or {},
        serving_params=serving_params,
    )
    question = Decision(
        status="undetermined",
        tokens_stage1=tokens_stage1,
        stage1=stage1,
        budget=spend,
        budget_unit="flops" if setting.counts_flops else "tokens",
        level=level,
        missing=listing.missing,
        assumptions=_assumptions(setting),
        warnings=(*_other_texts(sources, setting, spend), *source_warnings(*every)),
    )
    return compare_options(question, setting, list(listing.options), rivals)


def _every(
    reuse: Mapping[str, Source], rivals: tuple[Source, ...], base_law: Source | None
) -> list[Source]:
    own = () if base_law is None else (base_law,)
    return list(dict.fromkeys([*reuse.values(), *rivals, *own]))


def _at_base(method: str, source: Source, setting: Setting) -> Source:
    size = setting.size_of(method)
    known = {**setting.at, **({} if size is None else {N: size})}
    return at_bases(source, setting.tokens_stage1, known)


def _by_method(reuse: AnySource | Mapping[str, AnySource]) -> dict[str, Source]:
    if isinstance(reuse, Mapping):
        return {method: as_source(source) for method, source in reuse.items()}
    source = as_source(reuse)
    return {source.method or "reuse": source}


def scratch_sources(reuse: Mapping[str, Source], scratch: AnySource | None) -> tuple[Source, ...]:
    """Return the laws of runs from scratch: the one named, or those of joint fits."""
    if scratch is not None:
        rival = as_source(scratch)
        if rival.law.is_two_stage and not rival.law.has_scratch_part:
            raise InputError(f"{rival.label} is no law of runs from scratch")
        return (rival,)
    return tuple(source for source in reuse.values() if source.law.has_scratch_part)


def _other_texts(sources: Mapping[str, Source], setting: Setting, spend: float) -> tuple[str, ...]:
    """Return a warning where laws from scratch of several fits are not of one text."""
    joint = {name: source for name, source in sources.items() if source.law.has_scratch_part}
    if len(joint) < 2:
        return ()
    at = {} if setting.params is None else {N: setting.params}
    asked = {**setting.at, **at, D1: 0.0, D2: spend / setting.per_token}
    if len({own_size(source) for source in joint.values()}) > 1:
        return ()
    logs = {name: np.log(one.loss(asked, "scratch")[0, 0]) for name, one in joint.items()}
    apart = float(max(logs.values()) - min(logs.values()))
    scale = max(float(np.nan_to_num(one.residual_scale)) for one in joint.values())
    if apart <= 3 * max(scale, 1e-3):
        return ()
    return (
        f"the laws from scratch of {' and '.join(joint)} differ by {apart:.1%} at this budget: "
        "they are not of one held-out text, and losses on different texts cannot be compared",
    )


def _budget(setting: Setting, budget: float | None, tokens_stage2: float | None) -> float:
    if (budget is None) == (tokens_stage2 is None):
        raise InputError("give one budget: FLOPs with --budget, or --tokens-stage2")
    if budget is not None:
        budget = validity.check_tokens("budget", budget)
        if not setting.counts_flops:
            raise InputError("a budget in FLOPs needs the size of the model: give --params N")
        return budget
    assert tokens_stage2 is not None
    tokens_stage2 = validity.check_tokens(D2, tokens_stage2)
    return tokens_stage2 * setting.per_token + setting.base_flops


def _assumptions(setting: Setting) -> tuple[str, ...]:
    hardware = () if setting.on is None else setting.on.notes
    paid = {
        "free": "stage 1 is free: the base exists, and only what comes now is counted",
        "paid": "stage 1 is paid: training the base comes out of the budget of those that use it",
    }[setting.stage1]
    return (setting_note(setting), paid, *hardware)
