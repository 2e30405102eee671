import pytest

from bootlaw.errors import InputError
from bootlaw.training.model import ModelSpec, build_model

SHAPES = [
    ModelSpec(hidden_size=16, layers=1, head_size=8, intermediate_size=24, context=16),
    ModelSpec(hidden_size=32, layers=4, head_size=16, intermediate_size=88, context=128),
    ModelSpec(hidden_size=24, layers=3, head_size=4, intermediate_size=10, context=8),
]


@pytest.mark.parametrize("spec", SHAPES)
def test_the_parameter_formulas_equal_the_built_model(spec):
    model = build_model(spec.config(), seed=0)
    total = sum(parameter.numel() for parameter in model.parameters())
    embedding = model.get_input_embeddings().weight.numel()
    head = model.get_output_embeddings().weight.numel()
    assert total == spec.total_params
    assert total - embedding - head == spec.non_embedding_params


def test_flops_agree_with_torch_counting_the_matrix_products():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    spec = SHAPES[1]
    model = build_model(spec.config(), seed=0)
    model.set_attn_implementation("eager")
    tokens = torch.zeros(2, spec.context, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=tokens).logits.sum().backward()
    counted = counter.get_total_flops() / tokens.numel()
    # The count leaves out norm gains (below 1 %), and the first layer needs no input gradient.
    assert spec.flops_per_token == pytest.approx(counted, rel=0.02)


def test_one_seed_gives_one_model_and_leaves_the_global_generator_alone():
    import torch

    config = SHAPES[0].config()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = build_model(config, seed=1).state_dict()
    assert torch.equal(torch.rand(1), expected)
    again, other = build_model(config, seed=1).state_dict(), build_model(config, 2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 20}, "not a multiple"),
        ({"layers": 0}, "model.layers must be above 0"),
        ({"hidden_size": 15, "head_size": 5}, "even"),
    ],
)
def test_an_impossible_shape_is_refused_by_name(change, message):
    values = {"hidden_size": 16, "layers": 1, "head_size": 8, "intermediate_size": 24, "context": 8}
    with pytest.raises(InputError, match=message):
        ModelSpec(**{**values, **change})
