"""Source files and the spans that point into them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

_WORD = re.compile(r"\w+")


class Position(NamedTuple):
    """A place for humans: both numbers are 1-based; columns count characters, a tab is one."""

    line: int
    column: int


class SourceFile:
    """A named text. Identity is equality: two files may hold the same text.

    Bytes that are not UTF-8 survive as surrogate escapes, so that string literals come out as they went in.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> SourceFile:
        """Reads `path`; `name` is what diagnostics show. Raises OSError."""
        return cls(str(path) if name is None else name, decode(path.read_bytes()))

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line's first character; only a newline ends a line."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """The line and column of the character at `offset` (which may be the end of the text)."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (1-based), without its newline."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end]

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)

    def word(self, line: int, column: int) -> Span | None:
        """The word at a place that clang names: columns count bytes, from 1. None for a line that is not there."""
        if not 0 < line <= len(self.line_starts):
            return None
        text = self.line(line)
        before = len(encode(text)[: column - 1].decode("utf-8", "replace"))
        start = self.line_starts[line - 1] + min(before, len(text))
        word = _WORD.match(text, before)
        return self.span(start, min(start + (word.end() - word.start() if word else 1), len(self.text)))

    def __repr__(self) -> str:
        return f"SourceFile({self.name!r})"


def decode(data: bytes) -> str:
    """Decodes source bytes; the inverse of `encode`."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes behind source text or behind a string literal's value."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Whether all of a source text was UTF-8, so that it can be written as such."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `[start, end)` of a source file.

    `expanded_from` is the place of the macro call that brought these characters into the program, if one did; it
    may itself be inside an expansion.
    """

    source: SourceFile
    start: int
    end: int
    expanded_from: Span | None = None

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def begin_position(self) -> Position:
        return self.source.position(self.start)

    @property
    def end_position(self) -> Position:
        """One past the last character."""
        return self.source.position(self.end)

    @property
    def line(self) -> int:
        return self.begin_position.line

    @property
    def column(self) -> int:
        return self.begin_position.column

    def to(self, other: Span) -> Span:
        """From this span's start to the other's end."""
        return replace(self, end=other.end)

    def expanded_at(self, call: Span) -> Span:
        """This span, seen as the expansion of the macro call at `call` (outermost last)."""
        outer = call if self.expanded_from is None else self.expanded_from.expanded_at(call)
        return Span(self.source, self.start, self.end, outer)

    def __str__(self) -> str:
        """`file:line:column-column` or, over more than one line, `file:line-line`."""
        begin, end = self.begin_position, self.end_position
        if begin.line != end.line:
            return f"{self.source.name}:{begin.line}-{end.line}"
        return f"{self.source.name}:{begin.line}:{begin.column}-{end.column}"

    def context(self) -> list[str]:
        """The source lines of this span; under a single line, a second one that underlines the span."""
        begin, end = self.begin_position, self.end_position
        if begin.line != end.line:
            return [self.source.line(number) for number in range(begin.line, end.line + 1)]
        line = self.source.line(begin.line)
        if self.start == self.end == len(self.source.text) and not line:
            return []  # After the last line there is nothing to show.
        underline = "".join(
            ("~" if column >= begin.column else " ") * (4 if character == "\t" else 1)
            for column, character in enumerate(line[: end.column - 1], 1)
        )
        return [line.replace("\t", "    "), underline]
