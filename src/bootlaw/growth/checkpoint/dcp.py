"""torch's distributed-checkpoint module, its failures as ordinary exceptions."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootlaw.errors import reason


class DcpError(Exception):
    """What the distributed-checkpoint module raised, as an ordinary exception."""


@contextmanager
def quiet_dcp() -> Iterator[Any]:
    """Give the distributed-checkpoint module, quiet about a single process.

    Raises
    ------
    DcpError
        For its ``CheckpointException``, which is no ``Exception``, with the words of the failure
        inside it.
    """
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.api import CheckpointException

    logger = logging.getLogger("torch.distributed.checkpoint")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield dcp
    except CheckpointException as error:
        cause, _ = next(iter(error.failures.values()), (error, None))
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise DcpError(reason(cause)) from error
    except RuntimeError as error:
        raise DcpError(reason(error)) from error
    finally:
        logger.setLevel(level)
