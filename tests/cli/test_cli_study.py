import json
import os
import stat

import numpy as np
import pytest
from tiny_study import TINY_MODEL

from bootlaw.cli.main import main

SPEC = f"""
name = "tiny"
{TINY_MODEL}
[evaluation]
held_out_tokens = 1024
forgetting_tokens = 512
[stage1]
tokens = [1280, 2560, 5120]
[stack]
tokens = [640, 1280, 1920]
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(SPEC, "utf-8")
    return path


@pytest.fixture
def text(tmp_path):
    folder = tmp_path / "text"
    folder.mkdir()
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("etaoinsh"), 4)) for _ in range(50)]
    for number in range(60):
        body = ". ".join(" ".join(rng.choice(words, 8)) for _ in range(20))
        (folder / f"{number}.txt").write_text(body, "utf-8")
    return folder


def run(capsys, *arguments):
    code = main(["study", *map(str, arguments), "--json", "--workers", "1"])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_a_study_trains_fits_and_writes_its_page(capsys, spec, text, tmp_path):
    out = tmp_path / "out"
    code, document, _ = run(capsys, spec, "--out", out, "--text", text)
    assert code == 0
    assert document["runs"]["done"] == document["runs"]["all"]
    assert (out / "runs.csv").is_file()
    assert document["report"] == str(out / "report.html")
    assert "<svg" in (out / "report.html").read_text("utf-8")
    assert document["tokens"]["trained"] < document["tokens"]["separate_runs"]

    code, again, _ = run(capsys, spec, "--out", out, "--text", text)
    assert code == 0
    assert again["tokens"]["trained"] == document["tokens"]["trained"]


def test_a_dry_run_shows_the_graph(capsys, spec, text, tmp_path):
    code, document, _ = run(capsys, spec, "--out", tmp_path / "out", "--text", text, "--dry-run")
    assert code == 0
    assert document["status"] == "planned"
    assert any("base-s0" in line for line in document["graph"])
    assert not (tmp_path / "out" / "runs.csv").exists()


def check_refused(capsys, message, *arguments):
    code, document, err = run(capsys, *arguments)
    assert code == 2
    assert document["exit_code"] == 2
    assert message in document["error"]
    assert err.count("\n") == 1
    assert err.startswith("bootlaw study: ")


def test_a_missing_text_is_refused(capsys, spec, tmp_path):
    missing = tmp_path / "nowhere"
    check_refused(capsys, str(missing), spec, "--out", tmp_path / "out", "--text", missing)


def test_an_empty_corpus_is_refused(capsys, spec, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    check_refused(capsys, str(empty), spec, "--out", tmp_path / "out", "--text", empty)


def test_an_unknown_key_is_refused(capsys, spec, text, tmp_path):
    spec.write_text(SPEC.replace("layers", "layer"), "utf-8")
    check_refused(capsys, "model.layer", spec, "--out", tmp_path / "out", "--text", text)


def test_an_unknown_preset_is_refused(capsys, tmp_path):
    check_refused(capsys, "smoke, quick, full", "quikc", "--out", tmp_path / "out")


def test_an_output_below_a_file_is_refused(capsys, spec, text, tmp_path):
    (tmp_path / "file").write_text("x")
    check_refused(capsys, "cannot be written", spec, "--out", tmp_path / "file/out", "--text", text)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_is_refused(capsys, spec, text, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    check_refused(capsys, "cannot be written", spec, "--out", locked / "out", "--text", text)
