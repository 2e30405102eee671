"""The no-shift control on tables whose truth is known, and on the rows it chooses."""

import json

import numpy as np
import pytest

from bootlaw.errors import InputError
from bootlaw.fitting.no_shift import no_shift
from bootlaw.runs import read_runs


def interaction(d1, d2):
    return 60 * d1**-0.20 * d2 ** (-0.25 + 0.009 * np.log(d1)) + 1.0


def product(d1, d2):
    return 12 * d1**-0.10 * d2**-0.12 + 1.0


def total(d1, d2):
    return 30 * (d1 + d2) ** -0.2 + 1.2


def table(law, noise=0.002, seed=0, **columns):
    """Return a 6 x 5 grid of runs of a known law."""
    d1, d2 = (
        axis.ravel()
        for axis in np.meshgrid(np.geomspace(1e6, 3e7, 6), np.geomspace(5e5, 8e6, 5), indexing="ij")
    )
    errors = noise * np.random.default_rng(seed).normal(size=d1.size)
    rows = {
        "method": ["stack"] * d1.size,
        "tokens_stage1": d1,
        "tokens_stage2": d2,
        "loss": law(d1, d2) * np.exp(errors),
    }
    return read_runs({**rows, **columns})


@pytest.mark.parametrize(
    ("law", "verdict", "words"),
    [
        (interaction, "main_law", "main law beats total tokens"),
        (product, "main_law", "main law beats total tokens"),
        (total, "total_tokens", "Total tokens suffices"),
    ],
)
def test_each_truth_gets_its_verdict(law, verdict, words):
    found = no_shift(table(law), bootstrap=0)
    assert found.verdict == verdict
    assert words in found.words()
    assert f"{found.ratio.value:.3g} times" in found.summary()
    assert (found.ratio.value > 1) == (verdict == "main_law")


def test_noise_that_hides_the_truth_gives_a_tie():
    found = no_shift(table(product, noise=0.05), bootstrap=0, holdouts=("kfold",))
    assert found.verdict == "tie"
    assert found.ratio.lower < 1 < found.ratio.upper
    assert "fewer parameters" in found.words()


def test_the_bridge_tells_interaction_from_counting_stages_apart():
    without = no_shift(table(product), bootstrap=0, holdouts=("kfold", "largest-d2"))
    assert without.bridge.side <= 0
    with_it = no_shift(table(interaction, noise=2e-4), bootstrap=0, holdouts=("kfold",))
    assert with_it.bridge.side == 1


def test_rows_with_one_text_are_chosen():
    text = np.where(np.arange(30) % 5 < 4, "prose", "code").astype(object)
    mixed = table(product, data1=["prose"] * 30, data2=text)
    found = no_shift(mixed, bootstrap=0, holdouts=("kfold",))
    assert (found.rows, found.n_rows, found.note) == ("same-text", 24, "")
    alone = no_shift(mixed.select(text == "prose"), bootstrap=0, holdouts=("kfold",))
    assert found.ratio == alone.ratio


def test_a_table_that_does_not_tell_texts_says_so():
    found = no_shift(table(product), bootstrap=0, holdouts=("largest-d1",))
    assert found.rows == "all"
    assert "no data1 and data2" in found.note
    assert found.note in found.summary()


def test_a_table_of_shifted_runs_is_warned_about():
    shifted = table(product, data1=["prose"] * 30, data2=["code"] * 30)
    found = no_shift(shifted, bootstrap=0, holdouts=("largest-d1",))
    assert (found.rows, found.n_rows) == ("all", 30)
    assert "the text shifts" in found.note


def test_rows_that_determine_no_law_give_no_verdict():
    level = table(lambda d1, _: 2.5 + 0 * d1, noise=0.0)
    found = no_shift(level, bootstrap=0, holdouts=("largest-d1",))
    assert (found.verdict, found.ratio) == ("undetermined", None)
    assert "total-tokens" in found.words()


def test_document():
    document = no_shift(table(product), bootstrap=0, holdouts=("kfold", "largest-n")).to_json()
    document = json.loads(json.dumps(document, allow_nan=False))
    assert document["control"] == "no-shift"
    assert document["error_ratio"]["n_holdouts"] == 1
    assert [contest["holdout"] for contest in document["holdouts"]] == ["kfold"]
    assert [skip["holdout"] for skip in document["skipped"]] == ["largest-n"]
    laws = {row["law"] for row in document["holdouts"][0]["rows"]}
    assert laws == {"bootstrapped", "multiplicative", "total-tokens"}


def test_unknown_holdouts_are_refused():
    with pytest.raises(InputError, match="unknown hold-out"):
        no_shift(table(product), holdouts=("lowest",))


def test_one_held_out_row_gives_no_verdict():
    """It was a tie, so that total tokens "suffices" where it erred fifty times as much."""
    ten = table(product).where("tokens_stage1 < 3e6")
    found = no_shift(ten, bootstrap=0, holdouts=("lowest-loss",))
    assert found.comparisons.contests[0].n_out == 1
    assert found.verdict == "undetermined"
    assert "by chance or not" in found.words()
