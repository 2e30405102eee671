"""Moment maps against true gradients: what a map says of the moments holds for gradients."""

import pytest
import tiny_decoders as tiny
import torch

from bootlaw import growth
from bootlaw.growth import MomentRule, Step

pytestmark = pytest.mark.train

OPERATORS = {
    "identity": lambda spec: growth.identity(spec, layers=3),
    "tile": lambda spec: growth.tile(
        spec, factor=3, ffn_factor=2, noise=False, head="tie" if spec.tied else "untie"
    ),
    "widen_ffn": lambda spec: growth.widen_ffn(spec, intermediate_size=61),
    "widen_ffn, zero": lambda spec: growth.widen_ffn(spec, mode="zero"),
    "pad_hidden": lambda spec: growth.pad_hidden(spec, hidden_size=48),
    "two in a row": lambda spec: growth.compose(
        spec,
        [
            Step("tile", {"noise": False, "head": "tie" if spec.tied else "untie"}),
            Step("identity", {"layers": 3}),
        ],
    ),
}
CASES = [
    (family, kind, tied)
    for family, kind, tied in tiny.cases()
    if (kind == "gqa" or family == "gpt_neox")
    and (not tied or family in ("llama", "gemma2"))
    and family != "mistral"  # a Llama with a window
]


def gradients(model, names):
    """Return the gradients of the loss under the names of a checkpoint's files."""
    tiny.loss_of(model, tiny.tokens(7)).backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {name: gradient_of(tiny.inside(name), found) for name in names}


def gradient_of(name, found):
    """Return a gradient; those of experts are parts of one for all of them."""
    if ".experts." not in name:
        return found[name]
    stem, number, part = name.removesuffix(".weight").rsplit(".", 2)
    if part in ("down_proj", "w2"):
        return found[f"{stem}.down_proj"][int(number)]
    gate, up = found[f"{stem}.gate_up_proj"][int(number)].chunk(2)
    return gate if part in ("gate_proj", "w1") else up


def applied(recipe, tensors):
    return recipe.build(
        lambda name, rows=None: tensors[name] if rows is None else tensors[name][rows], 0
    )


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_follow_the_map_of_the_moments(case, operator):
    config, tensors = tiny.trained(*case)
    spec = tiny.described(config, tensors)
    plan = OPERATORS[operator](spec)
    if plan.moment_rule is not MomentRule.EXACT:
        assert case[0] == "gpt_neox"
        assert operator == "pad_hidden"
        return
    old = gradients(tiny.parent(config, tensors), spec.shapes)
    new = gradients(tiny.grown(plan, tensors), plan.recipes)
    ones = {name: torch.ones_like(gradient) for name, gradient in old.items()}
    squares = {name: gradient**2 for name, gradient in old.items()}
    assert set(plan.moments) == set(plan.recipes)
    for name, moment in plan.moments.items():
        carried = applied(moment.first, ones) != 0
        predicted = applied(moment.first, old)
        assert torch.allclose(new[name][carried], predicted[carried], rtol=1e-9, atol=1e-12), name
        assert torch.allclose(applied(moment.second, squares), predicted**2, rtol=1e-9), name
        # Entries that carry nothing are new; a wholly new parameter counts its steps from 0.
        assert moment.keeps_step == bool(carried.any())


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("family", ["mistral", "qwen2", "qwen3"])
def test_so_they_do_in_a_mixture_of_experts(family, operator):
    config, tensors = tiny.trained(family)
    mixture = growth.upcycle(tiny.described(config, tensors), experts=4, noise=0.3)
    tensors = growth.materialise(mixture, tensors, dtype=torch.float64)
    spec = tiny.described(mixture.config, tensors)
    plan = OPERATORS[operator](spec)
    old = gradients(tiny.parent(mixture.config, tensors), spec.shapes)
    new = gradients(tiny.grown(plan, tensors), plan.recipes)
    ones = {name: torch.ones_like(gradient) for name, gradient in old.items()}
    for name, moment in plan.moments.items():
        carried = applied(moment.first, ones) != 0
        predicted = applied(moment.first, old)[carried]
        # The router's softmax is computed in float32.
        assert torch.allclose(new[name][carried], predicted, rtol=1e-5, atol=1e-7), name


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_a_head_without_ties_has_the_parents_gradient_when_tiled(family):
    config, tensors = tiny.trained(family)
    spec = tiny.described(config, tensors)
    plan = growth.tile(spec, factor=2, noise=False)
    old = gradients(tiny.parent(config, tensors), spec.shapes)
    new = gradients(tiny.grown(plan, tensors), plan.recipes)
    ratio = 2**0.5 / 2 if family == "gemma2" else 0.5
    for name, expected in (("lm_head.weight", 1.0), ("model.embed_tokens.weight", ratio)):
        assert torch.allclose(new[name], expected * old[name].repeat(1, 2), rtol=1e-9, atol=1e-13)
    q = "model.layers.1.self_attn.q_proj.weight"
    assert torch.allclose(new[q], old[q].repeat(2, 2) / 2, rtol=1e-9, atol=1e-13)


def test_a_single_key_value_head_collects_the_gradients_of_all_its_queries():
    config, tensors = tiny.trained("qwen3", "mqa")
    spec = tiny.described(config, tensors)
    plan = growth.tile(spec, factor=2, noise=False, kv_heads="keep")
    old = gradients(tiny.parent(config, tensors), spec.shapes)
    new = gradients(tiny.grown(plan, tensors), plan.recipes)
    for name in ("k_proj", "v_proj", "k_norm", "q_norm", "q_proj"):
        full = f"model.layers.0.self_attn.{name}.weight"
        predicted = applied(plan.moments[full].first, old)
        assert torch.allclose(new[full], predicted, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        (Step("tile"), MomentRule.APPROXIMATE),
        (Step("tile", {"noise": False}), MomentRule.EXACT),
        (Step("stack"), MomentRule.HEURISTIC),
        (Step("interleave"), MomentRule.HEURISTIC),
        (Step("overlap", {"drop": 0}), MomentRule.HEURISTIC),
        (Step("upcycle"), MomentRule.HEURISTIC),
    ],
)
def test_a_map_says_how_right_it_is(step, rule):
    spec = tiny.described(*tiny.trained("mistral"))
    plan = growth.compose(spec, [step])
    assert plan.moment_rule is rule
    shapes = plan.shapes(spec.shapes)
    for name, moment in plan.moments.items():
        assert moment.first.shape(spec.shapes) == moment.second.shape(spec.shapes) == shapes[name]


def test_untying_a_head_makes_the_map_approximate():
    spec = tiny.described(*tiny.trained("llama", "gqa", True))
    assert growth.tile(spec, noise=False).moment_rule is MomentRule.APPROXIMATE


@pytest.mark.parametrize("family", ["llama", "gemma2", "olmo2", "gpt_neox"])
def test_new_identity_blocks_learn_from_the_second_step_on(family):
    case = (family, "mha" if family == "gpt_neox" else "gqa")
    config, tensors = tiny.trained(*case)
    plan = growth.identity(tiny.described(config, tensors), layers=3)
    (new,) = plan.new_layers
    model = tiny.grown(plan, tensors)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    spec = growth.grown_spec(tiny.described(config, tensors), plan)
    silenced = {
        name
        for name, place in spec.places.items()
        if place.layer == new and place.slot.role in spec.family.silenced
    }
    inside = {name for name, place in spec.places.items() if place.layer == new}
    first = gradients(model, inside)
    assert {name for name, gradient in first.items() if gradient.abs().max() > 0} == silenced
    optimizer.step()
    optimizer.zero_grad()
    second = gradients(model, inside)
    assert all(gradient.abs().max() > 0 for gradient in second.values())
