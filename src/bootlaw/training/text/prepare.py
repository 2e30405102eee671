"""Preparation of a study's texts: from embedded or user text to token files and a data card."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bootlaw.errors import InputError
from bootlaw.training.text import card, embedded
from bootlaw.training.text.corpus import Corpus, digest
from bootlaw.training.text.domains import Domain, requested_domains
from bootlaw.training.text.prepared import IDENTITY_TOKENS, PreparedText
from bootlaw.training.text.split import (
    Accept,
    Split,
    check_enough,
    is_enough,
    split_by_group,
    split_by_position,
)
from bootlaw.training.text.tokens import encode, write_tokens
from bootlaw.training.text.user import content_hashes, user_corpus


def prepare_text(
    out: Path,
    *,
    text: Sequence[str] = (),
    cpt_text: Sequence[str] = (),
    max_train_bytes: Mapping[str, int] | None = None,
    held_out_bytes: Mapping[str, int],
    say: Callable[[str], None],
    instead: Path | None = None,
) -> dict[str, PreparedText]:
    """Token files of each domain by name, the stage-1 domain first.

    A second call with the same inputs returns what the first one wrote. The result depends on
    the texts and the versions of Python and the packages only.

    Parameters
    ----------
    out
        Folder for ``<name>/train.bin``, ``<name>/held_out.bin`` and ``data_card.json``.
    text, cpt_text
        Files or folders that replace the embedded English (`prose`) and the embedded code
        (`code`); such a domain is named by the stem of its files.
    max_train_bytes
        Largest training text, in tokens (bytes and end marks), by domain; absent: all there is.
        Less is no error: see `PreparedText.train_tokens`.
    held_out_bytes
        Size of the held-out text, in tokens, by domain; a domain that is not named here is not
        prepared. Keys are the names of the domains, or `prose` and `code` for the first and the
        second whatever they are called.
    say
        Called with each line of progress.
    instead
        Where to write when `out` does not hold what is asked for; `out` is then left as it is.

    Raises
    ------
    InputError
        If the text is missing, too little or unreadable, or `out` cannot be written.
    """
    out = Path(out)
    domains = requested_domains(text, cpt_text, max_train_bytes or {}, held_out_bytes)
    request = _request(domains)
    ready = card.read_prepared(out, request)
    if ready is not None:
        say(f"text: already prepared in {out}")
        return ready
    return _prepare(out if instead is None else instead, domains, request, say)


def _prepare(
    out: Path, domains: Sequence[Domain], request: str, say: Callable[[str], None]
) -> dict[str, PreparedText]:
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        card.discard_card(out)
    entries, seen = {}, set[bytes]()
    for domain in domains:
        corpus, split = _split(domain, seen)
        with _writing(out):
            entries[domain.name] = _write(out / domain.name, domain, corpus, split)
        say(_line(card.prepared_text(out, domain.name, entries[domain.name])))
    with _writing(out):
        card.write_card(out, request, platform.python_version(), entries)
    return {name: card.prepared_text(out, name, entry) for name, entry in entries.items()}


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{out}: cannot write the prepared text there ({reason})") from None


def _split(domain: Domain, seen: set[bytes]) -> tuple[Corpus, Split]:
    if domain.paths:
        corpus = user_corpus(domain, seen)
        where = f"{domain.option} {' '.join(map(str, domain.paths))}"
        split = split_by_group(corpus, domain.sizes, lambda _: True)
        if corpus.candidates and not is_enough(split, domain.sizes):
            other = split_by_position(corpus, domain.sizes)
            split = other if is_enough(other, domain.sizes) else split
    else:
        corpus = embedded.EMBEDDED[domain.role]()
        where = f"embedded {domain.role} (give your own with {domain.option})"
        split = split_by_group(corpus, domain.sizes, _is_new(corpus, seen))
    if repeated := corpus.dropped["duplicate documents"]:
        where += f" (without {repeated:,} repeated documents)"
    check_enough(split, domain.sizes, where)
    return corpus, split


def _is_new(corpus: Corpus, seen: set[bytes]) -> Accept:
    """Refuses what was seen before, in this domain or the one before it."""

    def accept(text: bytes) -> bool:
        identity = digest(text)
        if identity in seen:
            corpus.dropped["duplicate documents"] += 1
            return False
        seen.add(identity)
        return True

    return accept


def _write(folder: Path, domain: Domain, corpus: Corpus, split: Split) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {"identity": _identity(domain, split)}
    for part, samples in (("train", split.train), ("held_out", split.held_out)):
        path = folder / f"{part}.bin"
        write_tokens(path, ((sample.text, sample.ended) for sample in samples))
        hashes[part] = hashlib.sha256(path.read_bytes()).hexdigest()
    return card.domain_entry(corpus, split, hashes)


def _identity(domain: Domain, split: Split) -> str:
    """SHA-256 of what tells two texts apart and does not change when the training text grows."""
    content = hashlib.sha256(b"given" if domain.paths else f"embedded {domain.role}".encode())
    for sample in split.held_out:
        content.update(encode(sample.text, ended=sample.ended).tobytes())
    left = IDENTITY_TOKENS
    for sample in split.train:
        tokens = encode(sample.text, ended=sample.ended)[:left]
        content.update(tokens.tobytes())
        left -= len(tokens)
    return content.hexdigest()


def _line(text: PreparedText) -> str:
    return (
        f"text {text.name}: {text.train_tokens:,} tokens to train on from "
        f"{text.train_documents:,} documents, {text.held_out_tokens:,} held out from "
        f"{text.held_out_documents:,}"
    )


def _request(domains: Sequence[Domain]) -> str:
    """SHA-256 of all that decides the result, without any path of the machine."""
    wanted = [
        {
            "name": domain.name,
            "role": domain.role,
            "held_out": domain.sizes.held_out,
            "train": domain.sizes.train,
            "files": content_hashes(domain) if domain.paths else embedded.versions(domain.role),
        }
        for domain in domains
    ]
    content = {"format": card.FORMAT, "domains": wanted}
    return digest(json.dumps(content, sort_keys=True).encode()).hex()
