"""The texts of a study: embedded corpora, readers of user text, split, token files, data card."""

from bootlaw.training.text.prepare import prepare_text
from bootlaw.training.text.prepared import PreparedText
from bootlaw.training.text.tokens import END_OF_DOCUMENT, VOCABULARY_SIZE, decode, encode

__all__ = [
    "END_OF_DOCUMENT",
    "VOCABULARY_SIZE",
    "PreparedText",
    "decode",
    "encode",
    "prepare_text",
]
