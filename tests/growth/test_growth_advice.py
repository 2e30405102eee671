from dataclasses import replace

import pytest

from bootlaw.errors import InputError
from bootlaw.growth.onward.advice import advise
from bootlaw.growth.onward.facts import Grown, Known
from bootlaw.growth.onward.rates import step_law_batch, step_law_rate

DEEPER = Grown(
    name="grown",
    preserving=False,
    width=1,
    experts=None,
    params=1_000_000_000,
    dtype="bfloat16",
    context=4096,
    carried=False,
)
PRESERVED = replace(DEEPER, preserving=True)


def test_step_law_agrees_with_the_rate_published_for_1b_parameters_and_100b_tokens():
    """1.79 N^-0.713 D^0.307 and 0.58 D^0.571, worked out by hand in logarithms."""
    assert step_law_rate(1e9, 1e11) == pytest.approx(10 ** (0.25285 - 6.417 + 3.377), rel=1e-3)
    assert step_law_batch(1e11) == pytest.approx(10 ** (-0.23657 + 6.281), rel=1e-3)


def test_nothing_about_an_unknown_parent_is_invented():
    spec = advise(DEEPER, Known())
    assert set(spec.open) == {"data.text", "data.tokens", "schedule.batch_tokens"}
    assert len(spec.sweep["schedule.peak_lr"]) > 1
    assert not spec.ready


def test_every_value_that_depends_on_the_growth_has_a_reason():
    for grown in (DEEPER, PRESERVED, replace(DEEPER, width=2), replace(DEEPER, experts=(8, 2))):
        for known in (Known(), Known(tokens=10**9), Known(peak_lr=3e-4, batch_tokens=10**6)):
            spec = advise(grown, known)
            settled = {name for name in (*spec.given, *spec.sweep) if name.startswith("schedule")}
            assert settled - set(spec.reasons) == set()


def test_a_preserved_function_keeps_the_rate_of_a_stable_parent():
    known = Known(peak_lr=3e-4, batch_tokens=2**20, schedule_state="stable", tokens=10**9)
    spec = advise(PRESERVED, known)
    assert spec.given["schedule.peak_lr"] == 3e-4
    assert spec.given["schedule.batch_tokens"] == 2**20
    assert spec.open == {"data.text": "which files or folders of text?"}


def test_a_wider_model_also_tries_the_rate_divided_by_its_width():
    spec = advise(replace(PRESERVED, width=2, tiled=2), Known(peak_lr=3e-4))
    assert spec.sweep["schedule.peak_lr"] == (3e-4, 1.5e-4)


def test_padding_does_not_claim_that_weights_shrink():
    """Only tile divides weights; the reason for the rate said so of pad_hidden as well."""
    of_tile, of_padding = (
        advise(replace(PRESERVED, width=1.5, tiled=tiled), Known(peak_lr=3e-4))
        for tiled in (1.5, 1.0)
    )
    assert of_padding.sweep["schedule.peak_lr"] == (3e-4, 2e-4)
    assert "1.5 times smaller" in of_tile.reasons["schedule.peak_lr"]
    assert "kept their size" in of_padding.reasons["schedule.peak_lr"]


def test_a_cooled_parent_is_warmed_again_to_several_rates():
    spec = advise(PRESERVED, Known(peak_lr=3e-4, schedule_state="cooled"))
    assert spec.sweep["schedule.peak_lr"] == (3e-4, 1e-4, 3e-5)


def test_step_law_is_the_upper_end_where_only_the_length_is_known():
    spec = advise(DEEPER, Known(tokens=10**11))
    top = spec.sweep["schedule.peak_lr"][0]
    assert top == pytest.approx(step_law_rate(1e9, 1e11), rel=0.05)
    assert max(spec.sweep["schedule.peak_lr"]) == top
    assert all(batch % 4096 == 0 for batch in spec.sweep["schedule.batch_tokens"])


def test_step_law_is_not_believed_far_from_what_it_saw():
    """37k parameters and 2B tokens: it says 0.23, at which nothing trains."""
    spec = advise(replace(DEEPER, params=37_000), Known(tokens=2 * 10**9))
    assert max(spec.sweep["schedule.peak_lr"]) == 1e-3
    assert "too far" in spec.reasons["schedule.peak_lr"]


def test_carried_moments_need_no_warm_up_and_fresh_ones_do():
    assert advise(replace(PRESERVED, carried=True), Known()).given["schedule.warmup_steps"] == 0
    assert advise(PRESERVED, Known()).given["schedule.warmup_steps"] == 40


def test_after_a_jump_a_long_run_warms_up_longer():
    known = Known(tokens=10**10, batch_tokens=10**6)
    assert advise(DEEPER, known).given["schedule.warmup_steps"] == 100
    assert advise(PRESERVED, known).given["schedule.warmup_steps"] == 40


def test_a_tiny_run_still_gets_one_whole_sequence_a_step():
    spec = advise(DEEPER, Known(tokens=1000))
    assert min(spec.sweep["schedule.batch_tokens"]) == 4096


def test_the_context_of_a_long_context_model_is_not_taken_for_the_training_length():
    assert "model.sequence_length" in advise(replace(DEEPER, context=131072), Known()).open


def test_freezing_is_suggested_and_only_done_on_request():
    pattern = (r"(?!model\.layers\.(?:1|3)\.).*",)
    suggested = advise(replace(PRESERVED, freezable=pattern), Known())
    assert suggested.given["model.frozen"] == ()
    assert pattern[0] in suggested.reasons["model.frozen"]
    done = advise(replace(PRESERVED, freezable=pattern, freeze=True), Known())
    assert done.given["model.frozen"] == pattern


def test_float16_is_not_trained_in():
    spec = advise(replace(DEEPER, dtype="float16"), Known())
    assert spec.given["model.dtype"] == "bfloat16"
    assert "loss scaling" in spec.reasons["model.dtype"]


@pytest.mark.parametrize(
    "known",
    [{"peak_lr": 0.0}, {"tokens": -1}, {"batch_tokens": 0}, {"schedule_state": "warm"}],
)
def test_what_cannot_be_known_is_refused(known):
    with pytest.raises(InputError, match="found"):
        Known(**known)


def test_a_reset_without_warm_up_has_none_and_says_so():
    """``reset`` and ``reset+warmup`` gave the same train.toml."""
    known = Known(tokens=10**9, batch_tokens=10**5)
    asked = advise(replace(PRESERVED, carried=False, warms_up=False), known)
    assert asked.given["schedule.warmup_steps"] == 0
    assert "as asked for" in asked.reasons["schedule.warmup_steps"]
    usual = advise(replace(PRESERVED, carried=False), known)
    assert usual.given["schedule.warmup_steps"] == 40


@pytest.mark.parametrize(("tokens", "steps"), [(None, 40), (10**8, 40), (10**9, 100)])
def test_moments_carried_over_a_jump_are_not_called_fresh(tokens, steps):
    spec = advise(replace(DEEPER, carried=True), Known(tokens=tokens, batch_tokens=10**5))
    assert spec.given["schedule.warmup_steps"] == steps
    assert "fresh" not in spec.reasons["schedule.warmup_steps"]
    assert "jumped" in spec.reasons["schedule.warmup_steps"]
