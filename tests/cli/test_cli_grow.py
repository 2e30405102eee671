"""`bootlaw grow` on tiny real checkpoints, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file, save_file
from tiny_checkpoints import FAMILIES, add_tokenizer, save_tiny
from transformers import AutoModelForCausalLM

import bootlaw
from bootlaw.cli.main import main
from bootlaw.growth import OPERATORS, Preservation
from bootlaw.growth.onward import read_train_spec
from bootlaw.growth.receipt import read_receipt
from bootlaw.growth.recommend import GOALS

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory, monkeypatch):
    """Work in an empty folder: the project's own may have an ``out`` of its studies."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    """Folders of one tiny checkpoint per family; that of llama has a tokenizer."""
    root = tmp_path_factory.mktemp("parents")
    folders = {family: save_tiny(root / family, family) for family in FAMILIES}
    add_tokenizer(folders["llama"])
    return folders


def grow(capsys, *words: str | Path) -> tuple[int, dict, str]:
    """Run the command with --json; return exit code, document and standard error."""
    code = main(["grow", *map(str, words), "--json"])
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


def refused(capsys, *words: str | Path) -> str:
    """Return the one line with which the command refuses (exit code 2)."""
    code, document, err = grow(capsys, *words)
    assert code == 2
    assert document["exit_code"] == 2
    assert err.strip().splitlines()[-1].endswith(document["error"])
    assert "Traceback" not in err
    return document["error"]


def assert_nothing_left(out: Path) -> None:
    assert not out.exists()
    assert [entry for entry in out.parent.iterdir() if out.name in entry.name] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stacked_model_loads_and_the_receipt_says_so(capsys, parents, tmp_path, family):
    out = tmp_path / "grown"
    code, document, _ = grow(capsys, parents[family], out, "--op", "stack", "--factor", "2")
    assert code == 0
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.config.num_hidden_layers == 8
    assert document["status"] == "done"
    assert document["parameters_after"]["total"] == sum(p.numel() for p in model.parameters())
    assert document["check"]["status"] == "measured"
    assert document["check"]["max_logit_difference"] > 0.1
    assert document["check"]["unexpected_keys"] == document["check"]["missing_keys"] == 0
    assert read_receipt(out) == document


def test_the_loss_before_is_the_parents_on_the_recorded_batch(capsys, parents, tmp_path):
    from bootlaw.growth.proof import fixed_batch

    folder = parents["llama"]
    _, document, _ = grow(capsys, folder, tmp_path / "grown", "--op", "stack")
    batch = fixed_batch(folder, json.loads((folder / "config.json").read_text()))
    assert document["check"]["batch_sha256"] == batch.sha256
    assert document["check"]["batch_source"] == "text"
    tokens = torch.from_numpy(batch.tokens)
    with torch.inference_mode():
        loss = AutoModelForCausalLM.from_pretrained(folder)(input_ids=tokens, labels=tokens).loss
    assert document["check"]["loss_before"] == pytest.approx(float(loss), rel=1e-5)


def test_without_a_tokenizer_seeded_ids_are_used_and_recorded(capsys, parents, tmp_path):
    _, document, _ = grow(capsys, parents["qwen3"], tmp_path / "grown", "--op", "stack")
    assert document["check"]["batch_source"] == "seeded-ids"
    assert "no tokenizer" in document["check"]["batch_detail"]


def test_a_text_of_ones_own_is_used_for_the_check(capsys, parents, tmp_path):
    text = tmp_path / "mine.txt"
    text.write_text("one two three " * 80)
    words = (parents["llama"], tmp_path / "grown", "--op", "stack", "--check-text", text)
    _, document, _ = grow(capsys, *words)
    assert document["check"]["batch_detail"] == str(text)


def test_train_toml_reads_back_and_the_card_says_how_to_go_on(capsys, parents, tmp_path):
    out = tmp_path / "grown"
    known = ("--tokens", "1B", "--parent-lr", "3e-4", "--parent-batch-tokens", "0.5M")
    assert grow(capsys, parents["llama"], out, "--op", "stack", *known)[0] == 0
    spec = read_train_spec(out / "train.toml")
    assert spec.given["data.tokens"] == 10**9
    assert spec.given["schedule.batch_tokens"] == 500_000
    assert spec.sweep["schedule.peak_lr"] == (3e-4, 9e-5)
    assert set(spec.open) == {"data.text"}
    assert tomllib.loads((out / "train.toml").read_text())["model"]["checkpoint"] == "."
    card = (out / "README.md").read_text()
    assert "transformers import AutoModelForCausalLM, Trainer" in card
    assert str(parents["llama"]) in card


def test_a_dry_run_writes_nothing_and_shows_sizes(capsys, parents, tmp_path):
    out = tmp_path / "grown"
    code, document, _ = grow(capsys, parents["llama"], out, "--op", "stack", "--dry-run")
    assert code == 0
    assert_nothing_left(out)
    assert document["status"] == "planned"
    assert document["check"]["status"] == "planned"
    assert document["shape_after"]["layers"] == 2 * document["shape_before"]["layers"]
    assert document["training_memory"]["total"] == 16 * document["parameters_after"]["total"]
    assert main(["grow", str(parents["llama"]), "--op", "stack", str(out), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "would grow" in shown
    assert "training memory" in shown


def test_the_planned_bytes_are_those_that_are_written(capsys, parents, tmp_path):
    out = tmp_path / "grown"
    _, document, _ = grow(capsys, parents["gemma2"], out, "--op", "stack")
    tensors = load_file(out / "model.safetensors")
    assert document["bytes_after"] == sum(t.numel() * t.element_size() for t in tensors.values())


def test_without_a_check_the_receipt_says_so(capsys, parents, tmp_path):
    out = tmp_path / "grown"
    code, document, _ = grow(capsys, parents["llama"], out, "--op", "stack", "--check", "off")
    assert code == 0
    assert document["check"]["status"] == "off"
    assert document["check"]["loss_after"] is None
    assert "Not checked" in (out / "README.md").read_text()


SKIPPED = (*((family, "stack") for family in FAMILIES), ("llama", "upcycle"), ("qwen3", "upcycle"))


@pytest.mark.parametrize(("family", "operator"), SKIPPED)
def test_where_memory_is_short_only_names_and_shapes_are_compared(
    capsys, parents, tmp_path, monkeypatch, family, operator
):
    from bootlaw.growth import checking

    monkeypatch.setattr(checking, "available_memory", lambda: 10**6)
    words = (parents[family], "--op", operator)
    code, document, err = grow(capsys, *words, tmp_path / "grown")
    assert code == 0
    assert document["check"]["status"] == "skipped"
    assert document["check"]["parameters_built"] == document["parameters_after"]["total"]
    assert "not compared with the parent" in err
    assert "--check off" in refused(capsys, *words, tmp_path / "other", "--check", "on")


def register(monkeypatch, name, operator):
    """Make `operator` known under `name` for the length of a test."""
    for module in ("bootlaw.growth.arguments", "bootlaw.growth.compose"):
        monkeypatch.setattr(import_module(module), "OPERATORS", {**OPERATORS, name: operator})


def broken(preservation: Preservation):
    """Return an operator that stacks and claims to preserve the function."""

    def lying(spec, *, factor: int | None = None):
        plan = OPERATORS["stack"].function(spec, factor=factor)
        return replace(plan, operator="lying", preservation=preservation)

    return replace(OPERATORS["stack"], name="lying", function=lying, arguments=("factor",))


IDENTITY = ("--op", "identity", "--factor", "2")
TILE = ("--op", "tile", "--factor", "2")
PRESERVING = (
    *((family, words) for family in FAMILIES for words in (IDENTITY, TILE)),
    ("gemma2", ("--op", "identity:where=top,layers=5")),
    ("qwen3", ("--op", "widen-ffn", "--intermediate-size", "80", "--mode", "zero")),
    ("llama", ("--op", "widen_ffn", "--factor", "1.5")),
    ("gpt_neox", ("--op", "pad_hidden", "--hidden-size", "48")),
    ("qwen3", ("--op", "identity:factor=2", "--then", "tile:factor=2")),
)


@pytest.mark.parametrize(("family", "words"), PRESERVING)
def test_preserving_operators_keep_the_loss_and_pass(capsys, parents, tmp_path, family, words):
    code, document, _ = grow(capsys, parents[family], tmp_path / "grown", *words)
    assert code == 0
    check = document["check"]
    assert check["status"] == "passed"
    assert check["max_logit_difference"] <= check["tolerance_logits"] <= 2e-4
    assert check["loss_after"] == pytest.approx(check["loss_before"], abs=2e-6)
    if document["preservation"] == "exact":
        assert check["max_logit_difference"] == check["tolerance_logits"] == 0
    assert document["parameters_after"]["total"] > document["parameters_before"]["total"]


UPCYCLED = {
    "llama": ("mixtral", ("--experts", "4", "--top-k", "2")),
    "qwen3": ("qwen3_moe", ("--experts", "8", "--top-k", "4", "--granularity", "2")),
}


@pytest.mark.parametrize("family", UPCYCLED)
def test_upcycling_makes_a_mixture_that_computes_the_same(capsys, parents, tmp_path, family):
    model_type, words = UPCYCLED[family]
    out = tmp_path / "grown"
    code, document, _ = grow(capsys, parents[family], out, "--op", "upcycle", *words)
    assert code == 0
    assert document["check"]["status"] == "passed"
    assert document["shape_after"]["model_type"] == model_type
    counts = document["parameters_after"]
    assert counts["active"] < counts["total"]
    assert "output_router_logits = True" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("dtype", "words"),
    [("bfloat16", IDENTITY), ("bfloat16", TILE), ("float16", TILE), ("float64", TILE)],
)
def test_other_stored_types_are_held_to_their_own_rounding(capsys, tmp_path, dtype, words):
    parent = save_tiny(tmp_path / "parent", "llama", dtype=dtype)
    code, document, _ = grow(capsys, parent, tmp_path / "grown", *words)
    assert code == 0
    assert document["check"]["stored_dtype"] == dtype
    assert document["check"]["dtype"] == ("float64" if dtype == "float64" else "float32")
    saved = load_file(tmp_path / "grown/model.safetensors")
    assert {str(tensor.dtype) for tensor in saved.values()} == {f"torch.{dtype}"}


def test_identity_blocks_name_what_can_be_frozen_and_freeze_writes_it(capsys, parents, tmp_path):
    from bootlaw.growth.onward.train_spec import frozen_names

    out = tmp_path / "grown"
    words = (parents["gpt_neox"], out, "--op", "identity", "--layers", "6", "--freeze")
    _, document, _ = grow(capsys, *words)
    spec = read_train_spec(out / "train.toml")
    assert list(spec.given["model.frozen"]) == document["frozen"]
    memory, counts = document["training_memory"], document["parameters_after"]
    trainable = counts["total"] - document["parameters_before"]["total"]
    assert memory["total"] == 16 * trainable + 2 * (counts["total"] - trainable)
    names = [name for name, _ in AutoModelForCausalLM.from_pretrained(out).named_parameters()]
    trained = set(names) - set(frozen_names(spec, names))
    assert {int(name.split(".")[2]) for name in trained} == {2, 5}
    assert len(trained) == 2 * sum(".layers.0." in name for name in names)
    assert "requires_grad" in (out / "README.md").read_text()


@pytest.mark.parametrize("preservation", [Preservation.EXACT, Preservation.ROUNDING])
def test_an_operator_that_breaks_its_promise_fails_and_leaves_nothing(
    capsys, parents, tmp_path, monkeypatch, preservation
):
    register(monkeypatch, "lying", broken(preservation))
    out = tmp_path / "grown"
    code, document, err = grow(capsys, parents["llama"], out, "--op", "lying")
    assert code == 1
    assert document["exit_code"] == 1
    assert "failed its check" in document["error"]
    assert "tolerance" in err
    assert_nothing_left(out)


def test_a_grown_checkpoint_that_transformers_cannot_read_whole_leaves_nothing(
    capsys, parents, tmp_path, monkeypatch
):
    def forgetful(spec, *, factor: int | None = None):
        plan = OPERATORS["stack"].function(spec, factor=factor)
        return replace(plan, config={**plan.config, "num_hidden_layers": 9})

    register(monkeypatch, "stack", replace(OPERATORS["stack"], function=forgetful))
    monkeypatch.setattr(import_module("bootlaw.growth.compose"), "describe", lenient_describe())
    out = tmp_path / "grown"
    code, document, _ = grow(capsys, parents["llama"], out, "--op", "stack")
    assert code == 1
    assert "tensors are missing: model.layers.8" in document["error"]
    assert_nothing_left(out)


def lenient_describe():
    """Return a `describe` that believes the tensors, to reach what checks after it."""
    from bootlaw.growth.spec import describe

    def lenient(config, shapes):
        layers = 1 + max(int(name.split(".")[2]) for name in shapes if ".layers." in name)
        return describe({**config, "num_hidden_layers": layers}, shapes)

    return lenient


def test_an_interrupted_growth_leaves_nothing(capsys, parents, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("bootlaw.growth.grow"), "check_growth", interrupt)
    code, document, _ = grow(capsys, parents["llama"], tmp_path / "grown", "--op", "stack")
    assert code == document["exit_code"] == 130
    assert_nothing_left(tmp_path / "grown")


def test_a_parent_tuned_for_chat_warns(capsys, tmp_path):
    folder = save_tiny(tmp_path / "chat", "llama")
    add_tokenizer(folder, template="{{ messages }}")
    _, document, _ = grow(capsys, folder, "out", "--op", "stack", "--dry-run")
    assert any("chat" in warning for warning in document["warnings"])


def test_a_router_that_would_never_learn_warns(capsys, parents):
    words = (parents["llama"], "out", "--dry-run", "--op")
    _, document, _ = grow(capsys, *words, "upcycle:experts=4,top_k=1")
    assert any("without a gradient" in warning for warning in document["warnings"])
    _, document, _ = grow(capsys, *words, "upcycle:experts=8,top_k=2,granularity=2")
    assert document["warnings"] == []


def test_a_damaged_parent_is_refused_and_nothing_is_left(capsys, tmp_path):
    folder = tmp_path / "damaged"
    save_tiny(folder, "llama")
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][0] = float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert "nan" in refused(capsys, folder, tmp_path / "grown", "--op", "stack")
    assert_nothing_left(tmp_path / "grown")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--op stack"),
        (("--op", "stak"), "did you mean stack"),
        (("--op", "stack", "--experts", "8"), "stack takes no experts; it takes factor, layers"),
        (("--op", "stack", "--factor", "two"), "factor must be a whole number, found 'two'"),
        (("--op", "stack", "--factor", "1.5"), "factor must be a whole number, found 1.5"),
        (("--op", "stack:factor=2", "--factor", "2"), "factor is given twice"),
        (("--op", "stack", "--set", "factor"), "NAME=VALUE"),
        (("--op", "stack", "--layers", "3"), "more layers than the 4"),
        (("--op", "stack", "--goal", "wider"), "either an operator"),
        (("--goal", "deeper"), "unknown goal 'deeper'"),
        (("--goal", "wider", "--factor", "2"), "leave them out"),
        (("--op", "stack", "--set", "vocab_size=200"), "resize_token_embeddings"),
        (("--op", "stack", "--factor", "nan"), "factor must be a whole number, found nan"),
        (("--op", "widen_ffn", "--factor", "inf"), "factor must be a number, found inf"),
        ((), "`bootlaw grow CHECKPOINT OUT --dry-run` explains them"),
        (("--op", "stack", "--target-params", "10k"), "is not above the parent's"),
        (("--op", "stack:factor=2", "--target-params", "1M"), "leave out factor"),
        (("--op", "stack", "--optimizer", "carry"), "holds no optimiser state"),
        (("--op", "stack", "--revision", "main"), "belongs to a hub repository"),
        (("--op", "stack", "--shard-size", "big"), "shard size"),
        (("--op", "stack", "--seed", "-1"), "--seed"),
        (("--op", "stack", "--freeze"), "there are none"),
        (("--op", "widen_ffn:mode=clone"), "mode must be duplicate or zero, found 'clone'"),
        (("--op", "tile:noise=0.1"), "noise must be yes or no, found 0.1"),
        (("--op", "pad_hidden"), "pad_hidden needs hidden_size"),
        (("--op", "stack", "--check-text", "no-such-file.txt"), "no-such-file.txt"),
        (("--op", "stack", "--tokens", "many"), "not a number"),
    ],
)
def test_what_cannot_be_meant_is_one_line_that_says_what_to_do(
    capsys, parents, tmp_path, words, says
):
    out = tmp_path / "grown"
    assert says in refused(capsys, parents["llama"], out, *words)
    assert_nothing_left(out)


def test_a_folder_that_exists_is_not_written_to(capsys, parents, tmp_path):
    assert "exists already" in refused(capsys, parents["llama"], tmp_path, "--op", "stack")


def test_a_place_to_write_must_be_named(capsys, parents):
    assert "OUT" in refused(capsys, parents["llama"], "--op", "stack")


def test_a_checkpoint_that_is_not_there_is_named(capsys, tmp_path):
    missing = tmp_path / "nothing"
    assert str(missing) in refused(capsys, missing, tmp_path / "grown", "--op", "stack")


def test_target_params_takes_the_nearest_multiple_and_says_which(capsys, parents):
    words = (parents["llama"], "out", "--dry-run", "--op", "stack", "--target-params", "125k")
    _, document, _ = grow(capsys, *words)
    target = document["target"]
    assert target["step"] == "stack:factor=4"
    assert target["reached"] == document["parameters_after"]["non_embedding"]
    assert any("125k non-embedding parameters were wanted" in note for note in document["notes"])
    assert not any("nearest size" in warning for warning in document["warnings"])


def test_a_size_away_from_what_was_wanted_warns_and_one_far_away_is_refused(capsys, parents):
    """A model of 0.0 % of the size that was wanted was written, with a warning."""
    words = (parents["llama"], "out", "--dry-run", "--op", "stack", "--target-params")
    _, document, _ = grow(capsys, *words, "40k")
    assert any("of what was wanted" in warning for warning in document["warnings"])
    message = refused(capsys, *words, "1B")
    assert "stack:factor=16" in message
    assert "identity and widen_ffn have finer sizes" in message


def test_depth_and_width_grow_in_step_on_request(capsys, parents):
    words = (parents["llama"], "out", "--dry-run", "--op", "stack", "--in-step")
    assert "--target-params" in refused(capsys, *words)
    _, document, _ = grow(capsys, *words, "--target-params", "200k")
    before, after = document["shape_before"], document["shape_after"]
    deeper = after["layers"] / before["layers"]
    wider = after["hidden_size"] / before["hidden_size"]
    assert wider == 2
    assert 2**-0.5 <= deeper / wider <= 2**0.5
    assert [entry["operator"] for entry in document["operations"]] == ["tile", "stack"]
    assert document["target"]["reached"] == document["parameters_after"]["non_embedding"]
    assert "layers of width 64" in document["target"]["shape"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--op", "tile"), "found tile"),
        (("--op", "stack:factor=2"), "leave it out"),
        (("--op", "stack", "--then", "tile"), "found stack then tile"),
    ],
)
def test_what_cannot_grow_in_step_is_refused(capsys, parents, words, says):
    common = (parents["llama"], "out", "--in-step", "--target-params", "200k")
    assert says in refused(capsys, *common, *words)


def test_the_goals_are_explained_without_an_operator(capsys, parents):
    code, document, _ = grow(capsys, parents["llama"], "out", "--dry-run")
    assert code == 0
    assert {"fastest-pretraining", "keep-function"} <= {goal["goal"] for goal in document["goals"]}
    assert all(goal["evidence"] and goal["source"] for goal in document["goals"])


def test_a_goal_takes_its_operator_and_the_receipt_has_the_evidence(capsys, parents):
    words = (parents["llama"], "out", "--dry-run", "--goal", "fastest-pretraining")
    _, document, _ = grow(capsys, *words)
    assert document["operations"] == [{"operator": "stack", "arguments": {"layers": 16}}]
    assert any("arXiv 2405.15319" in note for note in document["notes"])


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("size", [(), ("--target-params", "100k")])
def test_every_goal_can_be_reached_from_a_real_checkpoint(capsys, parents, goal, size):
    words = (parents["llama"], "out", "--dry-run", "--goal", goal, *size)
    code, document, _ = grow(capsys, *words)
    assert code == 0
    before, after = document["parameters_before"], document["parameters_after"]
    assert after["total"] > before["total"]
    if goal == "more-capacity-same-flops" and not size:
        routers = 16 * 32 * 4
        assert after["active"] == before["active"] + routers


def test_the_goal_of_new_domain_layers_freezes_the_old_ones(capsys, parents, tmp_path):
    out = tmp_path / "grown"
    _, document, _ = grow(capsys, parents["llama"], out, "--goal", "add-domain-layers")
    assert document["shape_after"]["layers"] == 5
    spec = read_train_spec(out / "train.toml")
    assert list(spec.given["model.frozen"]) == document["frozen"] != []


def test_the_python_function_gives_the_same_receipt(capsys, parents, tmp_path):
    import bootlaw

    receipt = bootlaw.grow(parents["llama"], tmp_path / "a", op="stack", factor=2)
    _, document, _ = grow(capsys, parents["llama"], tmp_path / "b", "--op", "stack:factor=2")
    again = json.loads(receipt.text())
    for each in (again, document):
        del each["seconds"], each["folder"]
    assert again == document
    assert (tmp_path / "a/model.safetensors").read_bytes() == (
        tmp_path / "b/model.safetensors"
    ).read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a step of our own training, with Adam's moments."""
    from bootlaw.training.checkpoint import checkpoint_path, save_checkpoint
    from bootlaw.training.loop import next_token_loss
    from bootlaw.training.model import ModelSpec, build_model
    from bootlaw.training.optimizer import OptimizerSpec, build_optimizer

    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    spec = ModelSpec(hidden_size=16, layers=2, head_size=8, intermediate_size=24, context=32)
    model = build_model(spec.config(), seed=0)
    optimizer = build_optimizer(model, OptimizerSpec())
    for group in optimizer.param_groups:
        group["lr"] = 1e-2
    for step in range(3):
        tokens = torch.randint(0, 256, (2, 33), generator=torch.Generator().manual_seed(step))
        next_token_loss(model, tokens).backward()
        optimizer.step()
        optimizer.zero_grad()
    save_checkpoint(folder, 3, model, optimizer)
    return checkpoint_path(folder, 3)


@pytest.mark.parametrize(
    ("words", "policy", "status"),
    [
        (("--op", "identity"), "carry", "passed"),
        (("--op", "stack"), "reset+warmup", "measured"),
        (("--op", "tile", "--optimizer", "reset"), "reset", "passed"),
    ],
)
def test_a_checkpoint_of_our_training_grows_with_its_moments(
    capsys, trained, tmp_path, words, policy, status
):
    out = tmp_path / "step-00000000"
    code, document, _ = grow(capsys, trained, out, *words)
    assert code == 0
    assert document["optimizer"]["policy"] == policy
    assert document["check"]["status"] == status
    assert document["parent"]["hash"].startswith("sha256-files:")
    spec = read_train_spec(out / "train.toml")
    assert spec.given["optimizer.state"] == ("carry" if policy == "carry" else "reset")
    assert (spec.given["schedule.warmup_steps"] > 0) == (policy == "reset+warmup")
    assert {".metadata", "config.json"} <= {entry.name for entry in out.iterdir()}


def test_a_training_checkpoint_is_not_upcycled(capsys, trained, tmp_path):
    words = ("--op", "upcycle", "--experts", "4")
    assert "trains no mixtral" in refused(capsys, trained, tmp_path / "grown", *words)
    assert "hub repository" in refused(capsys, trained, tmp_path / "g", *words, "--revision", "x")


@pytest.mark.parametrize(
    "words", [("--check-text", "no-such-file.txt"), ("--shard-size", "big"), ("--hash", "some")]
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    capsys, parents, tmp_path, words
):
    """A misspelt file was noticed after the whole model had been written."""
    code, _, err = grow(capsys, parents["llama"], tmp_path / "out", "--op", "stack", *words)
    assert code == 2
    assert "writing" not in err


def test_copies_and_plans_need_no_torch(parents, tmp_path):
    """The docs say so; counting bytes imported it, for seconds and 180 MB of nothing."""
    program = (
        "import sys\n"
        "from bootlaw.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "sys.exit(code or 'torch' in sys.modules)\n"
    )
    for rest in (("--op", "identity", "--check", "off"), ("--op", "tile", "--dry-run")):
        words = ("grow", str(parents["llama"]), str(tmp_path / rest[1]), *rest)
        done = subprocess.run([sys.executable, "-c", program, *words], check=False)
        assert done.returncode == 0


def test_one_operator_after_another_need_not_be_a_list(parents):
    """A string was taken letter by letter."""
    receipt = bootlaw.grow(parents["llama"], op="tile", then="stack", dry_run=True)
    assert [entry.operator for entry in receipt.operations] == ["tile", "stack"]
