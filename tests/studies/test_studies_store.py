import json

import numpy as np
import pytest

from bootlaw.errors import BootlawError, InputError
from bootlaw.studies.nodes import Evaluation
from bootlaw.studies.store import RunStore, Stretch, write_json
from bootlaw.studies.study import write_timings
from bootlaw.training.evaluation import HeldOutLoss

pytestmark = pytest.mark.train

DUE = Evaluation(3, "prose", 64)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "run").mkdir()
    return RunStore(tmp_path, "run")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_of_timings_cut_by_a_crash_does_not_swallow_the_next(store, end):
    """The next stretch was written onto the end of the broken line, and both were lost."""
    first, second = Stretch(0, 5, 1.0, "host"), Stretch(5, 9, 2.0, "host")
    store.add_stretch(first)
    path = store.folder / "timings.jsonl"
    path.write_text(path.read_text() + '{"first_step": 5, "last' + end)
    store.add_stretch(second)
    assert store.stretches() == [first, second]


def test_timings_that_cannot_be_written_fail_nothing(store):
    """On a full disk this hid the error that had filled it."""
    (store.folder / "timings.jsonl").mkdir()
    store.add_stretch(Stretch(0, 5, 1.0, "host"))
    (store.folder / "error.txt").mkdir()
    store.write_error("the disk is full")
    assert store.error_file is None


@pytest.mark.parametrize("losses", [[], [1.0, float("nan")], [[1.0]]])
def test_an_evaluation_counts_only_where_it_says_something(store, losses):
    store.write_evaluation(DUE, HeldOutLoss(np.array(losses, np.float32)))
    assert not store.has_evaluation(DUE)
    with pytest.raises(InputError, match="cannot be read as a held-out loss"):
        store.read_evaluation(DUE)


def test_an_evaluation_comes_back_as_it_was(store):
    losses = np.array([1.5, 2.5], np.float32)
    store.write_evaluation(DUE, HeldOutLoss(losses))
    assert (store.read_evaluation(DUE).sequence_losses == losses).all()
    assert [path.suffix for path in (store.folder / "evaluations").iterdir()] == [".npy"]


def test_json_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    import os

    path = tmp_path / "study.json"
    write_json(path, {"value": 1})

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BootlawError, match="No space left on device; is the disk full"):
        write_json(path, {"value": 2})
    assert json.loads(path.read_text()) == {"value": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_timings_with_a_comma_stay_in_their_column(tmp_path):
    write_timings(tmp_path / "timings.csv", [{"run": "a,b", "seconds": 1.5}])
    assert (tmp_path / "timings.csv").read_text() == 'run,seconds\n"a,b",1.5\n'
