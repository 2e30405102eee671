import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_study import TINY_MODEL

from bootlaw.errors import BootlawError, Interrupted
from bootlaw.studies import attempt, execute, executor, parse_spec, run_study
from bootlaw.studies.crew import Crew, Death, Ended
from bootlaw.studies.deaths import Deaths, cause
from bootlaw.studies.execute import Workplace
from bootlaw.studies.nodes import Evaluation
from bootlaw.studies.store import RunStore
from bootlaw.training.checkpoint import checkpoint_path
from bootlaw.training.evaluation import HeldOutLoss

pytestmark = pytest.mark.train

PATIENCE_SECONDS = 120

SMALL = f"""
name = "small"
{TINY_MODEL}
[evaluation]
held_out_tokens = 512
forgetting_tokens = 512
[stage1]
tokens = [1280, 2560]
[stack]
tokens = [640, 1280]
"""


def study(out, texts, workers=1, say=lambda _: None, **options):
    spec = parse_spec(SMALL, "small.toml")
    return run_study(spec, out, text=[str(texts[0])], workers=workers, say=say, **options)


def table(out):
    return (out / "runs.csv").read_bytes()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, user_texts):
    out = tmp_path_factory.mktemp("small") / "out"
    study(out, user_texts)
    return out


class _Killer:
    """Stands in for `Crew.give`: kills a worker that waits for work, later one that works."""

    def __init__(self):
        self.real, self.killed = Crew.give, []

    def __call__(self, crew, node, place):
        rested = [worker for worker in crew._workers if worker.ready and worker.node is None]
        if rested and not self.killed:
            self._kill(rested[0])
        self.real(crew, node, place)
        if rested and len(self.killed) == 1 and rested[0].process.pid not in self.killed:
            self._kill(next(worker for worker in crew._workers if worker.node is node))

    def _kill(self, worker):
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.join()
        self.killed.append(worker.process.pid)


def test_killed_workers_are_replaced_and_nothing_changes(
    finished, user_texts, tmp_path, monkeypatch
):
    """One dead worker hung the study for ever: the survivors were waited for without limit."""
    killer = _Killer()
    monkeypatch.setattr(Crew, "give", lambda *given: killer(*given))
    said = []
    study(tmp_path / "out", user_texts, workers=2, say=said.append)
    assert len(killer.killed) == 2
    assert sum("was killed by SIGKILL" in note for note in said) == 2
    assert table(tmp_path / "out") == table(finished)
    assert not multiprocessing.active_children()


def _processes():
    """Return parent and state of every process of this machine."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            found[int(entry.name)] = (int(parent), state)
    return found


def _alive(pid):
    return _processes().get(pid, (0, "Z"))[1] not in "ZX"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_killing_the_parent_ends_its_workers_and_loses_nothing(finished, user_texts, tmp_path):
    """The workers of a killed study lived for ever, and one could write beside a restart."""
    (tmp_path / "small.toml").write_text(SMALL, "utf-8")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "bootlaw.cli.main", "study", str(tmp_path / "small.toml")]
    command += ["--out", str(out), "--text", str(user_texts[0]), "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_until(lambda: (out / "timings.csv").exists() or process.poll() is not None)
    children = [pid for pid, (parent, _) in _processes().items() if parent == process.pid]
    process.kill()
    process.wait()
    assert children
    study(out, user_texts)
    assert table(out) == table(finished)
    wait_until(lambda: not any(_alive(pid) for pid in children))


class _FakeCrew:
    """Trains in this process; the worker of a run named `deadly` dies every time."""

    free = 1

    def __init__(self, _size, deadly="none"):
        self.deadly, self.given, self.closed = deadly, [], False

    @property
    def busy(self):
        return bool(self.given)

    def give(self, node, place):
        self.given.append((node, place))

    def events(self, _timeout):
        while self.given:
            node, place = self.given.pop()
            if node.label == self.deadly:
                yield Death(node, -signal.SIGKILL)
                continue
            attempt.attempt(node, place, self)
            yield Ended(node, None)

    def stopping(self):
        return False

    def add_cost(self, flops, tokens):
        pass

    def close(self):
        self.closed = True


def test_an_error_beside_the_workers_ends_them_at_once(user_texts, tmp_path, monkeypatch):
    """An error while the table was written left the workers training on to the end."""
    from bootlaw.studies import study as module

    crew = _FakeCrew(2)
    monkeypatch.setattr(executor, "Crew", lambda _: crew)
    real = module._write_tables

    def fail_once(_):
        monkeypatch.setattr(module, "_write_tables", real)
        raise BootlawError("no table today")

    monkeypatch.setattr(module, "_write_tables", fail_once)
    with pytest.raises(BootlawError, match="no table today"):
        study(tmp_path / "out", user_texts, workers=2)
    assert crew.closed


def test_a_run_that_kills_every_worker_fails_alone(user_texts, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(executor, "Crew", lambda size: _FakeCrew(size, "stack-s0-d1_1.28k"))
        with pytest.raises(BootlawError, match=r"stack-s0-d1_1\.28k-.* SIGKILL .*free memory"):
            study(tmp_path / "out", user_texts, workers=2)
    failed = next((tmp_path / "out" / "runs").glob("stack-s0-d1_1.28k-*/error.txt"))
    assert "SIGKILL" in failed.read_text()
    result = study(tmp_path / "out", user_texts)
    assert result.runs_done == result.runs
    assert not failed.exists()


def test_ctrl_c_stops_the_workers_and_the_same_call_continues(
    finished, user_texts, tmp_path, monkeypatch
):
    from bootlaw.studies import study as module

    real = module._write_tables

    def interrupt_once(given):
        real(given)
        patch.undo()
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_tables", interrupt_once)
        with pytest.raises(Interrupted, match="the same command continues"):
            study(tmp_path / "out", user_texts, workers=2)
    assert not multiprocessing.active_children()
    study(tmp_path / "out", user_texts)
    assert table(tmp_path / "out") == table(finished)


def test_a_script_without_a_main_guard_is_told_so(user_texts, tmp_path):
    """Workers that cannot start were replaced again and again, and called out of memory."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            from bootlaw.studies import parse_spec, run_study
            spec = parse_spec({SMALL!r}, "small.toml")
            run_study(spec, {str(tmp_path / "out")!r}, text=[{str(user_texts[0])!r}], workers=2)
            """
        )
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert "could not start" in last
    assert "__main__" in last


class _Run:
    """As much of a run as the counter of deaths looks at."""

    id = "run"
    checkpoints = (2, 4)
    evaluations = (Evaluation(2, "prose", 64),)


def test_a_run_is_given_up_after_three_deaths_without_progress(tmp_path):
    place = Workplace(RunStore(tmp_path, ""), {})
    deaths, death = Deaths(place), Death(_Run(), -signal.SIGKILL)
    assert [deaths.too_many(death), deaths.too_many(death)] == [False, False]
    saved = checkpoint_path(place.store("run").checkpoints, 1)
    saved.mkdir(parents=True)
    (saved / ".metadata").touch()
    assert [deaths.too_many(death) for _ in range(3)] == [False, False, True]


def test_the_way_a_worker_died_is_said():
    assert cause(Death(_Run(), -signal.SIGKILL)) == "was killed by SIGKILL (out of memory?)"
    assert cause(Death(_Run(), -signal.SIGSEGV)) == "was killed by SIGSEGV"
    assert cause(Death(_Run(), 3)) == "ended with exit code 3"


def test_a_full_disk_is_one_line_and_the_same_call_continues(
    finished, user_texts, tmp_path, monkeypatch
):
    """torch's error for a checkpoint that cannot be written is no `Exception`: it escaped all."""
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.api import CheckpointException

    def full(*_, **__):
        raise CheckpointException("save", {0: (OSError(28, "No space left on device"), None)})

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(dcp, "save", full)
        with pytest.raises(
            BootlawError, match="No space left on device; is the disk full"
        ) as caught:
            study(out, user_texts)
    assert "\n" not in str(caught.value)
    study(out, user_texts)
    assert table(out) == table(finished)


@contextlib.contextmanager
def largest_file(size):
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def test_a_refusal_of_the_system_is_met_with_one_line(finished, user_texts, tmp_path):
    """The same with a real refusal: no file may grow beyond 16 KiB."""
    out = tmp_path / "out"
    # The text itself is larger than that.
    study(out, user_texts, dry_run=True)
    with largest_file(16 * 1024), pytest.raises(BootlawError, match="is the disk full") as caught:
        study(out, user_texts)
    assert "\n" not in str(caught.value)
    study(out, user_texts)
    assert table(out) == table(finished)


def test_steps_are_on_record_whenever_they_are_saved(finished, user_texts, tmp_path, monkeypatch):
    """Steps were counted at the end of a run only: a killed process left hours out."""
    monkeypatch.setattr(execute, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    monkeypatch.setattr(execute._Watch, "close", lambda *_: None)
    result = study(tmp_path / "out", user_texts)
    assert result.tokens_trained == study(finished, user_texts).tokens_trained
    assert table(tmp_path / "out") == table(finished)


def test_a_loss_that_is_not_finite_is_no_result():
    """Losses of nan went into the table."""
    loss = HeldOutLoss(np.array([1.0, np.nan], np.float32))
    with pytest.raises(BootlawError, match=r"step 2; lower schedule\.peak_lr"):
        execute._finite(loss, Evaluation(2, "prose", 64))


def test_a_damaged_evaluation_is_measured_again(finished, user_texts, tmp_path):
    """Any file counted as a finished evaluation, an empty one too."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    damaged = sorted((out / "runs").glob("stack-*-d2_640-*/evaluations/*.npy"))[:2]
    damaged[0].write_bytes(b"")
    damaged[1].write_bytes(damaged[1].read_bytes()[:-4])
    result = study(out, user_texts)
    assert result.runs_done == result.runs
    assert table(out) == table(finished)


def test_a_failed_run_is_shown_as_one_to_retry(finished, user_texts, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no luck\nat all")

    with monkeypatch.context() as patch:
        patch.setattr(attempt, "execute", fail)
        with pytest.raises(BootlawError, match="RuntimeError: no luck") as caught:
            study(tmp_path / "out", user_texts)
    assert "\n" not in str(caught.value)
    plan = study(tmp_path / "out", user_texts, dry_run=True).dry_run
    assert plan is not None
    assert any(line.startswith("retry") for line in plan.splitlines())
    study(tmp_path / "out", user_texts)
    assert table(tmp_path / "out") == table(finished)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs CPU affinity")
def test_by_default_there_are_as_many_workers_as_granted_cores(user_texts, tmp_path, monkeypatch):
    """A container with two cores of a large machine started a worker for each of them all."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    said = []
    study(tmp_path / "out", user_texts, workers=None, say=said.append)
    assert any("on 1 worker(s)" in note for note in said)


def test_there_are_never_more_workers_than_runs(user_texts, tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "Crew", _FakeCrew)
    said = []
    result = study(tmp_path / "out", user_texts, workers=10_000, say=said.append)
    assert any(f"on {result.runs} worker(s)" in note for note in said)
