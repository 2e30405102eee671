"""The check itself: its batch, its tolerances, and that it sees what is wrong."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny_checkpoints import VOCABULARY, add_tokenizer, save_tiny
from transformers import LlamaForCausalLM

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.plan import Preservation
from bootlaw.growth.proof import check_growth, fixed_batch
from bootlaw.growth.proof.batch import batch_shape
from bootlaw.growth.proof.differences import Differences, differences, rounding_noise
from bootlaw.growth.proof.outputs import Outputs, load_model, outputs_of
from bootlaw.growth.proof.skeleton import check_skeleton
from bootlaw.growth.proof.tolerance import from_floor, tolerance_for

pytestmark = pytest.mark.train

HALF = (Preservation.ROUNDING, "bfloat16", "float32")
CONFIG = {"vocab_size": VOCABULARY, "max_position_embeddings": 160}


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    return add_tokenizer(save_tiny(tmp_path_factory.mktemp("parent") / "llama", "llama"))


@pytest.fixture(scope="module")
def batch(parent):
    return fixed_batch(parent, CONFIG)


def changed(parent, folder, change):
    """Copy the checkpoint with its tensors changed."""
    folder.mkdir()
    for name in ("config.json", "generation_config.json"):
        (folder / name).write_bytes((parent / name).read_bytes())
    tensors = load_file(parent / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_the_batch_is_the_same_every_time_and_within_the_vocabulary(parent, batch):
    again = fixed_batch(parent, CONFIG)
    assert again.sha256 == batch.sha256
    assert batch.tokens.shape == (4, 128)
    assert 0 <= batch.tokens.min() <= batch.tokens.max() < VOCABULARY


def test_seeded_ids_depend_on_the_seed_alone(tmp_path):
    one, same, other = (fixed_batch(tmp_path, CONFIG, seed=seed) for seed in (1, 1, 2))
    assert one.sha256 == same.sha256 != other.sha256
    assert one.source == "seeded-ids"


def test_a_tokenizer_of_another_vocabulary_is_not_used(tmp_path):
    """Ids beyond the embedding would raise an index error deep inside the model."""
    batch = fixed_batch(add_tokenizer(tmp_path, size=90), {**CONFIG, "vocab_size": 40})
    assert batch.source == "seeded-ids"
    assert "outside its vocabulary of 40" in batch.detail
    assert batch.tokens.max() < 40


def test_a_tokenizer_that_cannot_be_loaded_gives_its_reason(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    batch = fixed_batch(tmp_path, CONFIG)
    assert batch.source == "seeded-ids"
    assert "cannot be loaded" in batch.detail


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe\x00"])
def test_a_text_that_says_nothing_is_refused(parent, tmp_path, content):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"text\.txt"):
        fixed_batch(parent, CONFIG, text=path)


def test_a_text_without_a_tokenizer_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("some words")
    with pytest.raises(InputError, match="no tokenizer"):
        fixed_batch(tmp_path, CONFIG, text=path)


@given(
    vocabulary=st.integers(2, 300_000),
    context=st.integers(1, 10**6),
    window=st.none() | st.integers(1, 10**5),
)
def test_the_batch_fits_context_and_memory(vocabulary, context, window):
    config = {"vocab_size": vocabulary, "max_position_embeddings": context}
    sequences, length = batch_shape({**config, "sliding_window": window})
    assert 1 <= sequences <= 4
    assert 2 <= length <= max(context, 2)
    assert sequences == 1 or 4 * sequences * length * vocabulary <= 128 * 2**20


def test_a_sliding_window_that_can_be_overrun_is():
    config = {"vocab_size": 1000, "max_position_embeddings": 4096}
    assert batch_shape({**config, "sliding_window": 512})[1] > 512
    assert batch_shape({**config, "sliding_window": 4000})[1] == 128
    unused = {"sliding_window": 512, "use_sliding_window": False}
    assert batch_shape({**config, **unused})[1] == 128


def test_the_loss_is_the_cross_entropy_of_the_next_token(parent, batch):
    found = outputs_of(parent, batch, "float64")
    logs = found.logits[:, :-1].log_softmax(-1).numpy()
    rows, columns = np.indices(batch.tokens[:, 1:].shape)
    assert found.loss == pytest.approx(-logs[rows, columns, batch.tokens[:, 1:]].mean(), rel=1e-12)


def test_a_model_against_itself_differs_by_nothing(parent, batch):
    report = check_growth(
        parent, parent, Preservation.EXACT, batch, stored="float32", dtype="float32"
    )
    assert report.status == "passed"
    assert report.max_logit_difference == report.divergence == 0
    assert report.loss_before == report.loss_after


@pytest.mark.parametrize("gain", [1 + 1e-6, 1 + 1e-3])
def test_an_exact_operator_is_held_to_the_last_bit(parent, batch, tmp_path, gain):
    def scale(tensors):
        tensors["model.norm.weight"] *= gain

    grown = changed(parent, tmp_path / "grown", scale)
    with pytest.raises(BootlawError, match="failed its check"):
        check_growth(parent, grown, Preservation.EXACT, batch, stored="float32", dtype="float32")


@pytest.mark.parametrize("stored", ["float32", "float16", "bfloat16"])
def test_a_forgotten_factor_is_seen_whatever_the_stored_type(parent, batch, tmp_path, stored):
    """A tied head that is not divided by the width: logits twice as large."""

    def double(tensors):
        tensors["lm_head.weight"] *= 2

    grown = changed(parent, tmp_path / "grown", double)
    with pytest.raises(BootlawError, match="failed its check"):
        check_growth(parent, grown, Preservation.ROUNDING, batch, stored=stored, dtype="float32")


def test_rounding_every_weight_once_more_passes_as_rounding(parent, batch, tmp_path):
    """What the floor is for: a model that amplifies rounding beyond the table's tolerance."""

    def nudge(tensors):
        for tensor in tensors.values():
            sign = torch.randint(0, 2, tensor.shape, generator=torch.Generator().manual_seed(1))
            tensor *= 1 + (2.0 * sign - 1) * 2**-24

    grown = changed(parent, tmp_path / "grown", nudge)
    report = check_growth(
        parent, grown, Preservation.ROUNDING, batch, stored="float32", dtype="float32"
    )
    assert report.status == "passed"
    assert 0 < report.max_logit_difference <= report.tolerance_logits


def test_an_operator_that_promises_nothing_is_measured(parent, batch, tmp_path):
    def swap(tensors):
        tensors["lm_head.weight"] = tensors["lm_head.weight"].flip(0).contiguous()

    grown = changed(parent, tmp_path / "grown", swap)
    report = check_growth(
        parent, grown, Preservation.APPROXIMATE, batch, stored="float32", dtype="float32"
    )
    assert (report.status, report.tolerance_logits) == ("measured", None)
    assert report.divergence > 0.1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tensors: tensors.pop("model.norm.weight"), "tensors are missing: model.norm"),
        (
            lambda tensors: tensors.update({"model.extra.weight": torch.zeros(3)}),
            "tensors are unexpected: model.extra",
        ),
        (
            lambda tensors: tensors.update({"model.norm.weight": torch.ones(8)}),
            "tensors have another shape than the model: .*model.norm.weight",
        ),
    ],
)
def test_tensors_that_do_not_find_their_place_are_named(parent, tmp_path, change, says):
    with pytest.raises(BootlawError, match=says):
        load_model(changed(parent, tmp_path / "grown", change), "float32")


def test_a_model_that_loads_and_does_not_run_is_an_error_in_one_line(parent, batch, monkeypatch):
    """Kernels for experts refuse some widths; that was a traceback of torch."""

    def cannot(*_args, **_kwargs):
        raise RuntimeError("strides should be multiple of 16 bytes")

    monkeypatch.setattr(LlamaForCausalLM, "forward", cannot)
    with pytest.raises(BootlawError, match="loads the child and cannot run it: strides should"):
        outputs_of(parent, batch, "float32", called="the child")


def test_an_error_that_only_announces_another_line_brings_it_too(parent, tmp_path):
    model = changed(parent, tmp_path / "odd", lambda _: None)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "hidden_size": "big"}))
    with pytest.raises(BootlawError, match=r"cannot load .*'?hidden_size'?.*[^:]$") as caught:
        load_model(model, "float32")
    assert "\n" not in str(caught.value)


def test_a_grown_model_that_is_not_finite_fails(parent, batch, tmp_path):
    def spoil(tensors):
        tensors["model.norm.weight"][3] = math.inf

    grown = changed(parent, tmp_path / "grown", spoil)
    with pytest.raises(BootlawError, match="loss on the fixed batch is nan"):
        check_growth(
            parent, grown, Preservation.APPROXIMATE, batch, stored="float32", dtype="float32"
        )


def test_divergence_is_that_of_kullback_and_leibler():
    p = torch.tensor([[[0.5, 0.25, 0.25]]], dtype=torch.float64)
    q = torch.tensor([[[0.25, 0.25, 0.5]]], dtype=torch.float64)
    found = differences(Outputs(p.log(), 1.0, 1), Outputs(q.log(), 1.5, 1))
    assert found.divergence == pytest.approx(0.25 * math.log(2))
    assert found.logit == pytest.approx(math.log(2))
    assert found.loss == 0.5


def test_models_of_another_vocabulary_cannot_be_compared():
    one, other = torch.zeros(1, 2, 3), torch.zeros(1, 2, 4)
    with pytest.raises(BootlawError, match="shape"):
        differences(Outputs(one, 1.0, 1), Outputs(other, 1.0, 1))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rounding_noise_moves_weights_by_a_unit_at_most(parent, dtype):
    model = load_model(parent, dtype)
    before = [weight.detach().double() for weight in model.parameters()]
    rounding_noise(dtype, dtype)(model)
    unit = {"float32": 2**-23, "bfloat16": 2**-7}[dtype]
    moved = 0.0
    for old, new in zip(before, model.parameters(), strict=True):
        change = (new.detach().double() - old).abs()
        assert bool((change <= 1.5 * unit * old.abs()).all())
        moved += float((change > 0).double().mean())
    assert moved > 0


def test_tolerances_follow_class_type_and_size_of_the_logits():
    assert tolerance_for(Preservation.APPROXIMATE, "float32", "float32", 10) is None
    exact = tolerance_for(Preservation.EXACT, "bfloat16", "float32", 10)
    assert (exact.logits, exact.loss) == (0, 0)
    fine = tolerance_for(Preservation.ROUNDING, "float32", "float32", 10)
    assert (fine.logits, fine.loss) == (2e-5, 1e-6)
    coarse = tolerance_for(Preservation.ROUNDING, "bfloat16", "float32", 10)
    assert coarse.logits == 0.2
    large = tolerance_for(Preservation.ROUNDING, "float32", "float32", 50)
    assert large.logits == pytest.approx(1e-4)


def test_the_floor_never_tightens_and_nan_is_never_accepted():
    table = tolerance_for(Preservation.ROUNDING, "float32", "float32", 10)
    assert from_floor(Differences(1e-9, 1e-12, 0), table).logits == table.logits
    wide = from_floor(Differences(1e-3, -1e-4, 1e-6), table)
    assert wide.accepts(Differences(3e-3, -3e-4, 3e-6))
    assert not wide.accepts(Differences(math.nan, 0, 0))
    assert not wide.accepts(Differences(0, math.nan, 0))


def test_an_error_everywhere_is_seen_where_one_token_may_differ_much():
    """Logits were bounded by the worst token alone: one matrix 5 % off passed in bfloat16."""
    wide = from_floor(Differences(1.0, 0.01, 1e-4), tolerance_for(*HALF, 10))
    assert wide.accepts(Differences(3.0, 0.01, 3e-4))
    assert not wide.accepts(Differences(0.5, 0.001, 5e-4))


def test_the_shipped_text_is_long_enough_for_the_longest_batch():
    from importlib import resources

    text = resources.files("bootlaw.growth.proof").joinpath("text.txt").read_text("utf-8")
    assert len(text.split()) > 400


def test_a_config_without_a_context_gets_the_usual_length(tmp_path):
    config = json.loads(json.dumps({"vocab_size": 50}))
    assert fixed_batch(tmp_path, config).tokens.shape == (4, 128)


def shapes_of(folder):
    tensors = load_file(folder / "model.safetensors")
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def test_the_skeleton_of_a_model_is_that_of_its_tensors(parent, tmp_path):
    shapes = shapes_of(parent)
    params = sum(math.prod(shape) for shape in shapes.values())
    assert check_skeleton(parent, shapes, mixture=False) == params
    tied = save_tiny(tmp_path / "tied", "qwen3")
    assert check_skeleton(tied, shapes_of(tied), mixture=False) > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda shapes: shapes.pop("model.norm.weight"), "model.norm.weight was not made"),
        (lambda shapes: shapes.update(extra=(2,)), "extra has no place"),
        (
            lambda shapes: shapes.update({"model.norm.weight": (8,)}),
            r"should have the shape \[32\], has \[8\]",
        ),
    ],
)
def test_a_skeleton_that_does_not_fit_is_named(parent, change, says):
    shapes = shapes_of(parent)
    change(shapes)
    with pytest.raises(BootlawError, match=says):
        check_skeleton(parent, shapes, mixture=False)
    with pytest.raises(BootlawError, match="were made"):
        check_skeleton(parent, shapes, mixture=True)
