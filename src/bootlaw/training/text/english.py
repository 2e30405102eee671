"""Which paragraphs read as English sentences. All thresholds were set by reading samples."""

from __future__ import annotations

import hashlib
import re
import string

MIN_WORDS = 6
MIN_FUNCTION_WORDS = 0.2
"""English prose has 0.4 to 0.5 function words (Zipf's head); terse documentation has 0.25 up."""
MAX_ODD = 0.06
"""Share of bytes other than letters, spaces and ordinary punctuation."""
MAX_CODE = 0.015
"""Share of bytes that belong to code or formulas."""

_PLAIN = (string.ascii_letters + " ,.;:'\"-()!?").encode()
_NOT_CODE = bytes(sorted(set(range(256)) - set(b"=<>{}[]\\/_|`~^#@$%*+&")))
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_LOWER_WORD = re.compile(r"(?<![\w.])[a-z]{2,}(?![\w(=])")
_LEAD_IN = re.compile(r"(?:(?<=[.!?]) |^)(?:[^.!?]|[.!?](?! ))*:$")
_BOILERPLATE = re.compile(
    r"\blicen[sc]ed? (?:under|agreement|and)|copyright|all rights reserved|without warranty"
    r"|permission is hereby|redistribut|generated (?:by|from)|do not edit|<copyright",
    re.IGNORECASE,
)
_FUNCTION_WORD_LIST = """
    a about after all also an and any are as at be because been before being both but by can
    could did do does each either even every for from had has have he here how however i if in
    into is it its just may might more most must no not now of on once one only or other our
    over own same she should since so some such than that the their them then there these they
    this those through thus to too two under until up use used using was we were what when
    where whether which while who whose why will with within without would you your
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def without_lead_in(paragraph: str) -> str:
    """The paragraph without a last sentence that only leads in to code that was removed."""
    return _LEAD_IN.sub("", paragraph).rstrip() if paragraph.endswith(":") else paragraph


def is_english(paragraph: str) -> bool:
    """Whether the paragraph reads as one or more English sentences, and is no boilerplate."""
    first, last = paragraph[:1], paragraph[-1:]
    if not (first.isupper() or first in "\"'(") or last not in ".!?)\"'":
        return False
    if paragraph.endswith(("e.g.", "i.e.", "...")):
        return False  # what followed was code
    raw = paragraph.encode()
    if len(raw.translate(None, _PLAIN)) > MAX_ODD * len(raw):
        return False
    if len(raw.translate(None, _NOT_CODE)) > MAX_CODE * len(raw):
        return False
    words = _WORD.findall(paragraph)
    if len(words) < MIN_WORDS:
        return False
    functions = sum(word.lower() in _FUNCTION_WORDS for word in words)
    return functions >= MIN_FUNCTION_WORDS * len(words) and not _BOILERPLATE.search(paragraph)


def paragraph_key(paragraph: str) -> bytes:
    """Key under which paragraphs are the same but for case, space, names and numbers.

    Documentation repeats paragraphs with another class name in them; such a template is one
    paragraph here. Only lower-case words count, in their order.
    """
    words = " ".join(_LOWER_WORD.findall(paragraph))
    return hashlib.blake2b(words.encode(), digest_size=12).digest()
