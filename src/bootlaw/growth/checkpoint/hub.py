"""Repositories of the Hugging Face hub, through `huggingface_hub` and its cache."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bootlaw.errors import BootlawError, InputError
from bootlaw.growth.checkpoint.carried import CARRIED
from bootlaw.growth.checkpoint.folder import holds_all_weights
from bootlaw.growth.checkpoint.header import Stored, stored_entry
from bootlaw.growth.checkpoint.refusals import is_weight_file, refuse_by_files

_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*(/[\w.-]+)?$")
_CONFIGURATION = ("config.json", "adapter_config.json")
_WANTED = (*_CONFIGURATION, "model*.safetensors", "*.safetensors.index.json")


def is_hub_id(name: str) -> bool:
    """True where `name` could be a repository: OWNER/NAME, or NAME for the oldest ones."""
    return bool(_HUB_ID.match(name))


def download(repository: str, revision: str | None, *, weights: bool = True) -> Path:
    """Return the folder of a repository in the local cache, downloaded as far as needed.

    Parameters
    ----------
    repository
        OWNER/NAME.
    revision
        Branch, tag or commit; None for the main branch.
    weights
        Whether the weights are wanted too, not only configuration and tokenizer.

    Raises
    ------
    InputError
        When there is no such repository or revision, access is not granted, or it holds no
        weights in safetensors.
    BootlawError
        When the hub cannot be reached and the cache does not hold it.
    """
    from huggingface_hub import snapshot_download

    patterns = [*(_WANTED if weights else _CONFIGURATION), *CARRIED]
    where = repository if revision is None else f"{repository} at revision {revision}"
    with _said_in_our_words(repository, revision, where):
        folder = Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
    if weights:
        _refuse_unreadable(folder, repository, revision, where)
    return folder


def cached(repository: str, revision: str | None) -> Path | None:
    """Return the folder of a repository that the local cache holds whole, or none."""
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(repository, revision=revision, local_files_only=True)
    except Exception:  # whatever stands in the way, the hub is asked next and says it
        return None
    return Path(found) if holds_all_weights(Path(found)) else None


def remote_heads(repository: str, commit: str, folder: Path) -> dict[str, Stored]:
    """Return what the weight files of a repository hold, of which only the heads are fetched.

    Parameters
    ----------
    repository
        OWNER/NAME.
    commit
        The revision.
    folder
        Where the files would lie once downloaded.

    Raises
    ------
    InputError
        When it holds no weights in safetensors.
    BootlawError
        When the hub cannot be reached.
    """
    from huggingface_hub import HfApi, errors

    try:
        with _said_in_our_words(repository, commit, repository):
            found = HfApi().get_safetensors_metadata(repository, revision=commit)
    except errors.NotASafetensorsRepoError:
        _refuse_unreadable(folder, repository, commit, repository)
        refuse_by_files([entry.name for entry in folder.iterdir()], repository)
        raise
    return {
        name: stored_entry(folder / file, 0, name, vars(tensor))
        for file, head in found.files_metadata.items()
        for name, tensor in head.tensors.items()
    }


@contextmanager
def _said_in_our_words(repository: str, revision: str | None, where: str) -> Iterator[None]:
    """Turn the hub's errors into ours, but for that of a repository without safetensors."""
    from huggingface_hub import errors

    try:
        yield
    except errors.NotASafetensorsRepoError:
        raise
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
