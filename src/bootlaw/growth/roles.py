"""What a tensor of a decoder is for, and which quantity each of its axes counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a tensor is for."""

    EMBEDDING = "embedding"
    HEAD = "head"
    Q = "q"
    K = "k"
    V = "v"
    QKV = "qkv"
    """Query, key and value in one matrix, head by head."""
    O = "o"  # noqa: E741
    """Output of attention."""
    GATE = "gate"
    UP = "up"
    DOWN = "down"
    ROUTER = "router"
    SWITCH = "switch"
    """The sigmoid gate on a shared expert."""
    PRE_NORM = "pre_norm"
    """On the input of attention or FFN."""
    POST_NORM = "post_norm"
    """On the output of attention or FFN, before it is added to the residual stream."""
    Q_NORM = "q_norm"
    K_NORM = "k_norm"
    FINAL_NORM = "final_norm"
    BUFFER = "buffer"
    """Not a parameter; made anew when the model is built."""


NORMS = frozenset({Role.PRE_NORM, Role.POST_NORM, Role.FINAL_NORM})
"""Norms over the residual stream's width."""


class Axis(Enum):
    """What the entries along one dimension of a tensor are."""

    VOCAB = "vocab"
    HIDDEN = "hidden"
    Q = "heads x head size"
    KV = "key-value heads x head size"
    QKV = "heads x 3 x head size"
    HEAD = "head size"
    FFN = "ffn"
    EXPERT_FFN = "ffn of an expert"
    SHARED_FFN = "ffn of the shared expert"
    EXPERTS = "experts"
    ONE = "one"


FFN_AXES = frozenset({Axis.FFN, Axis.EXPERT_FFN, Axis.SHARED_FFN})


class Part(Enum):
    """How a tensor enters the computation."""

    MATRIX = "matrix"
    """(outputs, inputs), multiplies its input."""
    TABLE = "table"
    """(vocabulary, hidden), rows are looked up."""
    BIAS = "bias"
    GAIN = "gain"
    BUFFER = "buffer"


@dataclass(frozen=True)
class Slot:
    """One tensor of every layer (or of every expert of every layer, or of the model)."""

    pattern: str
    """Its name, with ``{layer}`` and ``{expert}`` for the numbers."""
    role: Role
    part: Part
    axes: tuple[Axis, ...]
    when: str | bool = True
    """Whether it is there: always, never, or where this field of the configuration is true."""
    aliases: tuple[str, ...] = ()
    """Other names under which it is stored."""

    @property
    def output(self) -> Axis:
        """The axis that the tensor writes: hidden for an embedding, else its first."""
        return self.axes[-1] if self.part is Part.TABLE else self.axes[0]


def embedding(name: str) -> tuple[Slot, ...]:
    """Return the slot of the token embedding."""
    return (Slot(name, Role.EMBEDDING, Part.TABLE, (Axis.VOCAB, Axis.HIDDEN)),)


def head(name: str, *aliases: str) -> tuple[Slot, ...]:
    """Return the slot of the output head, which tied models do not store."""
    return (Slot(name, Role.HEAD, Part.MATRIX, (Axis.VOCAB, Axis.HIDDEN), aliases=aliases),)


def linear(
    stem: str, role: Role, outputs: Axis, inputs: Axis, bias: str | bool = False
) -> tuple[Slot, ...]:
    """Return the slots of a linear map: its weight, and its bias where there is one."""
    weight = Slot(f"{stem}.weight", role, Part.MATRIX, (outputs, inputs))
    return (weight, Slot(f"{stem}.bias", role, Part.BIAS, (outputs,), when=bias))


def norm(
    stem: str, role: Role, axis: Axis = Axis.HIDDEN, bias: str | bool = False
) -> tuple[Slot, ...]:
    """Return the slots of a norm: its gain, and its bias where there is one."""
    gain = Slot(f"{stem}.weight", role, Part.GAIN, (axis,))
    return (gain, Slot(f"{stem}.bias", role, Part.BIAS, (axis,), when=bias))


def buffer(name: str) -> tuple[Slot, ...]:
    """Return the slot of a stored buffer, which is dropped: the model makes it anew."""
    return (Slot(name, Role.BUFFER, Part.BUFFER, ()),)
