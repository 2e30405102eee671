"""Checkpoints in and out: Hugging Face folders, streamed; the hub; our own training's."""

from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.fingerprint import HASHES, fingerprint
from bootlaw.growth.checkpoint.shards import DEFAULT_SHARD_SIZE, parse_size
from bootlaw.growth.checkpoint.source import open_checkpoint
from bootlaw.growth.checkpoint.training_state import (
    TrainingCheckpoint,
    is_training_checkpoint,
    open_training_checkpoint,
)
from bootlaw.growth.checkpoint.training_writer import write_grown_training
from bootlaw.growth.checkpoint.writer import Written, new_tensors, write_grown

__all__ = [
    "DEFAULT_SHARD_SIZE",
    "HASHES",
    "Checkpoint",
    "TrainingCheckpoint",
    "Written",
    "fingerprint",
    "is_training_checkpoint",
    "new_tensors",
    "open_checkpoint",
    "open_training_checkpoint",
    "parse_size",
    "write_grown",
    "write_grown_training",
]
