"""The table of public base models, and tables of one's own."""

import csv
from importlib import resources

import pytest

from bootlaw.errors import InputError
from bootlaw.planning.checkpoints import (
    KINDS,
    Checkpoint,
    named_checkpoints,
    public_checkpoints,
    read_checkpoints,
)

HEADER = "name,tokens,params_non_embedding"


def by_name():
    return {one.name: one for one in public_checkpoints()}


@pytest.mark.parametrize(
    ("name", "total", "non_embedding"),
    [
        # Total and non-embedding parameters as the model cards and papers print them.
        ("pythia-70m", 70_426_624, 18_915_328),
        ("pythia-1b", 1_011_781_632, 805_736_448),
        ("pythia-12b", 11_846_072_320, 11_327_027_200),
        ("gemma-2b", 2_506_172_416, 1_981_884_416),
        ("gemma-7b", 8_537_680_896, 7_751_248_896),
        ("gemma-2-27b", 27_227_128_320, 26_047_480_320),
        ("Llama-2-7b", 6_738_415_616, 6_476_271_616),
        ("bloom-560m", 559_214_592, 302_313_472),
    ],
)
def test_sizes_are_those_that_were_published(name, total, non_embedding):
    one = by_name()[name]
    assert one.params_total == total
    assert one.params == non_embedding


def test_sizes_follow_from_the_shapes():
    shaped = [one for one in public_checkpoints() if one.shape is not None]
    assert len(shaped) > 100
    for one in shaped:
        embeddings = one.shape.params_total - one.shape.params
        assert one.params == one.params_total - embeddings, one.name
        # Biases and norms are not in the table's shapes.
        assert one.shape.params == pytest.approx(one.params, rel=5e-3), one.name
        assert one.shape.params_active == pytest.approx(one.params_active, rel=5e-3), one.name


@pytest.mark.parametrize(
    ("name", "active"),
    [
        # Active parameters with embeddings, as the authors print them.
        ("Mixtral-8x7B-v0.1", 12.9e9),
        ("OLMoE-1B-7B", 1.3e9),
        ("Qwen3-30B-A3B", 3.3e9),
        ("granite-3.0-3b-a800m", 0.88e9),
    ],
)
def test_active_parameters_of_mixtures(name, active):
    one = by_name()[name]
    embeddings = one.params_total - one.params
    assert one.params_active + embeddings == pytest.approx(active, rel=0.03)


def test_the_table_says_what_it_does_not_know():
    known = by_name()
    assert known["Mistral-7B-v0.1"].tokens is None
    assert known["Mistral-7B-v0.1"].tokens_per_param is None
    assert known["gpt2"].peak_lr is None
    assert known["Llama-3.2-1B"].kind == "pruned"
    assert known["gemma-2-2b"].kind == "distilled"
    assert known["phi-4"].kind == "post-trained"
    assert known["phi-2"].kind == "synthetic"


def test_tokens_per_parameter_are_derived():
    one = by_name()["pythia-1.4b"]
    assert one.tokens_per_param == one.tokens / one.params == pytest.approx(248, rel=1e-3)
    table = resources.files("bootlaw.planning") / "data" / "checkpoints.csv"
    assert "per_param" not in table.read_text("utf-8").splitlines()[0]


def test_every_row_has_a_source_and_a_date():
    for one in public_checkpoints():
        assert one.source.startswith("arXiv ") or one.source == "model card", one.name
        assert len(one.date) == 7, one.name
        assert one.hub_id, one.name
        assert one.licence, one.name
        assert one.kind in KINDS


def test_steps_of_a_run_share_all_but_their_tokens():
    known = by_name()
    early, late = known["TinyLlama-1.1B-105b"], known["TinyLlama-1.1B-3T"]
    assert early.shape == late.shape
    assert early.tokens == 50_000 * 2048 * 1024
    assert (early.schedule_state, late.schedule_state) == ("mid", "cooled")


def test_names_may_be_hub_ids_and_forget_upper_case():
    found = named_checkpoints(["olmo-1b", "EleutherAI/pythia-1b"])
    assert [one.name for one in found] == ["OLMo-1B", "pythia-1b"]
    with pytest.raises(InputError, match=r"did you mean .*pythia-1b"):
        named_checkpoints(["pythia1b"])


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "name,tokens,params_total,vocab_size,hidden_size,layers,heads,kv_heads,head_size,"
        "intermediate_size,gated,tied,schedule_state\n"
        "a,1.5T,7241732096,32000,4096,32,32,8,128,14336,yes,no,stable\n"
        "b,,,,,,,,,,,,\n"
    )
    a, b = read_checkpoints(path)
    assert (a.tokens, a.params, a.params_active) == (1.5e12, 6_979_588_096, 6_979_588_096)
    assert a.schedule_state == "stable"
    assert b == Checkpoint("b")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\na\n", "no column 'tokens'"),
        ("name,tokens,parms_total\na,1e12,1e9\n", "did you mean 'params_total'"),
        (f"{HEADER}\na,many,1e9\n", "line 2, column 'tokens': 'many' is not a number"),
        (f"{HEADER}\na,1e12,0\n", "column 'params_non_embedding': 0 must be above zero"),
        (f"{HEADER}\na,1e12,1e9\n,1e12,1e9\n", "line 3, column 'name': is empty"),
        (f"{HEADER}\na,1e12,1e9\nA,1e12,1e9\n", "is also in line 2"),
        (f"{HEADER},kind\na,1e12,1e9,odd\n", "column 'kind': 'odd' is none of base"),
        (f"{HEADER},params_total\na,1e12,2e9,1e9\n", "is not between 0 and the 1e"),
        (f"{HEADER},params_active\na,1e12,1e9,2e9\n", "column 'params_active': 2e.* more than"),
        (f"{HEADER},layers\na,1e12,1e9,2.5\n", "column 'layers': 2.5 is not a whole number"),
    ],
)
def test_a_broken_table_is_answered_with_file_row_and_column(tmp_path, text, words):
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_checkpoints(path)
    assert "own.csv" in str(caught.value)


def test_the_shipped_table_reads_back_as_it_is():
    table = resources.files("bootlaw.planning") / "data" / "checkpoints.csv"
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert [row["name"] for row in rows] == [one.name for one in public_checkpoints()]
    for row, one in zip(rows, public_checkpoints(), strict=True):
        assert (row["tokens"] or None) == (one.tokens and f"{one.tokens:.0f}"), one.name
