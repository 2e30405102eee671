"""Recipes: built in ranges of rows, in any order, the same numbers come out."""

from itertools import pairwise

import pytest
import tiny_decoders as tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bootlaw import growth
from bootlaw.growth import Step
from bootlaw.growth.draws import normals
from bootlaw.growth.layout import Centred, Concat, Repeat
from bootlaw.growth.recipe import Copy

pytestmark = pytest.mark.train

PLANS = {
    "tile": ("qwen2", [Step("tile", {"factor": 3})]),
    "widen_ffn": ("llama", [Step("widen_ffn", {"factor": 2.2})]),
    "widen_ffn, zero": ("llama", [Step("widen_ffn", {"mode": "zero"})]),
    "pad_hidden": ("gpt_neox", [Step("pad_hidden", {"hidden_size": 40})]),
    "upcycle": (
        "mistral",
        [Step("upcycle", {"granularity": 2, "noise": 0.1, "drop_fraction": 0.3})],
    ),
    "three in a row": (
        "gemma2",
        [
            Step("widen_ffn"),
            Step("tile", {"factor": 2}),
            Step("pad_hidden", {"hidden_size": 72}),
        ],
    ),
}


def reader(tensors):
    return lambda name, rows=None: tensors[name] if rows is None else tensors[name][rows]


@pytest.mark.parametrize("name", PLANS)
def test_any_cut_into_rows_and_any_order_of_rows_gives_the_same_tensor(name):
    family, steps = PLANS[name]
    config, tensors = tiny.trained(family, "mha")
    spec = tiny.described(config, tensors)
    plan = growth.compose(spec, steps)
    shapes, read = plan.shapes(spec.shapes), reader(tensors)
    for new, recipe in plan.recipes.items():
        if ".layers.1." in new:
            continue
        whole = recipe.build(read, 3)
        assert tuple(whole.shape) == shapes[new], new
        assert whole.dtype is torch.float64
        cuts = [0, 1, len(whole) // 3, len(whole) // 3 + 1, len(whole)]
        ranges = [slice(a, b) for a, b in pairwise(cuts) if a < b]
        parts = [recipe.build(read, 3, rows) for rows in ranges]
        assert torch.equal(torch.cat(parts), whole), new
        order = torch.randperm(len(whole))
        assert torch.equal(recipe.build(read, 3, order), whole[order]), new


@settings(max_examples=50, deadline=None)
@given(data=st.data(), total=st.integers(1, 200))
def test_random_numbers_depend_on_their_place_alone(data, total):
    start = data.draw(st.integers(0, total - 1))
    stop = data.draw(st.integers(start + 1, total))
    whole = normals(1, "key", None, (total, 3))
    assert torch.equal(normals(1, "key", slice(start, stop), (total, 3)), whole[start:stop])
    assert not torch.equal(normals(1, "other", None, (total, 3)), whole)
    assert not torch.equal(normals(2, "key", None, (total, 3)), whole)


def test_random_numbers_are_standard_normal():
    drawn = normals(0, "key", None, (1000, 100))
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert len(torch.unique(drawn[:, 0])) == 1000


def test_repeats_joins_and_means_over_all_rows():
    tensors = {"a": torch.arange(6.0).reshape(3, 2), "b": torch.ones(2, 2)}
    read = reader(tensors)
    twice = Repeat(Copy("a"), 0, 3, 2)
    assert torch.equal(twice.build(read, 0), tensors["a"].double().repeat(2, 1))
    joined = Concat((Copy("a"), Copy("b")), 0, (3, 2))
    assert joined.build(read, 0, slice(2, 4)).tolist() == [[4.0, 5.0], [1.0, 1.0]]
    centred = Centred(Copy("a"), 0, 3).build(read, 0, slice(0, 1))
    assert centred.tolist() == [[-2.0, -2.0]]
    assert joined.sources() == ("a", "b")


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    config, tensors = tiny.trained("llama", plain=True)
    plan = growth.tile(tiny.described(config, tensors))
    first, again, other = (growth.materialise(plan, tensors, seed=seed) for seed in (0, 0, 1))
    name = "model.layers.0.self_attn.q_proj.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])
