import csv
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bootlaw.errors import BootlawError, InputError, Interrupted
from bootlaw.studies import parse_spec, run_study
from bootlaw.studies.lock import exclusive
from bootlaw.studies.spec import Levels

pytestmark = pytest.mark.train


def study(spec, out, texts, **options):
    options.setdefault("workers", 1)
    return run_study(
        spec,
        out,
        text=[str(texts[0])],
        cpt_text=[str(texts[1])] if spec.cpt else [],
        say=lambda _: None,
        **options,
    )


def rows(folder):
    with (folder / "runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, user_texts, tiny_text):
    out = tmp_path_factory.mktemp("study") / "out"
    result = study(parse_spec(tiny_text, "tiny.toml"), out, user_texts)
    return out, result


def test_every_cell_has_a_row_and_cpt_rows_also_know_the_old_text(finished):
    out, result = finished
    table = rows(out)
    assert result.runs_done == result.runs
    assert result.rows == len(table)
    cpt = [row for row in table if row["method"] == "cpt"]
    assert {row["eval_data"] for row in cpt} == {"first", "second"}
    assert {row["eval_data"] for row in table if row["method"] == "stack"} == {"first"}
    assert all(float(row["loss"]) > 0 for row in table)
    keys = [(row["run"], row["eval_data"]) for row in table]
    assert keys == sorted(set(keys))


def test_the_grown_model_starts_from_its_base(finished):
    """Stacking raises the loss at once, and training repairs it; an untrained model is far off."""
    out, _ = finished
    for row in rows(out):
        if row["method"] == "stack":
            assert float(row["loss_base"]) < 5
            assert float(row["loss_start"]) < 5.5


def test_the_base_is_loaded_and_not_drawn_anew(finished):
    """With equal text and seed, a base already trained beats starting over."""
    out, _ = finished
    table = rows(out)
    for row in table:
        if row["method"] == "stack" and row["seed"] == "0":
            scratch = next(
                other
                for other in table
                if other["method"] == "scratch"
                and other["params"] == row["params"]
                and other["seed"] == "0"
                and other["tokens_stage2"] == row["tokens_stage2"]
            )
            assert float(row["loss"]) < float(scratch["loss"])


def test_tokens_are_counted_and_sharing_saves_some(finished):
    out, result = finished
    with (out / "timings.csv").open(newline="") as file:
        timings = list(csv.DictReader(file))
    assert sum(int(row["tokens_trained"]) for row in timings) == result.tokens_trained
    assert result.tokens_trained < result.tokens_separate_runs


def test_the_seed_noise_is_reported_beside_the_sampling_error(finished):
    out, _ = finished
    noise = json.loads((out / "study.json").read_text())["noise"]
    assert {item["method"] for item in noise} == {"scratch", "cpt", "stack"}
    for item in noise:
        assert item["seed_sd"] > 0
        assert item["paired_error"] > 0


def test_the_same_call_again_trains_nothing(finished, user_texts, tiny_spec):
    out, first = finished
    before = (out / "runs.csv").read_bytes()
    again = study(tiny_spec, out, user_texts)
    assert again.tokens_trained == first.tokens_trained
    assert (out / "runs.csv").read_bytes() == before


def test_more_levels_train_only_what_is_new(finished, user_texts, tiny_spec, tmp_path):
    out, first = finished
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    more = replace(tiny_spec, cpt=Levels((640, 960, 1280)))
    result = study(more, copy, user_texts)
    # Three second-stage trunks and two scratch ones gain one cooldown of 3 steps each, and reach
    # back to an earlier checkpoint for its start.
    assert 0 < result.tokens_trained - first.tokens_trained < 64 * 5 * (3 + 12)
    old = {row["run"]: row["loss"] for row in rows(out)}
    new = {row["run"]: row["loss"] for row in rows(copy)}
    assert old.items() <= new.items()


class _StopAfter:
    """Stops a study after so many reports, as Ctrl-C would."""

    def __init__(self, reports):
        self.left = reports

    def __call__(self, *_, **__):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("reports", [1, 5, 12])
def test_interrupting_and_starting_again_gives_the_same_table(
    finished, user_texts, tiny_spec, tmp_path, monkeypatch, reports
):
    from bootlaw.studies.progress import ProgressLine

    with monkeypatch.context() as patch:
        patch.setattr(ProgressLine, "update", _StopAfter(reports))
        with pytest.raises(Interrupted, match="the same command continues"):
            study(tiny_spec, tmp_path / "out", user_texts)
    study(tiny_spec, tmp_path / "out", user_texts)
    assert (tmp_path / "out" / "runs.csv").read_bytes() == (finished[0] / "runs.csv").read_bytes()


def test_killing_the_process_loses_nothing_and_changes_nothing(
    finished, user_texts, tiny_text, tmp_path
):
    spec_file = tmp_path / "tiny.toml"
    spec_file.write_text(tiny_text, "utf-8")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "bootlaw.cli.main", "study", str(spec_file), "--out", str(out)]
    command += ["--text", str(user_texts[0]), "--cpt-text", str(user_texts[1]), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "runs.csv").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert (out / "runs.csv").exists()

    study(parse_spec(tiny_text, "tiny.toml"), out, user_texts)
    assert (out / "runs.csv").read_bytes() == (finished[0] / "runs.csv").read_bytes()


def test_two_workers_give_the_same_table_as_one(finished, user_texts, tiny_spec, tmp_path):
    study(tiny_spec, tmp_path / "out", user_texts, workers=2)
    assert (tmp_path / "out" / "runs.csv").read_bytes() == (finished[0] / "runs.csv").read_bytes()
    assert not multiprocessing.active_children()


def test_a_failed_run_blocks_only_its_descendants(user_texts, stack_only, tmp_path, monkeypatch):
    from bootlaw.studies import attempt

    real = attempt.execute

    def failing(node, place, control):
        if node.label == "stack-s0-d1_1.28k":
            raise RuntimeError("no memory left")
        real(node, place, control)

    with monkeypatch.context() as patch:
        patch.setattr(attempt, "execute", failing)
        with pytest.raises(BootlawError, match="no memory left") as caught:
            study(stack_only, tmp_path / "out", user_texts)
    assert "2 run(s) wait" in str(caught.value)
    done = {row["run"].rpartition("-")[0] for row in rows(tmp_path / "out")}
    assert "stack-s0-d1_2.56k-d2_640" in done
    assert "stack-s0-d1_1.28k-d2_640" not in done

    result = study(stack_only, tmp_path / "out", user_texts)
    assert result.runs_done == result.runs


def test_a_folder_with_another_study_is_refused_by_field(finished, user_texts, tiny_spec):
    out, _ = finished
    before = (out / "runs.csv").read_bytes()
    other = replace(tiny_spec, schedule=replace(tiny_spec.schedule, peak_lr=0.5))
    with pytest.raises(InputError, match=r"schedule\.peak_lr = 0\.01, this one asks 0\.5"):
        study(other, out, user_texts)
    assert (out / "runs.csv").read_bytes() == before


def test_a_dry_run_trains_nothing_and_shows_what_would_be_new(
    finished, user_texts, tiny_spec, tmp_path
):
    result = study(tiny_spec, tmp_path / "out", user_texts, dry_run=True)
    assert result.dry_run is not None
    assert "new" in result.dry_run
    assert not (tmp_path / "out" / "runs").exists()
    assert not (tmp_path / "out" / "runs.csv").exists()
    done = study(tiny_spec, finished[0], user_texts, dry_run=True)
    assert done.dry_run is not None
    assert "new" not in done.dry_run.replace("nothing", "")


def test_a_folder_where_another_process_trains_is_refused(user_texts, tiny_spec, tmp_path):
    with exclusive(tmp_path), pytest.raises(InputError, match="is training here"):
        study(tiny_spec, tmp_path, user_texts)


def test_an_output_that_cannot_be_a_folder_is_refused(user_texts, tiny_spec, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        study(tiny_spec, tmp_path / "file", user_texts)


def test_no_workers_are_refused(user_texts, tiny_spec, tmp_path):
    with pytest.raises(InputError, match="at least 1"):
        study(tiny_spec, tmp_path, user_texts, workers=0)


def test_text_for_a_method_that_is_not_there_is_refused(user_texts, stack_only, tmp_path):
    with pytest.raises(InputError, match="no \\[cpt\\] table"):
        run_study(stack_only, tmp_path, cpt_text=[str(user_texts[1])], say=lambda _: None)
