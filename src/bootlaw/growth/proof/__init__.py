"""Proof on the spot: parent and grown model on one fixed batch, before the result is published."""

from bootlaw.growth.proof.batch import Batch, fixed_batch
from bootlaw.growth.proof.check import CheckReport, check_growth

__all__ = ["Batch", "CheckReport", "check_growth", "fixed_batch"]
