"""``bootlaw plan mixture``: documents, words and exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest

from bootlaw.cli.main import main
from bootlaw.fitting import fit

ASKED = ["--tokens-stage2", "4e9", "--max-old-loss", "2.7"]
TEXTS = ["--new", "code", "--old", "web", "--bootstrap", "50"]


def mixture(capsys, *arguments):
    """Return the exit code and what was printed."""
    code = main(["plan", "mixture", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def losses(r, text):
    return 2 + (0.3 * (r + 0.1) ** -0.5 if text == "web" else 0.6 * (1.1 - r) ** -0.4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a table of runs on two texts, and a fit to each."""
    place = tmp_path_factory.mktemp("mixture")
    shares = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75)
    rng = np.random.default_rng(0)
    header = "run,method,tokens_stage1,tokens_stage2,replay,seed,data2,eval_data,loss"
    lines = [header]
    lines += [
        f"r{share}-{seed},cpt,1e11,4e9,{share},{seed},code,{text},"
        f"{losses(share, text) * np.exp(rng.normal(0, 2e-4)):.6f}"
        for share in shares
        for seed in (0, 1)
        for text in ("code", "web")
    ]
    (place / "runs.csv").write_text("\n".join(lines) + "\n")
    rows = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines[1:]]
    formulas = {"code": "H*(1 - replay + K)^-c + E", "web": "H*(replay + K)^-c + E"}
    for text, formula in formulas.items():
        own = [row for row in rows if row["eval_data"] == text]
        table = {name: [row[name] for row in own] for name in ("method", "seed")}
        for name in ("tokens_stage1", "tokens_stage2", "replay", "loss"):
            table[name] = [float(row[name]) for row in own]
        fit(table, f"formula:reuse: {formula}", bootstrap=50).save(place / f"{text}.json")
    return place


def expected():
    """Return the share at which the true old loss is 2.7."""
    return (0.7 / 0.3) ** -2 - 0.1


def test_two_laws(folder, capsys):
    code, out, _ = mixture(
        capsys, folder / "code.json", "--old-fit", folder / "web.json", *ASKED, "--json"
    )
    document = json.loads(out)
    assert code == 0
    assert document["replay"] == pytest.approx(expected(), abs=5e-3)
    assert document["lower"] <= document["replay"] <= document["upper"]
    assert document["binding"] is True
    assert document["range"] == [0.0, 1.0]


def test_ones_own_runs(folder, capsys):
    code, out, _ = mixture(capsys, "--runs", folder / "runs.csv", *TEXTS, *ASKED, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["replay"] == pytest.approx(expected(), abs=5e-3)
    code, out, _ = mixture(capsys, "--runs", folder / "runs.csv", *TEXTS, *ASKED)
    assert code == 0
    assert "limit 2.7000, which decides" in out
    assert "interpolated" in out


def test_a_limit_that_no_share_keeps_is_an_answer(folder, capsys):
    code, out, _ = mixture(
        capsys, "--runs", folder / "runs.csv", *TEXTS, "--tokens-stage2", "4e9",
        "--max-old-loss", "2.1",
    )  # fmt: skip
    assert code == 0
    assert "no share of replay between 0 % and 75 % keeps the old-domain loss" in out


def test_critical_mixture_ratios(capsys):
    code, out, _ = mixture(
        capsys, "--law", "gu2024-mixture-1.6b", "--tokens-stage2", "20B", "--json"
    )
    assert code == 0
    assert json.loads(out)["domain_share"] == pytest.approx(0.414, abs=1e-3)
    code, out, _ = mixture(
        capsys, "--law", "gu2024-mixture-460m", "--tokens-stage2", "1e8", "--json"
    )
    assert code == 3
    assert json.loads(out)["status"] == "undetermined"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (ASKED, "name one of FIT.json, --law PRESET and --runs TABLE"),
        (["--runs", "runs.csv", *ASKED], "needs the two texts"),
        (["--runs", "runs.csv", *TEXTS, "--tokens-stage2", "4e9"], "as --max-old-loss"),
        (["code.json", "--old-fit", "web.json", "--tokens-stage2", "4e9"], "as --max-old-loss"),
        (["code.json", "--new", "code", *ASKED], "--new goes with --runs"),
        (["code.json", *ASKED], "give two laws"),
        (["code.json", *ASKED], "(--old-fit)"),
        (["--law", "gu2024-mixture-940m", *ASKED], "--max-old-loss goes with a law of each"),
        (["--runs", "runs.csv", "--law", "besiroglu2024", *TEXTS, *ASKED], "in the place"),
        (["code.json", "--old-fit", "web.json", *ASKED, "--range", "0.5", "5"], "between 0 and 1"),
        (["--runs", "runs.csv", "--new", "code", "--old", "prose", *ASKED], "the table has code"),
    ],
)
def test_bad_usage_exits_2_in_one_line(folder, capsys, arguments, words):
    files = {"runs.csv", "code.json", "web.json"}
    arguments = [str(folder / one) if one in files else one for one in arguments]
    code, _, complaint = mixture(capsys, *arguments)
    assert code == 2
    assert words in complaint.replace("takes the place", "in the place")
    assert complaint.count("\n") == 1


def test_every_field_is_documented(folder, capsys):
    contract = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")
    for arguments in (
        ["--runs", folder / "runs.csv", *TEXTS, *ASKED],
        ["--law", "gu2024-mixture-1.6b", "--tokens-stage2", "20B"],
    ):
        _, out, _ = mixture(capsys, *arguments, "--json")
        document = json.loads(out)
        fields = [*document, *(field for mix in document.get("price", []) for field in mix)]
        assert [name for name in fields if f"`{name}`" not in contract] == []
