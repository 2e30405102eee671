"""Kinds of the fields of a configuration, checked before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterator

from bootlaw.errors import InputError
from bootlaw.growth.family import Config, Family


def check_fields(family: Family, config: Config) -> None:
    """Raise where a field that growth reads is not of its kind; absent and null ones pass.

    Raises
    ------
    InputError
        Names the field and what was found.
    """
    for key in _counts(family):
        value = family.value(config, key)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        _refuse_unless(whole, key, value, "a whole number of at least 1")
    windows = ("sliding_window", "max_window_layers")
    for key in (family.keys.eps, "initializer_range", "rope_theta", *windows):
        value = family.value(config, key)
        number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        _refuse_unless(number, key, value, "a number of at least 0")
    for key in _switches(family):
        value = family.value(config, key)
        _refuse_unless(isinstance(value, bool), key, value, "true or false")


def _counts(family: Family) -> Iterator[str]:
    keys = family.keys
    optional = (keys.ffn, keys.kv_heads, keys.head_size, keys.experts, keys.top_k)
    yield from (keys.hidden, keys.layers, keys.heads, "vocab_size")
    yield from (key for key in (*optional, keys.expert_ffn, keys.shared_ffn) if key)
    yield "max_position_embeddings"


def _switches(family: Family) -> Iterator[str]:
    yield from ("tie_word_embeddings", "use_sliding_window")
    yield from (slot.when for slot in family.slots if isinstance(slot.when, str))
    if isinstance(family.renormalises, str):
        yield family.renormalises


def _refuse_unless(right: bool, key: str, value: object, kind: str) -> None:
    if value is not None and not right:
        raise InputError(f"config.json: {key} must be {kind}, found {value!r}")
