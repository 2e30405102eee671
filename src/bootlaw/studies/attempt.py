"""One attempt at one run: alone in its folder, its failure on record."""

from __future__ import annotations

import traceback

from bootlaw.errors import BootlawError, Interrupted
from bootlaw.studies.execute import Control, Workplace, execute
from bootlaw.studies.lock import sole_writer
from bootlaw.studies.nodes import RunNode


def attempt(node: RunNode, place: Workplace, control: Control) -> None:
    """Execute `node` while no other process writes its folder.

    Raises
    ------
    Interrupted
        When `control` asked to stop; what was trained is saved.
    BootlawError
        When the run fails, in one line that names it; the traceback is in its ``error.txt``.
    """
    try:
        with sole_writer(place.store(node.id).folder, control.stopping):
            _execute_on_record(node, place, control)
    except Interrupted:
        raise
    except Exception as error:
        raise BootlawError(f"{node.id}: {_one_line(error)}") from error


def use_one_thread() -> None:
    """Give torch one thread: at these sizes a second one makes every step slower."""
    import torch

    torch.set_num_threads(1)


def _execute_on_record(node: RunNode, place: Workplace, control: Control) -> None:
    store = place.store(node.id)
    try:
        store.clear_error()
        execute(node, place, control)
    except Interrupted:
        raise
    except Exception as error:
        store.write_error(f"{error}\n\n{traceback.format_exc()}")
        raise


def _one_line(error: Exception) -> str:
    line = str(error).strip().partition("\n")[0]
    return line if isinstance(error, BootlawError) else f"{type(error).__name__}: {line}"
