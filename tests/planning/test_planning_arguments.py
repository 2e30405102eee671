"""What a program may hand to the questions: numbers of any kind, and nothing that is none."""

import json
import math

import numpy as np
import pytest

from bootlaw import planning
from bootlaw.errors import InputError
from bootlaw.planning.checkpoints import named_checkpoints
from bootlaw.planning.cost import Hardware, flops_of, hardware
from bootlaw.planning.pilots import (
    BreakevenQuestion,
    CostRules,
    ForecastQuestion,
    next_runs,
    size_question,
)
from bootlaw.planning.source import as_source

UPCYCLED, MOE = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"
SHELF = named_checkpoints(["pythia-1b", "OLMo-1B"])

FORECAST = {"fit": UPCYCLED, "tokens_stage1": 1e10, "tokens_stage2": 1e9, "params": 1e9}
BREAKEVEN = {"fit": UPCYCLED, "scratch": MOE, "tokens_stage1": 1e10, "params": 1e9}
ALLOCATE = {"fit": UPCYCLED, "scratch": MOE, "budget": 1e21}
CHOOSE = {"checkpoints": SHELF, "source": UPCYCLED, "tokens_stage2": 1e10}
MIXTURE = {"law": "gu2024-mixture-940m", "tokens_stage2": 2e10}

DECIDE = {"reuse": UPCYCLED, "scratch": MOE, "tokens_stage1": 1e11, "budget": 1e21, "params": 1e9}

CALLS = [
    (
        planning.decide,
        DECIDE,
        ["tokens_stage1", "budget", "params", "params_base", "base_cost", "base_loss",
         "serving_params", "level"],
    ),
    (planning.Known, {"loss": 2.0}, ["loss", "params"]),
    (planning.forecast, FORECAST, ["tokens_stage1", "tokens_stage2", "params", "level"]),
    (
        planning.breakeven,
        BREAKEVEN,
        ["tokens_stage1", "params", "base_cost", "level"],
    ),
    (planning.breakevens, BREAKEVEN, ["base_cost", "level"]),
    (
        planning.allocate,
        ALLOCATE,
        ["budget", "params", "tokens_stage1", "growth_factor", "base_cost", "min_params",
         "max_params", "unique_tokens_stage1", "unique_tokens_stage2", "inference_tokens",
         "level", "tolerance"],
    ),
    (planning.choose_checkpoint, CHOOSE, ["tokens_stage2", "params", "max_params", "level"]),
    (planning.critical_mixture, MIXTURE, ["tokens_stage2", "level"]),
    (ForecastQuestion, {"tokens_stage1": 1e9, "tokens_stage2": 1e9}, ["tokens_stage1", "target"]),
    (BreakevenQuestion, {"tokens_stage1": 1e9}, ["tokens_stage1", "base_cost", "target"]),
    (size_question, {"source": as_source("hoffmann2022"), "flops": 1e20}, ["flops"]),
    (CostRules, {}, ["cooldown", "base_cost"]),
    (hardware, {"name": "h100"}, ["price", "mfu", "watts", "devices", "overhead"]),
    (flops_of, {"amount": 1.0, "unit": "flops"}, ["amount"]),
]  # fmt: skip
ARGUMENTS = [(call, given, name) for call, given, names in CALLS for name in names]
SAID = {"base_loss": "loss", "amount": "budget", "mfu": "MFU"}


@pytest.mark.parametrize("wrong", ["1e9", True, [1e9], {"D1": 1e9}, 1j])
@pytest.mark.parametrize(("call", "given", "name"), ARGUMENTS)
def test_what_is_no_number_is_refused_by_name(call, given, name, wrong):
    """A text in the place of a number ended in a TypeError from somewhere inside."""
    words = SAID.get(name, name.split("_")[0])
    with pytest.raises(InputError, match=rf"(?s){words}.*must be"):
        call(**{**given, name: wrong})


@pytest.mark.parametrize("missing", ["tokens_stage1", "tokens_stage2"])
def test_none_is_no_number_where_one_is_needed(missing):
    with pytest.raises(InputError, match=f"{missing} is None"):
        planning.forecast(**{**FORECAST, missing: None})


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, int])
def test_numbers_of_any_kind_are_taken_and_come_out_as_json(kind):
    def asked(given):
        return {k: kind(v) if isinstance(v, float) else v for k, v in given.items()}

    for call, given in (
        (planning.forecast, FORECAST),
        (planning.breakeven, BREAKEVEN),
        (planning.decide, {**DECIDE, "budget": None, "tokens_stage1": 1e10, "tokens_stage2": 1e9}),
        (planning.choose_checkpoint, CHOOSE),
        (planning.critical_mixture, MIXTURE),
    ):
        one, other = call(**asked(given)).to_json(), call(**given).to_json()
        assert json.dumps(one) == json.dumps(other)
    budget = {**ALLOCATE, "budget": kind(10**18)}
    assert json.dumps(planning.allocate(**budget).to_json())


def test_a_number_beyond_all_is_infinite_and_refused():
    with pytest.raises(InputError, match="tokens_stage2 is inf"):
        planning.forecast(**{**FORECAST, "tokens_stage2": 10**400})


@pytest.mark.parametrize("search", [(1e9,), 1e9, "ab", (None, 1e9), (1e9, "1e10")])
def test_a_range_is_two_numbers(search):
    for call in (planning.breakeven, planning.breakevens):
        with pytest.raises(InputError, match="range of stage-2 tokens"):
            call(**BREAKEVEN, search=search)
    with pytest.raises(InputError, match="range of stage-2 tokens"):
        BreakevenQuestion(1e9, search=search)


def test_other_columns_are_a_dictionary_of_numbers():
    with pytest.raises(InputError, match="must be a dictionary"):
        planning.forecast(**FORECAST, at=["replay"])
    with pytest.raises(InputError, match="replay is '5 %'"):
        planning.forecast(**FORECAST, at={"replay": "5 %"})


@pytest.mark.parametrize("wrong", ["1e9", ["1e9"], [True], [[1e9]], [1e9, None], object()])
def test_columns_are_rows_of_numbers(wrong):
    """Texts were read as numbers, and nested lists made NumPy complain."""
    with pytest.raises(InputError, match="tokens_stage1"):
        planning.breakevens(**{**BREAKEVEN, "tokens_stage1": wrong})
    with pytest.raises(InputError, match="tokens_stage2"):
        planning.forecasts(UPCYCLED, {"N": 1e9, "D1": 1e9, "tokens_stage2": wrong})


def test_columns_are_of_one_length():
    with pytest.raises(InputError, match="not of one length"):
        planning.breakevens(**{**BREAKEVEN, "tokens_stage1": [1e9, 1e10], "params": [1e9] * 3})


def test_a_price_of_nothing_makes_sense_and_half_a_device_does_not():
    """A price of 0 was refused on the command line, and 2.5 devices were taken for 2."""
    free = hardware("h100", price=0)
    answer = planning.allocate("besiroglu2024", budget=1e20, hardware=free)
    assert float(answer.best.cost.money) == 0
    assert "0 USD" in answer.summary()
    with pytest.raises(InputError, match="money buys any amount"):
        planning.allocate("besiroglu2024", budget=1e3, unit="money", hardware=free)
    with pytest.raises(InputError, match="whole"):
        Hardware("ours", 1e15, devices=2.5)
    assert math.isfinite(flops_of(1.0, "days", free))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: planning.allocate(**ALLOCATE, hardware="h100"), r"hardware is 'h100' \(str\)"),
        (lambda: planning.allocate(**ALLOCATE, shape="config.json"), "shape is 'config.json'"),
        (lambda: planning.breakeven(**BREAKEVEN, on="h100"), "hardware is 'h100'"),
        (lambda: planning.breakeven(**BREAKEVEN, shape="x"), "shape is 'x'"),
        (lambda: planning.choose_checkpoint(**CHOOSE, on="h100"), "hardware is 'h100'"),
        (
            lambda: planning.choose_checkpoint(**{**CHOOSE, "checkpoints": ["pythia-1b"]}),
            "checkpoint is 'pythia-1b'",
        ),
        (
            lambda: next_runs("fit.json", decision=ForecastQuestion(1e9, 1e9)),
            r"Fit.load\('fit.json'\)",
        ),
        (lambda: planning.decide(**DECIDE, others={"a": 2.0}), r"others\['a'\] is 2.0"),
        (lambda: planning.decide(**DECIDE, others=["a"]), r"others is \['a'\]"),
        (lambda: planning.decide(**DECIDE, on="h100"), "hardware is 'h100'"),
        (lambda: planning.decide(**DECIDE, at=["replay"]), "must be a dictionary"),
        (lambda: flops_of(1.0, "days", "h100"), r"cost.hardware\('h100'\)"),
    ],
)
def test_objects_of_another_kind_are_refused_by_name(call, words):
    """The name of a device in the place of the device ended in an AttributeError."""
    with pytest.raises(InputError, match=words):
        call()


def test_a_decision_and_its_rules_are_of_their_kinds(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    with pytest.raises(InputError, match="the decision is 'breakeven'"):
        next_runs(fit, decision="breakeven")
    with pytest.raises(InputError, match="rules is 'shared'"):
        next_runs(fit, decision=BreakevenQuestion(1e9), rules="shared")
