"""Opens a Hugging Face folder: configuration, shards and their heads, all checked first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.growth.checkpoint.carried import chat_signs
from bootlaw.growth.checkpoint.checkpoint import Checkpoint
from bootlaw.growth.checkpoint.header import Stored, read_header
from bootlaw.growth.checkpoint.refusals import (
    refuse_by_files,
    refuse_packed_tensors,
    refuse_quantised_config,
)
from bootlaw.growth.checkpoint.tied import without_tied_head

CONFIG = "config.json"
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_config.json"


def open_folder(
    folder: Path,
    *,
    origin: str,
    revision: str | None = None,
    stored: Mapping[str, Stored] | None = None,
) -> Checkpoint:
    """Return the checkpoint in a Hugging Face folder; no tensor is read.

    Parameters
    ----------
    folder
        With ``config.json`` and safetensors, single or sharded.
    origin
        How the user named it, for messages and receipts.
    revision
        Commit, where the folder is a download.
    stored
        What the weight files hold, where these are not in the folder; they cannot be read then.

    Raises
    ------
    InputError
        When something is missing, damaged, quantised, an adapter, pickled or GGUF.
    """
    # No resolving: the shards of a hub download are links, and the names beside them count.
    if stored is None:
        refuse_by_files([entry.name for entry in folder.iterdir()], origin)
    config = _read_object(folder / CONFIG, origin)
    refuse_quantised_config(config, origin)
    here = stored is None
    stored = _stored(folder, origin) if stored is None else stored
    refuse_packed_tensors(stored, origin)
    warnings = [
        f"{origin} may be tuned for chat ({', '.join(signs)}; some base models have this too): "
        "pretraining the grown model further on plain text undoes that; grow the base model if "
        "there is one"
        for signs in [chat_signs(folder, config)]
        if signs
    ]
    config, own_code = _without_own_code(config)
    if own_code:
        warnings.append(
            f"{origin} brings code of its own for the model ({own_code}); parent and grown model "
            "are taken for what transformers makes of them without it, and the grown model's "
            "config.json does not name it"
        )
    if (folder / ADAPTER).is_file():
        warnings.append(f"{origin} holds an adapter beside its weights, which is left out")
    if (folder / SINGLE).is_file() and (folder / INDEX).is_file():
        warnings.append(f"{origin} holds {SINGLE} and {INDEX}; {SINGLE} was read, as transformers")
    stored = without_tied_head(stored, config, origin, compare=here)
    return Checkpoint(folder, config, stored, origin, revision, tuple(warnings))


def _stored(folder: Path, origin: str) -> dict[str, Stored]:
    if (folder / SINGLE).is_file():
        return read_header(folder / SINGLE)
    if (folder / SINGLE).is_symlink():
        raise InputError(f"{folder / SINGLE} is a link to a file that is gone; download it again")
    if not (folder / INDEX).is_file():
        raise InputError(
            f"{origin} holds shards without {INDEX}; download or write the checkpoint again"
        )
    promised = _weight_map(folder / INDEX)
    shards = sorted(set(promised.values()))
    missing = [shard for shard in shards if not (folder / shard).is_file()]
    if missing:
        raise InputError(
            f"{origin} lacks {len(missing)} of {len(shards)} shards: {_few(missing)}; "
            "download or write them again"
        )
    return _united(folder, shards, promised)


def holds_all_weights(folder: Path) -> bool:
    """True where the weight files are there, every shard that the index names among them."""
    if (folder / SINGLE).is_file():
        return True
    if not (folder / INDEX).is_file():
        return False
    return all((folder / shard).is_file() for shard in set(_weight_map(folder / INDEX).values()))


def _without_own_code(config: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the configuration without ``auto_map`` for models, and the code that it named."""
    named = config.get("auto_map")
    if not isinstance(named, dict):
        return config, ""
    kept = {kind: code for kind, code in named.items() if kind == "AutoTokenizer"}
    left_out = sorted({str(code) for kind, code in named.items() if kind not in kept})
    rest = {key: value for key, value in config.items() if key != "auto_map"}
    return rest | ({"auto_map": kept} if kept else {}), ", ".join(left_out)


def _weight_map(index: Path) -> Mapping[str, str]:
    found = _read_object(index, str(index)).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise InputError(f"{index}: has no weight_map; download or write the checkpoint again")
    for shard in found.values():
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise InputError(f"{index}: names {shard!r}, which is no file beside it")
    return found


def _united(folder: Path, shards: list[str], promised: Mapping[str, str]) -> dict[str, Stored]:
    stored: dict[str, Stored] = {}
    for shard in shards:
        for name, entry in read_header(folder / shard).items():
            if name in stored:
                raise InputError(
                    f"{folder}: {name} is in {stored[name].file.name} and in {shard}; "
                    "these shards do not belong together"
                )
            stored[name] = entry
    lost = [name for name in promised if name not in stored]
    if lost:
        raise InputError(
            f"{folder}: {INDEX} promises {_few(lost)} in {promised[lost[0]]}, which does not hold "
            "it; these shards do not belong together, download them again"
        )
    return stored


def _read_object(file: Path, origin: str) -> dict[str, Any]:
    if not file.is_file():
        raise InputError(f"{origin} has no {file.name}: not a Hugging Face model folder")
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{file}: is not a JSON object")
    return found


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
