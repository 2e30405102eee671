import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint.publish import leftovers, new_folder


def test_the_folder_appears_when_the_block_ends(tmp_path):
    out = tmp_path / "deep" / "out"
    with new_folder(out, 10) as partial:
        (partial / "file").write_text("words")
        assert partial.name.startswith(".out.partial-")
        assert not out.exists()
    assert (out / "file").read_text() == "words"
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_block_leaves_nothing(tmp_path, error):
    def failing():
        with new_folder(tmp_path / "out", 10) as partial:
            (partial / "config.json").write_text("{}")
            raise error

    with pytest.raises(error):
        failing()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_says_so(tmp_path):
    def full():
        with new_folder(tmp_path / "out", 10) as partial:
            (partial / "file").write_text("words")
            raise OSError(28, "No space left on device")

    with pytest.raises(BootlawError, match="No space left on device; nothing was left"):
        full()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000_000))
    with (
        pytest.raises(BootlawError, match=r"needs 3,015\.0 MB, the disk has 3,000\.0 MB free"),
        new_folder(tmp_path / "out", 2_999_000_000),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "broken link"])
def test_an_existing_target_is_refused_and_kept(tmp_path, kind):
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="exists already"), new_folder(out, 10):
        pass
    assert list(tmp_path.iterdir()) == [out]


def test_a_target_that_appears_meanwhile_is_kept(tmp_path):
    out = tmp_path / "out"

    def overtaken():
        with new_folder(out, 10):
            out.mkdir()
            (out / "theirs").write_text("")

    with pytest.raises(BootlawError, match="cannot write"):
        overtaken()
    assert [entry.name for entry in out.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [out]


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_goes_with_the_next_try(tmp_path):
    host = socket.gethostname()
    stale = tmp_path / f".out.partial-{host}-{dead_process()}"
    others = [
        tmp_path / ".out.partial-elsewhere-1",
        tmp_path / f".out.partial-{host}-1",
        tmp_path / f".outer.partial-{host}-{dead_process()}",
    ]
    for folder in (stale, *others):
        folder.mkdir()
    assert leftovers(tmp_path / "out") == [stale]

    with new_folder(tmp_path / "out", 10):
        pass

    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "out", *others])


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "notes").write_text("")
    place = tmp_path / "notes" / "deep" / "out"
    with pytest.raises(InputError, match="notes is a file"), new_folder(place, 1):
        pass
