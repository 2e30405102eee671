"""Repositories of the Hugging Face hub, through `huggingface_hub` and its cache."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint.carried import CARRIED
from bootlaw.growth.checkpoint.refusals import is_weight_file, refuse_by_files

_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*(/[\w.-]+)?$")
_WANTED = ("config.json", "adapter_config.json", "model*.safetensors", "*.safetensors.index.json")


def is_hub_id(name: str) -> bool:
    """True where `name` could be a repository: OWNER/NAME, or NAME for the oldest ones."""
    return bool(_HUB_ID.match(name))


def download(repository: str, revision: str | None) -> Path:
    """Return the folder of a repository in the local cache, downloaded as far as needed.

    Parameters
    ----------
    repository
        OWNER/NAME.
    revision
        Branch, tag or commit; None for the main branch.

    Raises
    ------
    InputError
        When there is no such repository or revision, access is not granted, or it holds no
        weights in safetensors.
    BootlawError
        When the hub cannot be reached and the cache does not hold it.
    """
    from huggingface_hub import errors, snapshot_download

    where = repository if revision is None else f"{repository} at revision {revision}"
    try:
        folder = snapshot_download(
            repository, revision=revision, allow_patterns=[*_WANTED, *CARRIED]
        )
    except errors.GatedRepoError as error:
        raise InputError(
            f"{where} is gated: accept its terms on its page, then log in with `hf auth login`"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"the hub's {repository} has no revision {revision}") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise InputError(
            f"{where}: no such folder here, and no such repository on the hub (or a private one: "
            "log in with `hf auth login`)"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise BootlawError(_unreachable(where)) from error
    except Exception as error:
        # Beyond its own errors the library passes on those of its HTTP client, which changes.
        words = str(error).strip().partition("\n")[0]
        name = type(error).__name__
        raise BootlawError(f"{where}: the download failed ({name} {words})") from error
    _refuse_unreadable(Path(folder), repository, revision, where)
    return Path(folder)


def _unreachable(where: str) -> str:
    return (
        f"{where}: no such folder here, and the hub cannot be reached (offline, or HF_HUB_OFFLINE "
        "is set) while the cache does not hold it; download it where there is a network "
        "(`hf download`), then give the folder"
    )


def _refuse_unreadable(folder: Path, repository: str, revision: str | None, where: str) -> None:
    """Say what a repository without safetensors holds instead; its list is asked for only then."""
    from huggingface_hub import HfApi

    names = [entry.name for entry in folder.iterdir()]
    if any(is_weight_file(name) for name in names) or "adapter_config.json" in names:
        return
    with suppress(Exception):
        names = HfApi().list_repo_files(repository, revision=revision)
    refuse_by_files(names, where)
