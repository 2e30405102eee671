"""What the operators do with layers, configurations and impossible wishes."""

import math

import pytest
import tiny_decoders as tiny
import torch

from bootlaw import growth
from bootlaw.errors import InputError
from bootlaw.growth import OPERATORS, Step
from bootlaw.growth.compose import apply

pytestmark = pytest.mark.train


def spec(family="llama", kind="gqa", tied=False, **fields):
    config, tensors = tiny.trained(family, kind, tied, plain=True)
    return tiny.described({**config, **fields}, tensors)


def deep(layers, **fields):
    """Return the specification of a llama of any depth, without weights."""
    config, tensors = tiny.trained("llama", plain=True)
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    block = {name: shape for name, shape in shapes.items() if ".layers.0." in name}
    shapes = {name: shape for name, shape in shapes.items() if ".layers." not in name}
    for layer in range(layers):
        for name, shape in block.items():
            shapes[name.replace(".layers.0.", f".layers.{layer}.")] = shape
    return growth.describe({**config, "num_hidden_layers": layers, **fields}, shapes)


def origins(plan):
    """Return the parent's layer behind each layer of a plan."""
    gate = "model.layers.{}.mlp.gate_proj.weight"
    layers = plan.config["num_hidden_layers"]
    return [int(plan.recipes[gate.format(i)].source.split(".")[2]) for i in range(layers)]


def test_interleaving_keeps_copies_together_and_spreads_a_remainder():
    assert origins(growth.interleave(deep(3), factor=3)) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert origins(growth.interleave(deep(4), layers=6)) == [0, 0, 1, 2, 2, 3]


def test_overlapping_shares_a_middle_as_solar_does():
    assert origins(growth.overlap(deep(8))) == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7]
    assert origins(growth.overlap(deep(5), drop=2)) == [0, 1, 2, 2, 3, 4]
    assert growth.overlap(deep(8), layers=10).arguments == {"drop": 3}


@pytest.mark.parametrize(
    ("layers", "target", "where", "after"),
    [
        (4, 6, "interleaved", [0, 1, 1, 2, 3, 3]),
        (4, 8, "interleaved", [0, 0, 1, 1, 2, 2, 3, 3]),
        (3, 5, "interleaved", [0, 0, 1, 2, 2]),
        (2, 7, "interleaved", [0, 0, 0, 0, 1, 1, 1]),
        (3, 5, "top", [0, 1, 2, 2, 2]),
    ],
)
def test_identity_blocks_stand_where_asked_whatever_the_counts(layers, target, where, after):
    plan = growth.identity(deep(layers), layers=target, where=where)
    assert origins(plan) == after
    new = [i for i in range(1, target) if after[i] == after[i - 1]]
    assert list(plan.new_layers) == new
    for layer in range(target):
        for name in ("self_attn.o_proj", "mlp.down_proj"):
            recipe = plan.recipes[f"model.layers.{layer}.{name}.weight"]
            assert isinstance(recipe, growth.Zeros) == (layer in new)


def test_kinds_of_attention_move_with_their_layers_even_where_they_were_only_implied():
    config, tensors = tiny.trained("gemma2")
    config = {key: value for key, value in config.items() if key != "layer_types"}
    plan = growth.interleave(tiny.described(config, tensors), factor=2)
    assert plan.config["layer_types"] == ["sliding_attention"] * 2 + ["full_attention"] * 2


def test_a_window_that_starts_at_a_layer_moves_or_is_refused():
    fields = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}
    window = spec("qwen2", **fields, layer_types=None)
    plan = growth.interleave(window)
    assert plan.config["max_window_layers"] == 2
    assert plan.config["layer_types"] == ["full_attention"] * 2 + ["sliding_attention"] * 2
    with pytest.raises(InputError, match="they alternate"):
        growth.stack(window)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sliding_window_pattern": 2}, "by their number"),
        ({"no_rope_layer_interval": 4}, "by their number"),
        ({"attn_scales": [1.0, 0.5]}, "as many entries as layers, attn_scales"),
        ({"layer_types": ["full_attention"]}, "1 entries in layer_types"),
    ],
)
def test_what_belongs_to_layers_and_cannot_move_is_refused(fields, words):
    with pytest.raises(InputError, match=words):
        growth.stack(spec(**fields))


def test_windows_that_max_window_layers_never_described_still_move():
    """The refusal named identity as the way out of identity."""
    fields = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2}
    kinds = ["sliding_attention", "full_attention"]
    plan = growth.stack(spec("qwen2", layer_types=kinds, **fields))
    assert plan.config["layer_types"] == kinds * 2
    assert plan.config["max_window_layers"] == 2


def test_layers_without_positions_move_with_their_layers():
    plan = growth.stack(spec(no_rope_layers=[1, 0]))
    assert plan.config["no_rope_layers"] == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step("stack", {"layers": 2}), "more layers"),
        (Step("identity", {"factor": 2, "layers": 4}), "not both"),
        (Step("identity", {"where": "below"}), "where"),
        (Step("overlap", {"drop": 1}), "drop from 0 to 0"),
        (Step("overlap", {"layers": 3}), "odd"),
        (Step("tile", {"factor": 1.5}), "whole factor"),
        (Step("tile", {"factor": 1}), "at least 2"),
        (Step("tile", {"ffn_factor": 0}), "ffn_factor"),
        (Step("tile", {"kv_heads": "keep"}), "another key-value head"),
        (Step("tile", {"head": "none"}), "untie and tie"),
        (Step("widen_ffn", {"intermediate_size": 24}), "more than the parent's 24"),
        (Step("widen_ffn", {"factor": 2, "intermediate_size": 48}), "not both"),
        (Step("widen_ffn", {"mode": "copy"}), "duplicate and zero"),
        (Step("pad_hidden", {"hidden_size": 32}), "more than the parent's"),
        (Step("pad_hidden", {"hidden_size": 50}), "take 48 or 52"),
        (Step("stack", {"layers": 10**9}), "up to 10000 layers"),
        (Step("tile", {"head": "tie"}), "a matrix of its own"),
        (Step("tile", {"noise_db": math.nan}), "noise_db from 0"),
        (Step("tile", {"noise_db": 400.0}), "noise_db from 0.* to 60"),
        (Step("widen_ffn", {"intermediate_size": 0}), "more than the parent's 24 units, found 0"),
        (Step("upcycle", {"router_std": 0.0}), "router_std above 0, found 0.0"),
        (Step("upcycle", {"drop_fraction": 0.01}), "redraws none of an expert's 24 units"),
        (Step("upcycle", {"experts": 10**9}), "up to 10000 experts"),
        (Step("fold", {}), "no operator 'fold'; it has stack"),
        (Step("tile", {"vocab_size": 99}), "takes factor.*not vocab_size"),
    ],
)
def test_impossible_wishes_are_refused_with_the_reason(step, words):
    with pytest.raises(InputError, match=words):
        apply(spec(), step)


def test_heads_that_follow_the_width_are_added_whole():
    plan = growth.pad_hidden(spec("gpt_neox", "mha"), hidden_size=48)
    assert plan.config["num_attention_heads"] == 6
    with pytest.raises(InputError, match="multiple of 8"):
        growth.pad_hidden(spec("gpt_neox", "mha"), hidden_size=44)


def test_no_operator_changes_the_parents_configuration():
    parent = spec("qwen2")
    before = repr(parent.config)
    for name in OPERATORS:
        apply(parent, Step(name, {"hidden_size": 64} if name == "pad_hidden" else _own(name)))
    assert repr(parent.config) == before


def _own(name):
    return {"drop": 0} if name == "overlap" else {}


def test_tiling_without_noise_stays_the_small_model_and_noise_breaks_it():
    config, tensors = tiny.trained("llama", plain=True)
    for noise in (False, True):
        plan = growth.tile(tiny.described(config, tensors), noise=noise)
        model = tiny.grown(plan, tensors)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for step in range(5):
            tiny.loss_of(model, tiny.tokens(step)).backward()
            optimizer.step()
            optimizer.zero_grad()
        weight = model.model.layers[0].self_attn.q_proj.weight
        rank = torch.linalg.matrix_rank(weight, rtol=1e-9)
        left, right = weight.chunk(2, dim=1)
        assert rank == (64 if noise else 32)
        assert torch.allclose(left, right, rtol=0, atol=1e-9) == (not noise)


def test_the_noise_lies_as_far_below_the_row_as_asked():
    tensors = tiny.trained("llama", plain=True)[1]
    name = "model.layers.0.mlp.gate_proj.weight"
    grown = growth.materialise(growth.tile(spec(), noise_db=20.0), tensors)[name]
    signal = tensors[name] / 2
    left, right = grown[:24].chunk(2, dim=1)
    assert torch.allclose(left + right, 2 * signal, atol=1e-15)
    power = ((left - signal) ** 2).mean() / (signal**2).mean()
    assert abs(10 * torch.log10(power) + 20) < 1


@pytest.mark.parametrize("split", ["uneven", "even"])
def test_duplicated_units_share_out_what_they_send(split):
    tensors = tiny.trained("llama", plain=True)[1]
    plan = growth.widen_ffn(spec(), intermediate_size=60, split=split)
    grown = growth.materialise(plan, tensors)
    up = grown["model.layers.1.mlp.up_proj.weight"]
    down = grown["model.layers.1.mlp.down_proj.weight"]
    old = tensors["model.layers.1.mlp.up_proj.weight"]
    for unit in range(24):
        copies = (up == old[unit]).all(dim=1)
        assert copies.sum() in (2, 3)  # 60 units from 24: none three times before all twice
        sent = tensors["model.layers.1.mlp.down_proj.weight"][:, unit]
        assert torch.allclose(down[:, copies].sum(dim=1), sent, atol=1e-14)
        shares = down[0, copies] / sent[0]
        assert (shares.std() < 1e-9) == (split == "even")


@pytest.mark.parametrize("split", ["uneven", "even"])
def test_copies_of_a_unit_part_only_if_their_shares_differ(split):
    config, tensors = tiny.trained("llama", plain=True)
    plan = growth.widen_ffn(tiny.described(config, tensors), intermediate_size=48, split=split)
    model = tiny.grown(plan, tensors)
    up = model.model.layers[0].mlp.up_proj.weight
    twin = next(i for i in range(24, 48) if torch.equal(up[i], up[0]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(5):
        tiny.loss_of(model, tiny.tokens(step)).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert torch.allclose(up[twin], up[0], rtol=0, atol=1e-9) == (split == "even")


def test_a_head_size_that_no_longer_follows_from_the_width_is_said():
    plan = growth.pad_hidden(spec("qwen2", head_dim=None), hidden_size=48)
    assert plan.config["head_dim"] == 8
    assert any("head_dim" in note for note in plan.notes)
