import pytest

from bootlaw.errors import BootlawError
from bootlaw.training import checkpoint
from bootlaw.training.checkpoint import (
    checkpoint_path,
    complete_steps,
    load_checkpoint,
    prune_checkpoints,
    save_checkpoint,
)
from bootlaw.training.model import build_model
from bootlaw.training.optimizer import OptimizerSpec, build_optimizer

pytestmark = pytest.mark.train


@pytest.fixture
def pair(tiny_model):
    model = build_model(tiny_model.config(), 0)
    return model, build_optimizer(model, OptimizerSpec())


def test_a_checkpoint_that_cannot_be_written_is_one_line(pair, tmp_path, monkeypatch):
    """torch's CheckpointException derives from BaseException: no handler caught it."""
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.api import CheckpointException

    def full(*_, **__):
        raise CheckpointException("save", {0: (OSError(28, "No space left on device"), None)})

    with monkeypatch.context() as patch:
        patch.setattr(dcp, "save", full)
        with pytest.raises(
            BootlawError, match="No space left on device; is the disk full"
        ) as caught:
            save_checkpoint(tmp_path, 1, *pair)
    assert "\n" not in str(caught.value)
    save_checkpoint(tmp_path, 1, *pair)
    assert complete_steps(tmp_path) == [1]


def test_ctrl_c_inside_torch_stays_ctrl_c(pair, tmp_path, monkeypatch):
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.api import CheckpointException

    def interrupted(*_, **__):
        raise CheckpointException("save", {0: (KeyboardInterrupt(), None)})

    monkeypatch.setattr(dcp, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, 1, *pair)


@pytest.mark.parametrize("name", [".metadata", "__0_0.distcp"])
def test_a_damaged_checkpoint_is_one_line_that_says_what_to_do(pair, tmp_path, name):
    save_checkpoint(tmp_path, 1, *pair)
    (checkpoint_path(tmp_path, 1) / name).write_bytes(b"")
    with pytest.raises(BootlawError, match="delete that folder") as caught:
        load_checkpoint(tmp_path, 1, *pair)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_never_saved(pair, tmp_path):
    """A run resumed from such a checkpoint could only fail again."""
    next(pair[0].parameters()).data.fill_(float("inf"))
    with pytest.raises(BootlawError, match=r"not finite at step 7; lower schedule\.peak_lr"):
        save_checkpoint(tmp_path, 7, *pair)
    assert not list(tmp_path.iterdir())


def test_a_deletion_cut_short_leaves_nothing_that_looks_complete(pair, tmp_path, monkeypatch):
    """A checkpoint half deleted kept its .metadata, and the next call tried to load it."""
    save_checkpoint(tmp_path, 1, *pair)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.shutil, "rmtree", lambda *_, **__: None)
        prune_checkpoints(tmp_path, keep=set())
    assert complete_steps(tmp_path) == []
    assert list(tmp_path.iterdir())
    prune_checkpoints(tmp_path, keep=set())
    assert not list(tmp_path.iterdir())
