"""Operators in a row, and the shape that keeps depth and width in step."""

import pytest
import tiny_decoders as tiny
import torch

from bootlaw import growth
from bootlaw.errors import InputError
from bootlaw.growth import MomentRule, Preservation, Step

pytestmark = pytest.mark.train


def changed(plan, config, tensors):
    with torch.no_grad():
        expected = tiny.logits(tiny.parent(config, tensors))
        return (tiny.logits(tiny.grown(plan, tensors)) - expected).abs().max().item()


@pytest.mark.parametrize(
    ("family", "steps", "tolerance"),
    [
        ("llama", ["tile", "identity"], 1e-12),
        ("gemma2", ["identity", "tile", "widen_ffn"], 1e-12),
        ("olmo2", ["widen_ffn", "tile"], 1e-12),
        ("qwen2", ["upcycle", "tile", "identity"], 1e-6),
        ("qwen3", ["tile", "upcycle", "widen_ffn"], 1e-6),
        ("mistral", ["upcycle", "widen_ffn", "tile"], 1e-6),
    ],
)
def test_preserving_operators_preserve_in_a_row(family, steps, tolerance):
    config, tensors = tiny.trained(family, plain=True)
    plan = growth.compose(tiny.described(config, tensors), [Step(name) for name in steps])
    assert plan.operator == "+".join(steps)
    assert [step["operator"] for step in plan.arguments["steps"]] == steps
    assert plan.preservation is Preservation.ROUNDING
    assert changed(plan, config, tensors) < tolerance


def test_one_plan_for_two_steps_gives_what_the_steps_give_one_after_the_other():
    config, tensors = tiny.trained("qwen3", "gqa", True)
    steps = [Step("tile", {"noise": False}), Step("stack"), Step("widen_ffn", {"mode": "zero"})]
    spec, values = tiny.described(config, tensors), tensors
    for step in steps[:2]:
        plan = growth.compose(spec, [step])
        values = growth.materialise(plan, values)
        spec = growth.grown_spec(spec, plan)
    at_once = growth.compose(tiny.described(config, tensors), steps[:2])
    assert at_once.config == spec.config
    together = growth.materialise(at_once, tensors)
    assert together.keys() == values.keys()
    for name, value in values.items():
        assert torch.equal(together[name], value), name
    assert growth.compose(tiny.described(config, tensors), steps).preservation is (
        Preservation.APPROXIMATE
    )


def test_random_numbers_of_the_same_operator_twice_differ():
    config, tensors = tiny.trained("llama", plain=True)
    noisy = [Step("tile", {"factor": 2})] * 2
    plan = growth.compose(tiny.described(config, tensors), noisy)
    once = growth.materialise(growth.tile(tiny.described(config, tensors)), tensors)
    name = "model.layers.0.self_attn.o_proj.weight"
    twice = growth.materialise(plan, tensors)[name]
    assert torch.linalg.matrix_rank(twice) == 128
    assert torch.linalg.matrix_rank(once[name]) == 64
    assert changed(plan, config, tensors) < 1e-12


def test_what_a_plan_knows_of_its_tensors_survives_later_steps():
    config, tensors = tiny.trained("mistral")
    spec = tiny.described(config, tensors)
    plan = growth.compose(
        spec, [Step("identity", {"layers": 3}), Step("upcycle"), Step("stack", {"factor": 2})]
    )
    routers = {name for name in plan.recipes if name.endswith("block_sparse_moe.gate.weight")}
    assert len(routers) == 6
    assert set(plan.dtypes) == routers
    assert plan.new_layers == (2, 5)
    assert plan.moment_rule is MomentRule.HEURISTIC
    fresh = {name for name, moment in plan.moments.items() if not moment.keeps_step}
    assert routers < fresh
    assert "model.layers.5.self_attn.q_proj.weight" in fresh
    assert "model.layers.0.self_attn.q_proj.weight" not in fresh


def test_a_step_that_the_model_before_it_cannot_take_is_refused():
    spec = tiny.described(*tiny.trained("mistral"))
    with pytest.raises(InputError, match="a mixtral has 8 already"):
        growth.compose(spec, [Step("upcycle"), Step("upcycle")])
    with pytest.raises(InputError, match="at least one operator"):
        growth.compose(spec, [])


def test_a_shape_in_step_is_the_nearest_with_depth_and_width_together():
    config, tensors = tiny.trained("llama", plain=True)
    spec = tiny.described(config, tensors)
    size = growth.parameter_counts(spec).non_embedding
    picked = growth.shape_in_step(spec, 8 * size)
    assert [step.operator for step in picked.steps] == ["tile", "stack"]
    assert (picked.hidden, picked.layers) == (64, 4)
    assert picked.depth_to_width == 1.0
    assert "4 layers of width 64: tile then stack" in picked.words
    plan = growth.compose(spec, picked.steps)
    counts = growth.parameter_counts(growth.grown_spec(spec, plan))
    assert counts.non_embedding == picked.non_embedding
    with pytest.raises(InputError, match="the nearest has"):
        growth.shape_in_step(spec, 10**12)
