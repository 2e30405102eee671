"""Inline markup of reStructuredText, Markdown and HTML, taken out of running text."""

from __future__ import annotations

import re

_MARKS = frozenset("`*[<|_\\")

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\s*\[(?:\d+|#\w*|[A-Z]\w*\d{2,4}\w?)\]_{0,2}", ""),  # footnotes and citations
        (r"!\[[^\]]*\]\([^)]*\)", ""),  # images
        (r"\[([^\]]+)\]\((?:[^()]|\([^()]*\))*\)", r"\1"),  # Markdown links
        (r":[A-Za-z][\w:+.-]*:`~(?:[\w.]*\.)?(\w+)(?:\(\))?`", r"\1"),  # roles, short form
        (r":[A-Za-z][\w:+.-]*:`!?([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1"),  # roles
        (r"``\s?([^`]+?)\s?``", r"\1"),  # literals
        (r"`([^`<]+?)\s*<[^`>]*>`_{0,2}", r"\1"),  # links with a target
        (r"`~?([^`]+)`(?:_{1,2}(?!\w))?", r"\1"),  # references and code spans
        (r"(?<![\w)])\[`?~?([A-Za-z_][\w.]*)`?\]", r"\1"),  # Markdown cross-references
        (r"</?[A-Za-z][^<>]*>", ""),  # HTML tags
        (r"\*\*([^*]+)\*\*", r"\1"),  # strong
        (r"(?<![\w*])\*([^\s*](?:[^*]*[^\s*])?)\*(?![\w*])", r"\1"),  # emphasis
        (r"\|([A-Za-z][^|\s]*)\|", r"\1"),  # substitutions
        (r"\b(\w+)__?(?=[\s.,;:)]|$)", r"\1"),  # bare references
        (r"\\([*`_|<>\s\\])", r"\1"),  # escapes
    )
)
_SPACE = re.compile(r"\s+")
_SPACE_BEFORE_STOP = re.compile(r" +([.,;:)])(?=\s|$)")


def plain_text(paragraph: str) -> str:
    """The paragraph without inline markup, its white space reduced to single spaces."""
    if not _MARKS.isdisjoint(paragraph):
        for pattern, replacement in _RULES:
            paragraph = pattern.sub(replacement, paragraph)
        paragraph = _SPACE_BEFORE_STOP.sub(r"\1", paragraph)
    return _SPACE.sub(" ", paragraph).strip()
