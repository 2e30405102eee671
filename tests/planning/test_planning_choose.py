"""Ranking checkpoints by what a second stage makes of them."""

import math

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.laws import preset
from bootlaw.planning.checkpoints import Checkpoint, named_checkpoints, public_checkpoints
from bootlaw.planning.choose import choose_checkpoint

JOINT = {"A": 16.3, "a1": 0.043, "a2": 0.085, "a3": 7.98e-4, "B": 8.53, "b": 0.112, "E": 0.165}
RANGES = {"tokens_stage1": (1e9, 1e11), "tokens_stage2": (1e9, 1e11), "params": (1e8, 1e9)}
PRESET = "liew2025-upcycling-upcycled"


def base(name, params, tokens, **others):
    return Checkpoint(name, params=params, params_active=params, tokens=tokens, **others)


def scattered(n=40, **changes):
    """Return replicates of the joint law whose coefficient A scatters by half a per cent."""
    factors = np.exp(0.005 * np.linspace(-2, 2, n))
    return [{**JOINT, **changes, "A": JOINT["A"] * factor} for factor in factors]


def test_losses_are_those_of_the_law_and_the_best_comes_first():
    names = ["pythia-1b", "OLMo-1B", "TinyLlama-1.1B-3T", "Llama-2-7b"]
    choice = choose_checkpoint(named_checkpoints(names), PRESET, tokens_stage2=1e11)
    assert choice.best.name == "Llama-2-7b"
    losses = [one.loss for one in choice.candidates]
    assert losses == sorted(losses)
    for one in choice.candidates:
        columns = {
            "tokens_stage1": one.tokens_stage1,
            "tokens_stage2": 1e11,
            "params": one.params,
        }
        assert one.loss == pytest.approx(preset(PRESET).loss(columns)[0], rel=1e-12)
        assert (one.lower, one.share_best, one.extrapolation) == (None, None, {})


def test_published_coefficients_tell_no_less_than_one_per_cent():
    same = [base("a", 1e9, 1e12), base("b", 1e9, 1.2e12), base("c", 1e8, 1e9)]
    choice = choose_checkpoint(same, PRESET, tokens_stage2=1e11)
    gap = math.log(choice.candidates[1].loss / choice.candidates[0].loss)
    assert 0 < gap < 0.01
    assert choice.status == "tie"
    assert choice.tied == ("b", "a")


def test_shares_count_the_replicates_in_which_each_is_best(factory):
    # More stage-1 tokens help where a1 is positive and hurt in the replicates where it is not.
    replicates = [{**JOINT, "a3": 0.0, "a1": 0.04 if i % 4 else -0.04} for i in range(80)]
    fit = factory.make_fit(
        "bootstrapped-joint", {**JOINT, "a3": 0.0}, replicates=replicates, ranges=RANGES,
        residual_scale=1e-4,
    )  # fmt: skip
    pair = [base("long", 5e8, 1e11), base("short", 5e8, 1e10)]
    choice = choose_checkpoint(pair, fit, tokens_stage2=1e10)
    assert {one.name: one.share_best for one in choice.candidates} == {"long": 0.75, "short": 0.25}
    assert choice.status == "tie"
    assert choice_of_all_alike(factory, pair).status == "ok"


def test_a_tenth_of_the_replicates_is_no_tie(factory):
    """The rule was another one than that of decide and allocate: 95 % had to agree."""
    replicates = [{**JOINT, "a3": 0.0, "a1": 0.04 if i % 10 else -0.04} for i in range(80)]
    fit = factory.make_fit(
        "bootstrapped-joint", {**JOINT, "a3": 0.0}, replicates=replicates, ranges=RANGES,
        residual_scale=0.5,
    )  # fmt: skip
    pair = [base("long", 5e8, 1e11), base("short", 5e8, 1e10)]
    assert choose_checkpoint(pair, fit, tokens_stage2=1e10).status == "ok"


def choice_of_all_alike(factory, pair):
    fit = factory.make_fit(
        "bootstrapped-joint", JOINT, replicates=scattered(), ranges=RANGES, residual_scale=1e-4
    )
    return choose_checkpoint(pair, fit, tokens_stage2=1e10)


def test_intervals_and_extrapolation_come_with_each(factory):
    fit = factory.make_fit(
        "bootstrapped-joint", JOINT, replicates=scattered(), ranges=RANGES, residual_scale=0.002
    )
    choice = choose_checkpoint([base("far", 1e9, 1e13)], fit, tokens_stage2=1e10)
    far = choice.best
    assert far.lower < far.loss < far.upper
    assert far.extrapolation["tokens_stage1"] == pytest.approx(2.0)
    assert far.extrapolation["params"] == 0.0
    assert any("the best one, far" in warning for warning in choice.warnings)
    assert "if the law holds" in choice.summary()


def test_what_the_law_cannot_be_asked_about_is_set_aside_with_its_reason():
    choice = choose_checkpoint(None, PRESET, tokens_stage2=1e11)
    reasons = {one.name: one.reason for one in choice.set_aside}
    assert "pruned" in reasons["Llama-3.2-1B"]
    assert "distilled" in reasons["gemma-2-2b"]
    assert "instructions" in reasons["phi-4"]
    assert "continued" in reasons["CodeLlama-7b"]
    assert "grown" in reasons["Falcon3-10B"]
    assert "mixture of experts" in reasons["Mixtral-8x7B-v0.1"]
    assert "tokens" in reasons["Mistral-7B-v0.1"]
    assert "parameters are not known" in reasons["CrystalCoder"]
    ranked = {one.name for one in choice.candidates}
    assert ranked.isdisjoint(reasons)
    assert len(ranked) + len(reasons) == len(public_checkpoints())


def test_outside_models_are_ranked_on_request_with_a_flag():
    asked = named_checkpoints(["Llama-3.2-1B", "OLMoE-1B-7B"])
    choice = choose_checkpoint(asked, PRESET, tokens_stage2=1e11, outside=True)
    flags = {one.name: one.flags for one in choice.candidates}
    assert flags["Llama-3.2-1B"] == ("outside the law (pruned)",)
    assert flags["OLMoE-1B-7B"] == ("outside the law (mixture of experts)",)


def test_flags_say_in_what_a_checkpoint_differs_from_the_runs():
    asked = named_checkpoints(["TinyLlama-1.1B-2T", "pythia-1b", "phi-2"])
    choice = choose_checkpoint(
        asked, PRESET, tokens_stage2=1e11, tokenizer="llama", schedule_state="cooled"
    )
    flags = {one.name: one.flags for one in choice.candidates}
    assert flags["TinyLlama-1.1B-2T"] == (
        "mid learning rate, not cooled",
        "read its text 2.1 times",
    )
    assert flags["pythia-1b"] == ("another tokenizer (gpt-neox)",)
    assert flags["phi-2"][0] == "mostly synthetic text"
    assert not any("tokenizers" in warning for warning in choice.warnings)


def test_several_tokenizers_are_warned_of_once():
    asked = named_checkpoints(["TinyLlama-1.1B-3T", "pythia-1b"])
    choice = choose_checkpoint(asked, PRESET, tokens_stage2=1e11)
    assert any("2 tokenizers" in warning for warning in choice.warnings)


def test_a_law_of_one_size_ranks_that_size_only(factory):
    fit = factory.make_fit("bootstrapped", factory.MAIN, replicates=[factory.MAIN] * 50)
    three = [base("same", 1e9, 1e11), base("near", 1.05e9, 1e10), base("large", 7e9, 1e12)]
    choice = choose_checkpoint(three, fit, tokens_stage2=1e10, params=1e9)
    assert [one.name for one in choice.candidates] == ["same", "near"]
    assert [one.name for one in choice.set_aside] == ["large"]
    assert "of another size" in choice.set_aside[0].reason
    # A grown model's size does not tell its base's.
    with pytest.raises(InputError, match="holds for one model size"):
        choose_checkpoint(three, fit, tokens_stage2=1e10)


def test_a_fit_to_continued_runs_knows_the_size_of_its_bases(factory):
    from dataclasses import replace

    fit = replace(factory.make_fit("bootstrapped", factory.MAIN), method="cpt")
    pair = [base("same", 1e9, 1e11), base("large", 7e9, 1e12)]
    choice = choose_checkpoint(pair, fit, tokens_stage2=1e10)
    assert [one.name for one in choice.candidates] == ["same"]


def test_checkpoints_may_be_grown_to_a_final_size():
    three = [base("small", 1e9, 1e12), base("less", 5e8, 1e12), base("large", 7e9, 1e12)]
    choice = choose_checkpoint(three, PRESET, tokens_stage2=1e11, params=2e9)
    assert [one.name for one in choice.set_aside] == ["large"]
    assert choice.candidates[0].loss == choice.candidates[1].loss
    assert choice.status == "tie"
    assert {one.params_active for one in choice.candidates} == {2e9}
    assert any("grown to 2B" in warning for warning in choice.warnings)


def test_at_equal_flops_larger_models_get_fewer_tokens():
    small, large = base("small", 1e9, 1e12), base("large", 4e9, 1e12)
    choice = choose_checkpoint([small, large], PRESET, budget=1e21)
    tokens = {one.name: one.tokens_stage2 for one in choice.candidates}
    assert tokens["small"] == pytest.approx(1e21 / 6e9)
    assert tokens["small"] == pytest.approx(4 * tokens["large"])
    assert [float(one.cost.flops) for one in choice.candidates] == pytest.approx([1e21, 1e21])


def test_flops_follow_from_the_shape_where_it_is_known():
    (pythia,) = named_checkpoints(["pythia-1b"])
    choice = choose_checkpoint([pythia], PRESET, tokens_stage2=1e10)
    assert choice.best.cost.flops == pytest.approx(1e10 * pythia.shape.flops_per_token)
    assert choice.best.cost.flops > 6 * pythia.params * 1e10


def test_hardware_turns_flops_into_days_and_money():
    from bootlaw.planning.cost import Hardware

    on = Hardware("own", peak_flops=1e15, mfu=0.5, price=2.0, devices=10)
    choice = choose_checkpoint([base("a", 1e9, 1e12)], PRESET, tokens_stage2=1e11, on=on)
    hours = 6e20 / (0.5e15 * 3600)
    assert float(choice.best.cost.money) == pytest.approx(2 * hours)
    assert float(choice.best.cost.days) == pytest.approx(hours / 240)
    assert "USD" in choice.summary()


def test_a_limit_on_serving_sets_larger_ones_aside():
    choice = choose_checkpoint(None, PRESET, tokens_stage2=1e11, max_params=1e9)
    assert max(one.params_active for one in choice.candidates) <= 1e9
    assert any("uses more than 1B" in one.reason for one in choice.set_aside)


def test_a_law_asked_too_far_out_says_so_instead_of_ranking(factory):
    # The stage-2 exponent 0.2 - 0.008 ln D1 is not positive from D1 = exp(25) = 7.2e10 on.
    values = {**JOINT, "a2": 0.2, "a3": 0.008}
    fit = factory.make_fit("bootstrapped-joint", values, ranges=RANGES)
    pair = [base("near", 1e9, 1e10), base("beyond", 1e9, 1e11)]
    choice = choose_checkpoint(pair, fit, tokens_stage2=1e10)
    assert [one.name for one in choice.candidates] == ["near"]
    assert "no longer falls" in choice.set_aside[0].reason
    nothing = choose_checkpoint(pair[1:], fit, tokens_stage2=1e10)
    assert nothing.status == "undetermined"
    assert nothing.reasons
    assert "no answer" in nothing.summary()


def test_a_fit_that_failed_ranks_nothing(factory):
    fit = factory.make_fit("bootstrapped-joint", JOINT, status="not_identifiable", ranges=RANGES)
    choice = choose_checkpoint([base("a", 1e9, 1e12)], fit, tokens_stage2=1e10)
    assert choice.status == "undetermined"
    assert choice.candidates == ()


def test_a_law_that_does_not_read_stage_1_says_that_bases_are_alike(factory):
    values = {
        "A": 400.0, "a": 0.34, "B": 400.0, "k": 10.0, "al": 0.18, "be": 0.38, "b": 0.3, "E": 1.7,
    }  # fmt: skip
    fit = factory.make_fit("effective-data-joint", values, ranges=RANGES)
    pair = [base("long", 1e9, 1e12), base("short", 1e9, 1e10)]
    choice = choose_checkpoint(pair, fit, tokens_stage2=1e10)
    assert choice.candidates[0].loss == choice.candidates[1].loss
    assert any("does not read stage-1 tokens" in warning for warning in choice.warnings)


@pytest.mark.parametrize(
    ("law", "options", "words"),
    [
        (PRESET, {}, "one of the two"),
        (PRESET, {"tokens_stage2": 1e10, "budget": 1e20}, "one of the two"),
        (PRESET, {"tokens_stage2": 0.0}, "tokens_stage2 is 0"),
        (PRESET, {"tokens_stage2": 1e10, "params": -1.0}, "params is -1"),
        (PRESET, {"tokens_stage2": 1e10, "level": 2.0}, "level is 2"),
        ("besiroglu2024", {"tokens_stage2": 1e10}, "has one stage"),
        ("gu2024-mixture-460m", {"tokens_stage2": 1e10}, "predicts critical_ratio"),
    ],
)
def test_senseless_questions_are_refused(law, options, words):
    with pytest.raises(InputError, match=words):
        choose_checkpoint([base("a", 1e9, 1e12)], law, **options)


def test_an_empty_list_and_laws_of_other_columns_are_refused(factory):
    with pytest.raises(InputError, match="no checkpoint"):
        choose_checkpoint([], PRESET, tokens_stage2=1e10)
    with pytest.raises(InputError, match="'a' is there twice"):
        choose_checkpoint([base("a", 1e9, 1e12), base("a", 1e9, 1e11)], PRESET, tokens_stage2=1e10)
    fixed = factory.make_fit("fixed-base", {"A": 10.0, "a": 0.1, "E": 1.0})
    with pytest.raises(InputError, match="one base only"):
        choose_checkpoint([base("a", 1e9, 1e12)], fixed, tokens_stage2=1e10, params=1e9)


def test_a_fit_with_a_scratch_part_ranks_by_its_reuse_part(factory):
    fit = factory.make_fit("bootstrapped+scratch", factory.JOINT)
    choice = choose_checkpoint([base("a", 1e9, 1e11)], fit, tokens_stage2=1e10, params=1e9)
    v = factory.MAIN
    exponent = -v["a2"] + v["a3"] * math.log(1e11)
    assert choice.best.loss == pytest.approx(v["A"] * 1e11 ** -v["a1"] * 1e10**exponent + v["E"])


def test_a_table_on_disk_is_read(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("name,tokens,params_non_embedding\nours,2T,1.3B\n")
    choice = choose_checkpoint(path, PRESET, tokens_stage2=1e10)
    assert choice.best.name == "ours"
    assert choice.best.tokens_per_param == pytest.approx(2e12 / 1.3e9)


def test_the_order_does_not_depend_on_the_list():
    forwards = choose_checkpoint(None, PRESET, tokens_stage2=1e11)
    backwards = choose_checkpoint(public_checkpoints()[::-1], PRESET, tokens_stage2=1e11)
    assert [one.loss for one in forwards.candidates] == [one.loss for one in backwards.candidates]
    assert set(forwards.tied) == set(backwards.tied)


def test_a_budget_of_less_than_a_token_chooses_nothing():
    with pytest.raises(InputError, match="does not buy one token"):
        choose_checkpoint(named_checkpoints(["pythia-1b", "OLMo-1B"]), PRESET, budget=1.0)


def test_bases_out_of_sight_of_the_runs_are_set_aside(factory):
    """A base of 36T tokens was the best one by a law of runs up to 16B, with exit code 0."""
    fit = factory.make_fit("bootstrapped-joint", JOINT, replicates=scattered(), ranges=RANGES,
                           residual_scale=1e-4)  # fmt: skip
    shelf = [base("near", 5e8, 1e11), base("far", 5e8, 3e14)]
    choice = choose_checkpoint(shelf, fit, tokens_stage2=1e10)
    assert choice.best.name == "near"
    assert "stage-1 tokens lie more than three decades" in choice.set_aside[0].reason
    nobody = choose_checkpoint(shelf, fit, tokens_stage2=1e16)
    assert nobody.status == "undetermined"
    assert "stage-2 tokens lie more than three decades" in nobody.set_aside[0].reason
