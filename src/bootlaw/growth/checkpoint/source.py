"""From what a user names to an opened checkpoint: a folder, or a repository of the hub."""

from __future__ import annotations

from pathlib import Path

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.folder import open_folder
from bootlaw.growth.checkpoint.hub import cached, download, is_hub_id, remote_heads


def open_checkpoint(
    source: str | Path, revision: str | None = None, *, heads_only: bool = False
) -> Checkpoint:
    """Return the checkpoint that `source` names; no tensor is read.

    Parameters
    ----------
    source
        A Hugging Face folder, or OWNER/NAME on the hub (its cache is used). A folder of that
        name comes first.
    revision
        Branch, tag or commit of a hub repository.
    heads_only
        Whether names, shapes and types of the tensors will do: what the cache does not hold whole
        is then not downloaded, and cannot be read.

    Raises
    ------
    InputError
        When there is nothing of that name, or it cannot be grown as it is: damaged, quantised,
        an adapter, pickled, GGUF.
    BootlawError
        When the hub cannot be reached.
    """
    folder = Path(source).expanduser()
    if folder.is_file():
        raise InputError(_no_folder(folder))
    if folder.is_dir():
        if revision is not None:
            raise InputError(f"{source} is a folder; --revision belongs to a hub repository")
        return open_folder(folder, origin=str(source))
    if isinstance(source, Path) or not is_hub_id(source):
        raise InputError(f"{source}: no such folder, and no hub repository (OWNER/NAME)")
    named = source if revision is None else f"{source}@{revision}"
    snapshot = cached(source, revision) if heads_only else download(source, revision)
    stored = None
    if snapshot is None:
        snapshot = download(source, revision, weights=False)
        stored = remote_heads(source, snapshot.name, snapshot)
    # The cache names a snapshot by its commit.
    return open_folder(snapshot, origin=named, revision=snapshot.name, stored=stored)


def _no_folder(file: Path) -> str:
    if file.suffix == ".gguf":
        return (
            f"{file} is a GGUF file, packed for inference; grow the original checkpoint, "
            "a folder with safetensors"
        )
    return f"{file} is a file; give the folder with its config.json"
