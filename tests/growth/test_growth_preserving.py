"""Every preserving operator x family x kind of attention x tied or not, on trained weights."""

from functools import cache

import pytest
import tiny_decoders as tiny
import torch

from bootlaw import growth
from bootlaw.growth import Preservation

pytestmark = pytest.mark.train

OPERATORS = {
    "identity": lambda spec: growth.identity(spec, layers=3),
    "tile": lambda spec: growth.tile(spec, factor=2),
    "widen_ffn": lambda spec: growth.widen_ffn(spec, intermediate_size=61),
    "pad_hidden": lambda spec: growth.pad_hidden(spec, hidden_size=48),
}
VARIANTS = {
    "identity on top": lambda spec: growth.identity(spec, layers=5, where="top"),
    "tile by 3, FFN by 2, no noise": lambda spec: growth.tile(
        spec, factor=3, ffn_factor=2, noise=False
    ),
    "tile by 4, FFN kept": lambda spec: growth.tile(spec, factor=4, ffn_factor=1, noise_db=0),
    "widen_ffn, even": lambda spec: growth.widen_ffn(spec, factor=2, split="even"),
    "widen_ffn, zero": lambda spec: growth.widen_ffn(spec, mode="zero"),
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}


@cache
def reference(case):
    config, tensors = tiny.trained(*case)
    with torch.no_grad():
        model = tiny.parent(config, tensors)
        doubles = tiny.logits(model)
        return {torch.float64: doubles, torch.float32: tiny.logits(model.float())}


def differences(plan, case):
    """Return dtype -> largest difference of the grown model's logits from the parent's."""
    model = tiny.grown(plan, tiny.trained(*case)[1])
    found = {}
    with torch.no_grad():
        for dtype, expected in reference(case).items():
            # Rounding the float64 model is what growing to float32 does: each weight once.
            found[dtype] = (tiny.logits(model.to(dtype)) - expected).abs().max().item()
    return found


def assert_preserved(plan, case):
    assert plan.preservation is not Preservation.APPROXIMATE
    for dtype, difference in differences(plan, case).items():
        exact = plan.preservation is Preservation.EXACT
        assert difference <= (0 if exact else TOLERANCE[dtype]), (dtype, difference)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("case", tiny.cases(), ids=str)
def test_the_grown_model_computes_the_parents_function(case, operator):
    spec = tiny.described(*tiny.trained(*case))
    assert_preserved(OPERATORS[operator](spec), case)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", tiny.DENSE)
def test_so_it_does_under_the_other_options(family, variant):
    case = (family, "mha" if family == "gpt_neox" else "gqa")
    assert_preserved(VARIANTS[variant](tiny.described(*tiny.trained(*case))), case)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("family", ["llama", "qwen3", "olmo2", "gpt_neox"])
def test_a_checkpoint_stored_in_bfloat16_is_preserved_to_its_rounding(family, operator):
    config, tensors = tiny.trained(family, "mha" if family == "gpt_neox" else "gqa")
    stored = {name: value.bfloat16() for name, value in tensors.items()}
    plan = OPERATORS[operator](tiny.described(config, stored))
    with torch.no_grad():
        parent = tiny.load(tiny.built(config, torch.bfloat16), stored)
        grown = tiny.load(tiny.built(plan.config, torch.bfloat16), growth.materialise(plan, stored))
        difference = tiny.logits(grown) - tiny.logits(parent)
    assert difference.abs().max() <= (0 if plan.preservation is Preservation.EXACT else 0.2)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_the_loss_in_float32_stays_to_a_millionth(family, operator):
    config, tensors = tiny.trained(family)
    plan = OPERATORS[operator](tiny.described(config, tensors))
    with torch.no_grad():
        before = tiny.loss_of(tiny.parent(config, tensors, torch.float32), tiny.tokens(99))
        after = tiny.loss_of(tiny.grown(plan, tensors, torch.float32), tiny.tokens(99))
    assert abs(after - before) <= 1e-6


@pytest.mark.parametrize("family", tiny.DENSE)
def test_a_tied_head_may_stay_tied(family):
    case = (family, "mha" if family == "gpt_neox" else "gqa", True)
    plan = growth.tile(tiny.described(*tiny.trained(*case)), factor=3, head="tie")
    assert plan.config["tie_word_embeddings"] is True
    assert_preserved(plan, case)


@pytest.mark.parametrize("family", ["llama", "qwen3", "olmo2", "gemma2"])
def test_a_single_key_value_head_may_stay_single(family):
    case = (family, "mqa")
    plan = growth.tile(tiny.described(*tiny.trained(*case)), factor=2, kv_heads="keep")
    assert plan.config["num_key_value_heads"] == 1
    assert_preserved(plan, case)


def test_a_sequential_gpt_neox_is_preserved_too():
    case = ("gpt_neox", "mha")
    config, tensors = tiny.trained(*case)
    config = {**config, "use_parallel_residual": False}
    spec = tiny.described(config, tensors)
    with torch.no_grad():
        expected = tiny.logits(tiny.parent(config, tensors))
        for operator in OPERATORS.values():
            found = tiny.logits(tiny.grown(operator(spec), tensors))
            assert (found - expected).abs().max() < 1e-12


DEEPER = {
    "stack": (lambda spec: growth.stack(spec, layers=5), [0, 1, 0, 1, 1]),
    "interleave": (lambda spec: growth.interleave(spec, layers=5), [0, 0, 0, 1, 1]),
    "overlap": (lambda spec: growth.overlap(spec, drop=0), [0, 1, 0, 1]),
}


@pytest.mark.parametrize(
    ("case", "operator"),
    # Every case meets one of the three; what differs between cases is not the order of layers.
    [(case, list(DEEPER)[number % 3]) for number, case in enumerate(tiny.cases())],
    ids=str,
)
def test_copied_layers_compute_what_the_parents_own_layers_do_in_that_order(case, operator):
    function, origins = DEEPER[operator]
    config, tensors = tiny.trained(*case)
    plan = function(tiny.described(config, tensors))
    assert plan.preservation is Preservation.APPROXIMATE
    model = tiny.parent(config, tensors)
    body = model.base_model
    layers = [body.layers[origin] for origin in origins]
    kinds = getattr(body.config, "layer_types", None)
    with torch.no_grad():
        before = tiny.logits(model)
        body.layers = torch.nn.ModuleList(layers)
        body.config.num_hidden_layers = len(layers)
        if kinds:
            body.config.layer_types = [kinds[origin] for origin in origins]
        expected = tiny.logits(model)
        found = tiny.logits(tiny.grown(plan, tensors))
    assert torch.equal(found, expected)
    assert (found - before).abs().max() > 0.05
