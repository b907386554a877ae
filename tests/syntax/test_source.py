"""Source files, spans and their context lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.syntax.source import Position, SourceFile, Span, decode, encode


def span_of(text: str, part: str) -> Span:
    start = text.index(part)
    return SourceFile("a.bt", text).span(start, start + len(part))


@pytest.mark.parametrize(
    ("offset", "position"),
    [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (3, 1)), (5, (3, 2)), (6, (3, 3))],
)
def test_positions(offset: int, position: tuple[int, int]) -> None:
    assert SourceFile("a.bt", "ab\n\ncd").position(offset) == Position(*position)


def test_lines() -> None:
    source = SourceFile("a.bt", "ab\n\ncd\n")
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["ab", "", "cd", ""]


def test_only_newlines_end_lines() -> None:
    source = SourceFile("a.bt", "a\r\nb\fc\u2028d\x85e")
    assert len(source.line_starts) == 2


def test_empty_file() -> None:
    source = SourceFile("a.bt", "")
    assert source.position(0) == Position(1, 1)
    assert source.span(0, 0).context() == []


@pytest.mark.parametrize(
    ("part", "shown"), [("b", "a.bt:1:2-3"), ("bc", "a.bt:1:2-4"), ("c\nd", "a.bt:1-2"), ("f", "a.bt:2:3-4")]
)
def test_span_as_text(part: str, shown: str) -> None:
    assert str(span_of("abc\ndef\n", part)) == shown


def test_context_underlines() -> None:
    assert span_of("one two three\n", "two").context() == ["one two three", "    ~~~"]


def test_context_widens_tabs() -> None:
    assert span_of("\ta\tb\tc\n", "b\tc").context() == ["    a    b    c", "         ~~~~~~"]


def test_context_of_several_lines() -> None:
    assert span_of("one\n\ttwo\nthree\n", "e\n\ttw").context() == ["one", "\ttwo"]


def test_context_at_the_end() -> None:
    text = "abc"
    assert SourceFile("a.bt", text).span(3, 3).context() == ["abc", "   "]
    assert SourceFile("a.bt", text + "\n").span(4, 4).context() == []


def test_expansions_nest_outermost_last() -> None:
    inner, middle, outer = (span_of("a b c", part) for part in "abc")
    span = inner.expanded_at(middle).expanded_at(outer)
    assert span.expanded_from is not None
    assert span.expanded_from.text == "b"
    assert span.expanded_from.expanded_from is not None
    assert span.expanded_from.expanded_from.text == "c"
    assert span.text == "a"


def test_bytes_survive() -> None:
    data = bytes(range(1, 256))
    assert encode(decode(data)) == data


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "x.bt"
    path.write_bytes(b"a\xff\r\n")
    source = SourceFile.read(path, "shown.bt")
    assert source.name == "shown.bt"
    assert encode(source.text) == b"a\xff\r\n"
    assert SourceFile.read(path).name == str(path)
