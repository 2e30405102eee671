"""The texts of a study: prepared once, extended when a longer level asks for more, never swapped.

A trained study keeps, in ``study.json``, the size and the SHA-256 of every text it was trained on.
Text for a further call is prepared beside the old one and takes its place only where the old one
is its beginning: with other text every run would be another run.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.studies.grid import CPT, STAGE1, text_needed
from bootlaw.studies.nodes import TextFiles
from bootlaw.studies.spec import StudySpec
from bootlaw.studies.store import read_json
from bootlaw.training.text import PreparedText, prepare_text
from bootlaw.training.text.tokens import TOKEN_TYPE

_ROLES = {STAGE1: "prose", CPT: "code"}
"""The embedded text of every key."""
_OPTIONS = {STAGE1: "--text", CPT: "--cpt-text"}


@dataclass(frozen=True)
class StudyTexts:
    """Prepared texts, in place or beside the place that `settle` gives them."""

    files: Mapping[str, TextFiles]
    """By key, with the paths they will have."""
    records: Mapping[str, Mapping[str, Any]]
    """What ``study.json`` keeps of them."""
    place: Path
    beside: Path

    def settle(self) -> None:
        """Let the text prepared beside take the place of the former one."""
        if self.beside.exists():
            shutil.rmtree(self.place, ignore_errors=True)
            self.beside.rename(self.place)

    def discard(self) -> None:
        """Remove what was prepared beside."""
        shutil.rmtree(self.beside, ignore_errors=True)


def prepare_texts(
    spec: StudySpec, folder: Path, *, trained: bool, say: Callable[[str], None]
) -> StudyTexts:
    """Return the texts of `spec` for the study in `folder`.

    Parameters
    ----------
    trained
        The folder holds runs: what they were trained on is left where it is, see `StudyTexts`.

    Raises
    ------
    InputError
        When the text cannot be used, or is not the one the study was trained on.
    """
    former = _former_records(folder) if trained else {}
    needed = text_needed(spec)
    # Never less than before: with fewer levels the same text is found again at once.
    asked = {key: max(size, former.get(key, {}).get("asked", 0)) for key, size in needed.items()}
    place, beside = folder / "data", folder / "data.next"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        prepared = prepare_text(
            place,
            text=spec.text.stage1,
            cpt_text=spec.text.cpt,
            max_train_bytes={_ROLES[key]: size for key, size in asked.items()},
            held_out_bytes=dict.fromkeys(
                (_ROLES[key] for key in asked), spec.evaluation.held_out_tokens + 1
            ),
            instead=beside if trained else None,
            say=say,
        )
        texts = dict(zip(asked, prepared.values(), strict=True))
        for key, record in former.items():
            if key in texts and not _extends(texts[key], record):
                raise InputError(_changed(spec, key, folder, beside))
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return StudyTexts(
        files={key: _files(key, text, place) for key, text in texts.items()},
        records=dict(former) | {key: _record(text, asked[key]) for key, text in texts.items()},
        place=place,
        beside=beside,
    )


def _former_records(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    path = folder / "study.json"
    records = read_json(path).get("text", {}) if path.is_file() else {}
    known = all(isinstance(item, dict) and "train_sha256" in item for item in records.values())
    return records if known else {}  # of another version; `former` refuses to train again


def _record(text: PreparedText, asked: int) -> dict[str, Any]:
    return {
        "name": text.name,
        "fingerprint": text.fingerprint,
        "asked": asked,
        "train_tokens": text.train_tokens,
        "train_sha256": text.train_sha256,
        "held_out_sha256": text.held_out_sha256,
    }


def _files(key: str, text: PreparedText, place: Path) -> TextFiles:
    return TextFiles(
        domain=key,
        name=text.name,
        fingerprint=text.fingerprint,
        train=place / text.name / text.train.name,
        held_out=place / text.name / text.held_out.name,
        train_tokens=text.train_tokens,
        held_out_tokens=text.held_out_tokens - 1,
    )


def _extends(text: PreparedText, record: Mapping[str, Any]) -> bool:
    """Whether `text` has the held-out text of `record` and begins with its training text."""
    if text.held_out_sha256 != record["held_out_sha256"]:
        return False
    size = record["train_tokens"] * TOKEN_TYPE.itemsize
    with text.train.open("rb") as file:
        return hashlib.sha256(file.read(size)).hexdigest() == str(record["train_sha256"])


def _changed(spec: StudySpec, key: str, folder: Path, beside: Path) -> str:
    paths = spec.text.stage1 if key == STAGE1 else spec.text.cpt
    if paths:
        what = f"the text {_OPTIONS[key]} {' '.join(paths)}"
    else:
        what = f"the embedded {_ROLES[key]}"
        changes = _version_changes(folder / "data", beside)
        what += f" ({', '.join(changes)})" if changes else ""
    return (
        f"{what} is not what the study in {folder} was trained on; use another --out, or the "
        "former text"
    )


def _version_changes(former: Path, now: Path) -> list[str]:
    """Return what the two data cards say of packages of different versions."""
    before, after = _versions(former), _versions(now)
    if not before or not after:
        return []
    return [
        f"{name} {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    ]


def _versions(data: Path) -> dict[str, str]:
    path = data / "data_card.json"
    domains = read_json(path).get("domains", {}).values() if path.is_file() else ()
    return {
        source["name"]: source["version"]
        for domain in domains
        for source in domain["sources"]
        if source["version"] is not None
    }
