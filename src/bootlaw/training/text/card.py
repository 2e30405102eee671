"""The data card: what a study trained on, in words and numbers, the same on every run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bootlaw.atomic import atomic_file
from bootlaw.training.text.corpus import Corpus
from bootlaw.training.text.prepared import PreparedText
from bootlaw.training.text.split import PIECE_BYTES, Sample, Split, total_tokens
from bootlaw.training.text.tokens import END_OF_DOCUMENT, TOKEN_TYPE, VOCABULARY_SIZE

FORMAT = 2
"""Raised with every change to the text that is prepared, so that nothing stale is re-used."""
CARD_NAME = "data_card.json"
_TOKENIZER = {
    "kind": "UTF-8 bytes 0..255 and one mark after each document",
    "vocabulary_size": VOCABULARY_SIZE,
    "end_of_document": END_OF_DOCUMENT,
    "file": "raw little-endian unsigned 16-bit integers",
}
_NOTES = (
    "The choice of documents depends on the texts and the versions named here, not on the "
    "machine, its paths or its clock.",
    "bytes count text; tokens count bytes and one end mark for each document, except a last one "
    "that is cut to meet the size asked for.",
    f"Documents to train on that are longer than {PIECE_BYTES:,} bytes are cut into pieces, which "
    "are mixed; each has an end mark and counts as a document.",
    "No document, and no group where text is held out by group, is in both parts.",
)


def domain_entry(corpus: Corpus, split: Split, hashes: Mapping[str, str]) -> dict[str, Any]:
    """The card's entry for one domain; `hashes` are the SHA-256 of its files and the identity."""
    return {
        "description": corpus.description,
        "sources": _sources(corpus, (*split.held_out, *split.train)),
        "train": _part(split.train, hashes["train"]),
        "held_out": _part(split.held_out, hashes["held_out"]),
        "split": split.how,
        "dropped": dict(sorted(corpus.dropped.items())),
        "documents_available": corpus.documents,
        "fingerprint": hashes["identity"],
    }


def write_card(
    out: Path, request: str, python: str, domains: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write the card; it is the last file of a preparation, and the sign that it is complete."""
    card = {
        "format": FORMAT,
        "title": "Texts of this study",
        "python": python,
        "request": request,
        "tokenizer": _TOKENIZER,
        "order": list(domains),
        "domains": domains,
        "notes": list(_NOTES),
    }
    text = json.dumps(card, indent=2, sort_keys=True, ensure_ascii=False)
    with atomic_file(out / CARD_NAME) as file:
        file.write(text.encode() + b"\n")


def discard_card(out: Path) -> None:
    """Remove the card of an earlier preparation, so that what follows never looks complete."""
    (out / CARD_NAME).unlink(missing_ok=True)


def prepared_text(out: Path, name: str, entry: Mapping[str, Any]) -> PreparedText:
    """The domain that an entry of the card describes."""
    return PreparedText(
        name=name,
        train=out / name / "train.bin",
        held_out=out / name / "held_out.bin",
        train_tokens=entry["train"]["tokens"],
        held_out_tokens=entry["held_out"]["tokens"],
        train_documents=entry["train"]["documents"],
        held_out_documents=entry["held_out"]["documents"],
        fingerprint=entry["fingerprint"],
        train_sha256=entry["train"]["sha256"],
        held_out_sha256=entry["held_out"]["sha256"],
    )


def read_prepared(out: Path, request: str) -> dict[str, PreparedText] | None:
    """What an earlier call with the same request prepared; None unless all of it is there."""
    try:
        card = json.loads((out / CARD_NAME).read_text(encoding="utf-8"))
        if card["format"] != FORMAT or card["request"] != request:
            return None
        texts = {name: prepared_text(out, name, card["domains"][name]) for name in card["order"]}
        complete = all(_has_its_size(text) for text in texts.values())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return texts if complete else None


def _has_its_size(text: PreparedText) -> bool:
    files = ((text.train, text.train_tokens), (text.held_out, text.held_out_tokens))
    return all(path.stat().st_size == n * TOKEN_TYPE.itemsize for path, n in files)


def _part(samples: tuple[Sample, ...], sha256: str) -> dict[str, Any]:
    return {
        "documents": len(samples),
        "bytes": _bytes(samples),
        "tokens": total_tokens(samples),
        "sha256": sha256,
    }


def _sources(corpus: Corpus, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    documents: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for sample in samples:
        documents[sample.source] += 1
        size[sample.source] += len(sample.text)
    return [
        {
            "name": name,
            "version": corpus.versions.get(name),
            "documents": documents[name],
            "bytes": size[name],
        }
        for name in sorted(documents)
    ]


def _bytes(samples: Iterable[Sample]) -> int:
    return sum(len(sample.text) for sample in samples)
