"""English prose from documentation: cleaned, each paragraph once."""

from __future__ import annotations

from collections import Counter

from bootlaw.training.text.blocks import paragraphs
from bootlaw.training.text.english import is_english, paragraph_key, without_lead_in
from bootlaw.training.text.markup import plain_text

MIN_DOCUMENT_CHARACTERS = 200


class ProseCleaner:
    """Turns documentation into documents of prose; remembers the paragraphs it has seen."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._dropped = dropped
        self._seen: set[bytes] = set()

    def clean(self, text: str) -> str | None:
        """The sentences of `text`, one paragraph a line, a blank line between them.

        None where too little is left. What is dropped is counted by reason.
        """
        kept = []
        for block in paragraphs(text):
            paragraph = without_lead_in(plain_text(block))
            if self._is_new_prose(paragraph):
                kept.append(paragraph)
        document = "\n\n".join(kept)
        if len(document) < MIN_DOCUMENT_CHARACTERS:
            self._dropped["documents with too little prose"] += 1
            return None
        return document + "\n"

    def _is_new_prose(self, paragraph: str) -> bool:
        if not is_english(paragraph):
            self._dropped["blocks that are not English sentences"] += 1
            return False
        key = paragraph_key(paragraph)
        if key in self._seen:
            self._dropped["repeated paragraphs"] += 1
            return False
        self._seen.add(key)
        return True
