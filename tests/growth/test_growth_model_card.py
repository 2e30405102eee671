"""The model card and the Trainer script in it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace

import pytest

from bootlaw.growth.counts import Counts
from bootlaw.growth.onward.advice import advise
from bootlaw.growth.onward.facts import Grown, Known
from bootlaw.growth.onward.model_card import model_card
from bootlaw.growth.onward.snippet import trainer_snippet
from bootlaw.growth.proof.check import CheckReport
from bootlaw.growth.receipt import Operation, OptimizerPolicy, ParentRecord, Receipt

GROWN = Grown("grown", True, 1, None, 10**9, "bfloat16", 2048, False)
KNOWN = Known(peak_lr=3e-4, batch_tokens=2**20, tokens=10**10, schedule_state="stable")
RECEIPT = Receipt(
    status="done",
    folder="models/grown",
    operations=(Operation("identity", {"layers": 8}), Operation("tile", {"factor": 2})),
    preservation="rounding",
    source="arXiv 2401.02415",
    seed=3,
    parent=ParentRecord("owner/base@main", "/cache/base", "abc123", "sha256:ff", "llama"),
    shape_before={"layers": 4, "hidden_size": 32, "experts": None},
    shape_after={"layers": 8, "hidden_size": 64, "experts": 4},
    parameters_before=Counts(100, 80, 100),
    parameters_after=Counts(400, 360, 200),
    bytes_before=200,
    bytes_after=800,
    training_memory={"total": 6400, "how": "16 bytes a parameter"},
    target=None,
    check=CheckReport(
        "passed",
        dtype="float32",
        max_logit_difference=1e-6,
        loss_before=2.5,
        loss_after=2.5,
        tolerance_logits=2e-5,
        batch_sequences=4,
        batch_length=128,
        batch_detail="the text shipped with bootlaw",
    ),
    optimizer=OptimizerPolicy("auto", "reset+warmup", "exact", "no state"),
    frozen=(),
    notes=("a note",),
    warnings=("a warning",),
    versions={"bootlaw": "0.1.0"},
    seconds=1.0,
)
PARENT_CARD = """---
license: apache-2.0
language:
- en
- fr
tags:
- base
- secret
---
# Base

Its own words.
"""


def test_the_card_says_what_was_done_and_proven():
    card = model_card(RECEIPT, advise(GROWN, KNOWN))
    for words in (
        "owner/base@main",
        "sha256:ff",
        '"layers": 8',
        "4 to 8",
        "none to 4",
        "100 to 400",
        "active a token 100 to 200",
        "at most 2e-05 was allowed",
        "* a warning",
        "* a note",
    ):
        assert words in card


def test_licence_and_languages_are_the_parents_and_its_words_are_not():
    card = model_card(RECEIPT, advise(GROWN, KNOWN), PARENT_CARD)
    front = card.split("---")[1]
    assert "license: apache-2.0\nlanguage:\n- en\n- fr\n" in front
    assert "base_model: owner/base\n" in front
    assert "secret" not in card
    assert "Its own words" not in card


@pytest.mark.parametrize(
    "card", ["", "no front matter", "---\nlicense: mit", "---\r\nlicense: x\r\n---\r\n"]
)
def test_any_card_of_the_parent_will_do(card):
    assert model_card(RECEIPT, advise(GROWN, KNOWN), card).startswith("---\nlibrary_name:")


def test_a_card_without_a_check_says_so():
    receipt = replace(RECEIPT, check=CheckReport("skipped", reason="it takes 140 GB"))
    assert "**Not checked** (it takes 140 GB)" in model_card(receipt, advise(GROWN, KNOWN))


@pytest.mark.parametrize("known", [Known(), KNOWN])
@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("experts", [False, True])
def test_the_script_is_python_and_leaves_gaps_for_what_is_not_known(known, freeze, experts):
    grown = replace(GROWN, freezable=(r"(?!model\.layers\.(?:1)\.).*",), freeze=freeze)
    script = trainer_snippet(advise(grown, known), experts)
    names = {
        node.targets[0].id
        for node in ast.parse(script).body
        if isinstance(node, ast.Assign) and getattr(node.value, "value", None) is Ellipsis
    }
    gaps = {"PEAK_LR", "BATCH_TOKENS", "TOKENS"} if known == Known() else set()
    assert names == gaps | {"train_dataset"}
    assert ("requires_grad" in script) == freeze
    assert ("output_router_logits" in script) == experts


@pytest.mark.train
def test_transformers_knows_every_argument_of_the_script():
    transformers = pytest.importorskip("transformers")
    from transformers.optimization import get_wsd_schedule

    tree = ast.parse(trainer_snippet(advise(GROWN, KNOWN), experts=True))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    call = next(node for node in calls if getattr(node.func, "id", "") == "TrainingArguments")
    fields = inspect.signature(transformers.TrainingArguments).parameters
    assert {keyword.arg for keyword in call.keywords} <= set(fields)
    extra = next(word.value for word in call.keywords if word.arg == "lr_scheduler_kwargs")
    assert {key.value for key in extra.keys} <= set(inspect.signature(get_wsd_schedule).parameters)


@pytest.mark.train
def test_the_schedule_of_the_script_is_the_one_of_train_toml():
    """Warm-up, plateau and a linear fall to zero, as `get_scheduler` makes it of the arguments."""
    torch = pytest.importorskip("torch")
    from transformers import get_scheduler

    spec, steps = advise(GROWN, KNOWN), 1000
    warmup, share = (
        spec.given[f"schedule.{name}"] for name in ("warmup_steps", "cooldown_fraction")
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_scheduler(
        "warmup_stable_decay",
        optimizer,
        num_warmup_steps=warmup,
        num_training_steps=steps,
        scheduler_specific_kwargs={"num_decay_steps": round(share * steps), "decay_type": "linear"},
    )
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[warmup] == rates[799] == 1.0
    assert rates[900] == pytest.approx(0.5, abs=0.02)
    assert rates[-1] == pytest.approx(0, abs=0.01)
