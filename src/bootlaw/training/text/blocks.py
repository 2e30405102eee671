"""Block structure of documentation text: paragraphs kept, code, tables and directives dropped.

One reader for docstrings (numpy, Google and Sphinx style), reStructuredText and Markdown.
It is a filter, not a parser: what it lets through by mistake meets the test of `english`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PROSE_DIRECTIVE = re.compile(
    r"\.\. (?:note|warning|tip|important|hint|caution|attention|seealso|admonition)::\s*"
)
_CODE = re.compile(r"(?:>>>|\.\.\.(?: |$)|In \[\d*\]:|Out\[\d*\]:|\$ |% |#{1,6} |#!)")
_FENCE = re.compile(r"(?:```|~~~|\\begin\{|\$\$)")
_RULE = re.compile(r"([-=~^*+#_\"'`.:])\1{2,}$")
_BULLET = re.compile(r"(?:[-*+•]|>(?: \[![A-Z]+\])?|#\.|\(?(?:\d{1,2}|[a-z])[.)])\s+(?=\S)")
_FIELD = re.compile(r":(?:\w+(?: [^:`]{1,60})?):\s+|@\w+(?: \w+:)?\s+")
_PARAMETER = re.compile(
    r"[`*]{0,2}[A-Za-z_][\w.]*[`*]{0,2}(?:,? \*{0,2}\w+)*"  # names
    r"(?: : .*$| ?\(.{0,160}?\)(?: ?,? [*\w `.]{0,40})?:(?:\s+|$))"  # : type, or (type):
)
_TABLE = re.compile(r"\||\+[-=+]+|.*\S {3,}\S.* {3,}\S|.*\S\t+\S")


def paragraphs(text: str) -> Iterator[str]:
    """Running paragraphs of a documentation text, each on one line, markup still in it."""
    reader = _Reader()
    for line in text.expandtabs().split("\n"):
        yield from reader.feed(line)
    yield from reader.flush()


class _Reader:
    """Line by line: the open paragraph, and what is being skipped."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 0  # of the paragraph's block
        self.continuation = 0  # of its further lines
        self.hanging = False  # the next line may set the indent of the continuation
        self.skip_deeper_than: int | None = None
        self.skip_to_blank = False
        self.fence: str | None = None

    def flush(self) -> Iterator[str]:
        """Close the open paragraph."""
        if not self.lines:
            return
        paragraph = " ".join(self.lines)
        self.lines = []
        if paragraph.endswith("::"):
            self.skip_deeper_than = self.indent
            paragraph = paragraph[:-1]
        yield paragraph

    def feed(self, line: str) -> Iterator[str]:
        """Take one line; yield the paragraph that it closes, if any."""
        content = line.strip()
        if self.fence is not None:
            if content.startswith(self.fence):
                self.fence = None
            return
        if not content:
            self.skip_to_blank = False
            yield from self.flush()
            return
        indent = len(line) - len(line.lstrip())
        if not self._skipped(indent):
            yield from self._take(content, indent)

    def _skipped(self, indent: int) -> bool:
        if self.skip_to_blank:
            return True
        if self.skip_deeper_than is None:
            return False
        if indent > self.skip_deeper_than:
            return True
        self.skip_deeper_than = None
        return False

    def _take(self, content: str, indent: int) -> Iterator[str]:
        if _RULE.match(content):
            self.lines = []  # the line above is a heading
        elif self._opens_code(content) or _TABLE.match(content):
            yield from self.flush()
        elif content.startswith(".."):
            yield from self.flush()
            self._directive(content, indent)
        else:
            yield from self._text(content, indent)

    def _opens_code(self, content: str) -> bool:
        if match := _FENCE.match(content):
            self.fence = match[0].replace("begin", "end")
            if content.endswith(self.fence) and len(content) > len(self.fence):
                self.fence = None  # opened and closed on one line
            return True
        if _CODE.match(content):
            self.skip_to_blank = True
            return True
        return False

    def _directive(self, content: str, indent: int) -> None:
        match = _PROSE_DIRECTIVE.match(content)
        if match is None:
            self.skip_deeper_than = indent
        elif rest := content[match.end() :]:
            self._open(rest, indent)

    def _text(self, content: str, indent: int) -> Iterator[str]:
        for marker in (_BULLET, _FIELD, _PARAMETER):
            if match := marker.match(content):
                yield from self.flush()
                if rest := content[match.end() :]:
                    self._open(rest, indent)
                return
        if self.lines and self.hanging and indent > self.indent:
            self.hanging = False
            self.continuation = indent
        elif self.lines and indent not in (self.indent, self.continuation):
            yield from self.flush()
            if self._skipped(indent):
                return
        if self.lines:
            self.lines.append(content)
        else:
            self._open(content, indent, hanging=False)

    def _open(self, content: str, indent: int, *, hanging: bool = True) -> None:
        self.lines = [content]
        self.indent = self.continuation = indent
        self.hanging = hanging
