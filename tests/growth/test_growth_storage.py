import numpy as np
import pytest
import torch
from hf_folders import CONFIG, llama_shapes
from hypothesis import given
from hypothesis import strategies as st

from bootlaw import growth
from bootlaw.growth.storage import round_once, stored_types

WIDTHS = {torch.bfloat16: 8, torch.float16: 11}
"""Significant bits."""


def test_what_is_made_of_nothing_has_the_type_of_most_tensors():
    """With norms in float32 the zeroed matrices of identity blocks became float32 too."""
    config = {**CONFIG, "model_type": "llama"}
    shapes = llama_shapes()
    plan = growth.identity(growth.describe(config, shapes))
    ordered = sorted(shapes, key=lambda name: "norm" not in name)
    types = {name: "float32" if "norm" in name else "bfloat16" for name in ordered}
    stored = stored_types(plan, types)
    assert {stored[name] for name in stored if "norm" not in name} == {"bfloat16"}
    assert {stored[name] for name in stored if "norm" in name} == {"float32"}


def test_a_value_just_above_a_tie_rounds_up_where_torch_rounds_twice():
    value = torch.tensor([1 + 2**-8 + 2**-40], dtype=torch.float64)
    assert value.to(torch.bfloat16).item() == 1
    assert round_once(value, torch.bfloat16).item() == 1 + 2**-7


@pytest.mark.parametrize("dtype", list(WIDTHS))
@given(data=st.data())
def test_rounding_once_takes_the_nearest_value(dtype, data):
    limit = float(torch.finfo(dtype).max)
    x = data.draw(st.floats(-limit, limit, allow_nan=False))
    near = torch.tensor([x], dtype=torch.float64).to(dtype)
    steps = near.view(torch.int16) + torch.tensor([-1, 0, 1], dtype=torch.int16)
    candidates = steps.view(dtype).double()
    candidates = candidates[candidates.isfinite()]

    error = abs(round_once(torch.tensor([x], dtype=torch.float64), dtype).double().item() - x)

    assert error <= (candidates - x).abs().min().item()


@pytest.mark.parametrize("dtype", list(WIDTHS))
def test_ties_go_to_even_and_their_neighbours_to_their_side(dtype):
    step = 2.0 ** (1 - WIDTHS[dtype])
    grid = 1 + step * np.arange(64)
    ties = torch.from_numpy(grid + step / 2)
    even = torch.from_numpy(np.where(np.arange(64) % 2, grid + step, grid))
    assert torch.equal(round_once(ties, dtype).double(), even)
    assert torch.equal(round_once(ties - 1e-15, dtype).double(), torch.from_numpy(grid))
    assert torch.equal(round_once(ties + 1e-15, dtype).double(), torch.from_numpy(grid + step))
    assert torch.equal(round_once(-ties, dtype).double(), -even)


@pytest.mark.parametrize("dtype", [*WIDTHS, torch.float32, torch.float64])
def test_what_the_type_holds_stays_as_it_is(dtype):
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0)).to(dtype)
    extremes = torch.tensor([0.0, -0.0, torch.inf, -torch.inf], dtype=dtype)
    kept = torch.cat([values, extremes])
    rounded = round_once(kept.double(), dtype)
    assert torch.equal(rounded, kept)
    assert torch.equal(rounded.signbit(), kept.signbit())
    assert round_once(torch.tensor([torch.nan], dtype=torch.float64), dtype).isnan().all()
