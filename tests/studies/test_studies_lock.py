import errno
import fcntl

import pytest

from bootlaw.errors import BootlawError, InputError, Interrupted
from bootlaw.studies import lock


def test_a_run_has_one_writer(tmp_path, monkeypatch):
    """An orphaned worker could write beside the worker of a restarted study."""
    monkeypatch.setattr(lock, "_SECONDS_TO_WAIT_FOR_A_RUN", 0.0)
    with (
        lock.sole_writer(tmp_path, lambda: False),
        pytest.raises(BootlawError, match=r"process \d+ still writes .* start the same command"),
        lock.sole_writer(tmp_path, lambda: False),
    ):
        pass


def test_the_next_writer_waits_for_the_former(tmp_path, monkeypatch):
    former = lock.sole_writer(tmp_path, lambda: False)
    former.__enter__()
    monkeypatch.setattr(lock.time, "sleep", lambda _: former.__exit__(None, None, None))
    with lock.sole_writer(tmp_path, lambda: False):
        pass


def test_waiting_ends_with_the_wish_to_stop(tmp_path):
    with (
        lock.sole_writer(tmp_path, lambda: False),
        pytest.raises(Interrupted),
        lock.sole_writer(tmp_path, lambda: True),
    ):
        pass


def test_a_file_system_without_locks_is_not_called_another_process(tmp_path, monkeypatch):
    """Any error of flock was reported as "another process is training here"."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(InputError, match="No locks available"), lock.exclusive(tmp_path):
        pass
