"""Grown models as others meet them: loaded by transformers, counted, trained."""

import json
import logging

import pytest
import tiny_decoders as tiny
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from bootlaw import growth
from bootlaw.growth import Step

pytestmark = pytest.mark.train

GROWTHS = [
    ("llama", [Step("tile")]),
    ("mistral", [Step("upcycle", {"experts": 4})]),
    ("qwen2", [Step("upcycle", {"experts": 4})]),
    ("qwen3", [Step("upcycle", {"experts": 4, "top_k": 4, "granularity": 2})]),
    ("gemma2", [Step("identity", {"layers": 3})]),
    ("gemma2", [Step("tile")]),
    ("olmo2", [Step("identity", {"layers": 3})]),
    ("olmo2", [Step("widen_ffn")]),
    ("gpt_neox", [Step("pad_hidden", {"hidden_size": 48})]),
    ("qwen3", [Step("stack"), Step("widen_ffn", {"mode": "zero"})]),
]


def planned(family, steps, tied=False):
    config, tensors = tiny.trained(family, "mha" if family == "gpt_neox" else "gqa", tied, True)
    return growth.compose(tiny.described(config, tensors), steps), tensors


@pytest.mark.parametrize(("family", "steps"), GROWTHS, ids=str)
@pytest.mark.parametrize("tied", [False, True])
def test_counts_are_those_of_the_model_that_transformers_builds(family, steps, tied):
    plan, tensors = planned(family, steps, tied)
    model = tiny.grown(plan, tensors)
    shapes = {name: value.shape for name, value in growth.materialise(plan, tensors).items()}
    counts = growth.parameter_counts(growth.describe(plan.config, shapes))
    total = sum(parameter.numel() for parameter in model.parameters())
    ends = {model.get_input_embeddings().weight, model.get_output_embeddings().weight}
    assert counts.total == total
    assert counts.non_embedding == total - sum(weight.numel() for weight in ends)
    assert counts == growth.configured_counts(plan.config)


def test_active_parameters_leave_out_the_experts_that_a_token_does_not_take():
    plan, _ = planned("mistral", [Step("upcycle", {"experts": 8, "top_k": 2})])
    dense = growth.parameter_counts(tiny.described(*tiny.trained("mistral")))
    counts = growth.configured_counts(plan.config)
    ffn, routers = 2 * 3 * 32 * 24, 2 * 8 * 32
    assert counts.total == dense.total + 7 * ffn + routers
    assert counts.active == dense.total + 1 * ffn + routers


@pytest.mark.parametrize(("family", "steps"), GROWTHS, ids=str)
def test_transformers_loads_the_files_without_missing_or_unexpected_names(
    family, steps, tmp_path, monkeypatch
):
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", False)
    plan, tensors = planned(family, steps)
    grown = growth.materialise(plan, tensors, dtype=torch.float32)
    save_file(grown, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps(dict(plan.config)))
    model, report = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values()), report
    expected = tiny.load(tiny.built(plan.config, torch.float32), grown)
    with torch.no_grad():
        difference = tiny.logits(model) - tiny.logits(expected)
    assert difference.abs().max() < 1e-5


@pytest.mark.parametrize(("family", "steps"), GROWTHS[::2] + GROWTHS[-1:], ids=str)
def test_grown_models_train(family, steps):
    plan, tensors = planned(family, steps)
    model = tiny.grown(plan, tensors, torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for step in range(50):
        loss = tiny.loss_of(model, tiny.tokens(step, batch=2, length=10))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    assert sum(losses[-10:]) < 0.95 * sum(losses[:10])
