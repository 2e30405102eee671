"""Base models that a second stage could start from: the public ones by name, and one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from bootlaw.errors import InputError
from bootlaw.planning.cost import ModelShape

Kind = Literal["base", "synthetic", "continued", "grown", "distilled", "pruned", "post-trained"]
KINDS: tuple[Kind, ...] = get_args(Kind)
State = Literal["stable", "cooled", "mid", ""]
STATES: tuple[State, ...] = get_args(State)

OUTSIDE: dict[Kind, str] = {
    "continued": "was itself continued from another model: its tokens are not those of one stage",
    "grown": "was itself grown from a smaller model: its tokens are not those of one stage",
    "distilled": "was distilled: its losses owe to a teacher what the law gives to its tokens",
    "pruned": "was pruned from a larger model: its tokens do not count that model's",
    "post-trained": "was trained on instructions or preferences after its pretraining",
}
"""Why the law says nothing of a kind of model: its D1 is not the D1 that the law has seen."""


@dataclass(frozen=True)
class Checkpoint:
    """A base model, or a point on the way to one; what is not known is None or empty.

    Attributes
    ----------
    hub_id : where it is published; ``@`` names the revision.
    params_total : all parameters.
    params : non-embedding parameters, the law's N.
    params_active : non-embedding parameters that one token uses; `params` for a dense model.
    tokens : D1, tokens that it was trained on, repeated ones counted again.
    unique_tokens : distinct tokens among them, where they were repeated or counted.
    peak_lr, final_lr : learning rates at the peak and at the end.
    schedule_state : ``stable`` at a constant rate, ``cooled`` at the end of a decay, ``mid``
        inside one.
    data1 : the text that it was trained on.
    kind : ``base`` for a model trained once from scratch on ordinary text; see `OUTSIDE`.
    shape : for FLOPs per token; it counts the matrices alone, less than 0.5 % below `params`.
    source : the paper or model card behind the numbers.
    date : of its publication, year and month.
    """

    name: str
    hub_id: str = ""
    params_total: float | None = None
    params: float | None = None
    params_active: float | None = None
    tokens: float | None = None
    unique_tokens: float | None = None
    peak_lr: float | None = None
    final_lr: float | None = None
    schedule_state: State = ""
    data1: str = ""
    tokenizer: str = ""
    shape: ModelShape | None = None
    kind: Kind = "base"
    licence: str = ""
    source: str = ""
    date: str = ""
    note: str = ""

    @property
    def tokens_per_param(self) -> float | None:
        """D1 over the non-embedding parameters; None where either is not known."""
        if self.tokens is None or self.params is None:
            return None
        return self.tokens / self.params

    def to_json(self) -> dict[str, Any]:
        """Return what is known of it as plain data."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "shape"}
        return {**plain, "tokens_per_param": self.tokens_per_param}


@cache
def public_checkpoints() -> tuple[Checkpoint, ...]:
    """Return the public base models of the table that ships with bootlaw, in its order."""
    return read_checkpoints(Path(__file__).parent / "data" / "checkpoints.csv")


def read_checkpoints(path: str | Path) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a CSV file with the columns of the shipped table.

    Only ``name`` and ``tokens`` must be there; a cell that is not known stays empty.
    ``params_non_embedding`` may be left out where the model's shape is given.

    Raises
    ------
    InputError
        When the file is not such a table; the message names file, row and column.
    """
    from bootlaw.planning.checkpoint_table import read_table

    return read_table(Path(path))


def named_checkpoints(
    names: Sequence[str], among: Sequence[Checkpoint] | None = None
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints with these names, in this order.

    A name may leave out upper case, and may be the ``hub_id``.

    Raises
    ------
    InputError
        For a name that is not among them, with the nearest ones.
    """
    known = public_checkpoints() if among is None else among
    by_name = {key.lower(): one for one in known for key in (one.hub_id, one.name) if key}
    unknown = [name for name in names if name.lower() not in by_name]
    if unknown:
        raise _unknown(unknown[0], [one.name for one in known])
    return tuple(by_name[name.lower()] for name in names)


def _unknown(name: str, known: Sequence[str]) -> InputError:
    from difflib import get_close_matches

    lower = {one.lower(): one for one in known}
    near = [lower[one] for one in get_close_matches(name.lower(), lower, n=3, cutoff=0.4)]
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return InputError(
        f"no checkpoint is called {name!r}{hint}; the table has {len(known)}: "
        "see them with bootlaw plan choose --list"
    )
