"""``bootlaw plan choose``: documents, words and exit codes."""

import json
from pathlib import Path

import pytest

from bootlaw.cli.main import main

LAW = ["--law", "liew2025-upcycling-upcycled"]
NAMES = ["--names", "pythia-1b,OLMo-1B,TinyLlama-1.1B-3T,Llama-3.2-1B"]


def choose(capsys, *arguments):
    """Return the exit code and what was printed."""
    code = main(["plan", "choose", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_published_coefficients_rank_public_checkpoints(capsys):
    code, out, _ = choose(capsys, *LAW, *NAMES, "--tokens-stage2", "100B", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["status"] == "tie"
    assert document["best"] == "OLMo-1B"
    assert document["tied"] == ["OLMo-1B", "TinyLlama-1.1B-3T"]
    assert [one["name"] for one in document["candidates"]][-1] == "pythia-1b"
    assert document["budget"] == {"tokens_stage2": 1e11}
    assert [one["name"] for one in document["set_aside"]] == ["Llama-3.2-1B"]


def test_the_table_for_people(capsys):
    code, out, _ = choose(capsys, *LAW, *NAMES, "--tokens-stage2", "100B", "--rows", "2")
    assert code == 0
    assert "best of 3 for 100B stage-2 tokens: tie: OLMo-1B and 1 other" in out
    assert "and 1 more" in out
    assert "Llama-3.2-1B: outside the law: it was pruned" in out


def test_a_table_of_ones_own(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text("name,tokens,params_non_embedding\nours,2T,1.3B\ntheirs,1T,1.3B\n")
    code, out, _ = choose(
        capsys, *LAW, "--checkpoints", path, "--budget", "1e21", "--max-params", "2B", "--json"
    )
    assert code == 0
    assert [one["name"] for one in json.loads(out)["candidates"]] == ["ours", "theirs"]


def test_the_list_needs_no_law(capsys):
    code, out, _ = choose(capsys, "--list", "--names", "pythia-1b,Mistral-7B-v0.1")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["pythia-1b", "806M", "300B", "372"]
    code, out, _ = choose(capsys, "--list", "--names", "Mistral-7B-v0.1", "--json")
    (one,) = json.loads(out)["checkpoints"]
    assert (one["tokens"], one["tokens_per_param"]) == (None, None)
    assert one["source"] == "arXiv 2310.06825"


def test_nothing_to_rank_exits_3(capsys):
    code, out, _ = choose(
        capsys, *LAW, "--names", "Mistral-7B-v0.1", "--tokens-stage2", "1B", "--json"
    )
    assert code == 3
    document = json.loads(out)
    assert (document["status"], document["best"]) == ("undetermined", None)
    assert document["reasons"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*LAW, *NAMES], "--tokens-stage2 or --budget"),
        ([*LAW, "--tokens-stage2", "1B", "--budget", "1e20"], "--tokens-stage2 or --budget"),
        (["--tokens-stage2", "1B"], "name either a FIT.json or --law PRESET"),
        ([*LAW, "--names", "pythia1b", "--tokens-stage2", "1B"], "did you mean pythia-1b"),
        ([*LAW, "--names", ",", "--tokens-stage2", "1B"], "names no checkpoint"),
        ([*LAW, "--checkpoints", "none.csv", "--tokens-stage2", "1B"], "none.csv: no such file"),
        (["--law", "besiroglu2024", "--tokens-stage2", "1B"], "has one stage"),
    ],
)
def test_bad_usage_exits_2_in_one_line(capsys, arguments, words):
    code, _, complaint = choose(capsys, *arguments)
    assert code == 2
    assert words in complaint
    assert complaint.count("\n") == 1


def test_every_field_is_documented(capsys):
    contract = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")
    _, out, _ = choose(capsys, *LAW, *NAMES, "--tokens-stage2", "100B", "--json")
    document = json.loads(out)
    _, out, _ = choose(capsys, "--list", *NAMES, "--json")
    fields = [*document, *document["candidates"][0], *document["set_aside"][0]]
    fields += json.loads(out)["checkpoints"][0]
    assert [name for name in fields if f"`{name}`" not in contract] == []
