"""``bootlaw plan allocate`` as a program sees it."""

import json

import numpy as np
import pytest

from bootlaw.cli.main import main
from bootlaw.fitting import fit
from bootlaw.runs import read_runs

UPCYCLED, MOE = "liew2025-upcycling-upcycled", "liew2025-upcycling-moe"


def asked(capsys, *words):
    code = main(["plan", "allocate", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_budget_is_split_and_costed(capsys):
    code, out, err = asked(
        capsys, "--law", UPCYCLED, "--scratch", MOE, "--budget", "1e21", "--base-cost", "0.5",
        "--hardware", "h100", "--devices", "64", "--price", "2", "--json",
    )  # fmt: skip
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["status"] in ("ok", "tie")
    assert {document["route"], document["others"][0]["route"]} == {"reuse", "scratch"}
    hours = 1e21 / (989e12 * 0.4 * 3600)
    assert document["costs"]["total"]["money"] == pytest.approx(2 * hours)
    assert document["costs"]["total"]["days"] == pytest.approx(hours / 24 / 64)


def test_a_fit_on_disk_is_asked(tmp_path, capsys):
    d1, d2 = (axis.ravel() for axis in np.meshgrid([1e9, 4e9, 2e10], [1e9, 4e9, 2e10]))
    loss = 20 * d1**-0.05 * d2**-0.08 + 1.5
    table = read_runs({"tokens_stage1": d1, "tokens_stage2": d2, "loss": loss})
    path = tmp_path / "fit.json"
    fit(table, "multiplicative").save(path)
    code, out, _ = asked(capsys, str(path), "--budget", "3e10", "--unit", "tokens", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["tokens_stage1"] / document["tokens_stage2"] == pytest.approx(5 / 8, rel=1e-4)
    assert document["budget_in"] == "tokens"


@pytest.mark.parametrize("written", [f"up={UPCYCLED}:2", f"up={UPCYCLED}"])
def test_ways_of_reuse_stand_side_by_side(capsys, written):
    code, out, _ = asked(
        capsys, "--law", UPCYCLED, "--reuse", written, "--budget", "1e21", "--json"
    )
    document = json.loads(out)
    routes = [document, *document["others"]]
    assert code == 0
    assert sorted(plan["route"] for plan in routes) == ["reuse", "up"]


def test_words_name_the_plan_its_cost_and_its_caveats(capsys):
    code, out, _ = asked(capsys, "--law", "hoffmann2022", "--target-loss", "2.2")
    assert code == 0
    assert out.startswith("the least budget for a loss of 2.2: from scratch, ")
    assert "no interval: published coefficients" in out
    assert "6 N per token" in out


def test_no_plan_to_act_on_ends_with_3(capsys):
    code, out, _ = asked(capsys, "--law", "hoffmann2022", "--target-loss", "1.5", "--json")
    document = json.loads(out)
    assert code == 3
    assert document["status"] == "undetermined"
    assert "irreducible loss is 1.69" in document["reasons"][0]
    assert document["loss"] is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--law", "hoffmann2022"), "--budget"),
        (("--law", "hoffmann2022", "--budget", "1e20", "--target-loss", "2"), "not allowed"),
        (("--law", "hoffmann2022", "--budget", "0"), "above 0"),
        (("--law", "hoffmann2022", "--budget", "9", "--unit", "money"), "--hardware h100"),
        (("--law", UPCYCLED, "--reuse", "stack", "--budget", "1e20"), "stack=stack.json:2"),
        (("--budget", "1e20"), "FIT.json or --law PRESET"),
        (
            ("--law", "hoffmann2022", "--budget", "1e20", "--price", "2"),
            "--price is a setting of hardware",
        ),
    ],
)
def test_bad_usage_ends_with_2_and_one_line(capsys, words, complaint):
    code, out, err = asked(capsys, *words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1
