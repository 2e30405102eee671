"""What a finished growth means for training: the facts that `onward` turns into advice."""

from __future__ import annotations

import math
from pathlib import Path

from bootlaw.growth.onward.advice import advise
from bootlaw.growth.onward.facts import Grown
from bootlaw.growth.onward.train_spec import TrainSpec
from bootlaw.growth.plan import Preservation
from bootlaw.growth.prepare import Prepared
from bootlaw.growth.receipt import Receipt

_CONTEXT = "max_position_embeddings"


def train_spec_of(prepared: Prepared, receipt: Receipt) -> TrainSpec:
    """Return how to train on from the grown model."""
    before, after = prepared.before, prepared.after
    grown = Grown(
        name=Path(receipt.folder).name,
        preserving=prepared.plan.preservation is not Preservation.APPROXIMATE,
        width=after.hidden / before.hidden,
        tiled=_tiled(receipt),
        experts=(after.experts, after.top_k) if after.experts > before.experts else None,
        params=receipt.parameters_after.non_embedding
        - receipt.parameters_after.total
        + receipt.parameters_after.active,
        dtype=prepared.stored,
        context=int(after.value(_CONTEXT) or after.family.defaults[_CONTEXT]),
        carried=receipt.optimizer.policy == "carry",
        warms_up=receipt.optimizer.policy != "reset",
        freezable=receipt.frozen,
        freeze=prepared.freeze,
    )
    return advise(grown, prepared.request.known)


def _tiled(receipt: Receipt) -> float:
    tiles = (entry for entry in receipt.operations if entry.operator == "tile")
    return math.prod(float(entry.arguments["factor"]) for entry in tiles)
