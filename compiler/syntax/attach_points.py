"""Attach points: where one ends in the source, and its division into parts.

`uprobe:/usr/bin/bash:readline` is not made of tokens: paths, wildcards and comments' look-alikes stand in it freely.
"""

from __future__ import annotations

import re
from typing import Literal

from compiler.syntax import ast
from compiler.syntax.source import SourceFile

# The provider, where a `/` opens the predicate, and the rest, where it is part of a path. White space, `,` and `{`
# end either; in quotes everything stands for itself.
_QUOTED = r'"(?:[^"\\\n]|\\[^\n])*+"?'
_ATTACH_POINT = re.compile(rf'(?:[^\s,{{/:"]|{_QUOTED})*+(?::(?:[^\s,{{"]|{_QUOTED})*+)?', re.ASCII)
_PART = re.compile(rf"(?P<quoted>{_QUOTED})|(?P<separator>[:@])|\$(?P<parameter>[1-9][0-9]*)|(?P<other>[^\n])")
_ESCAPED = re.compile(r"\\(.)")


class AttachPointError(ValueError):
    """An attach point that cannot be divided; the message is for the user."""


def attach_point_end(text: str, start: int) -> int:
    """The offset at which the attach point that begins at `start` ends; `start` itself when there is none."""
    match = _ATTACH_POINT.match(text, start)
    return match.end() if match is not None else start


def split_attach_point(source: SourceFile, start: int, end: int) -> ast.AttachPoint:
    """Divides the attach point at `[start, end)`. Raises AttachPointError."""
    parts: list[ast.AttachPointPart] = []
    pieces: list[str | int] = []
    separator: Literal["", ":", "@"] = ""
    part_start = start

    def add_text(text: str) -> None:
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += text
        else:
            pieces.append(text)

    def finish_part(part_end: int) -> None:
        parts.append(ast.AttachPointPart(tuple(pieces), separator, span=source.span(part_start, part_end)))
        pieces.clear()

    for match in _PART.finditer(source.text, start, end):
        kind, text = match.lastgroup, match.group()
        if kind == "quoted":
            if len(text) < 2 or not text.endswith('"'):
                raise AttachPointError("syntax: unterminated string")
            add_text(_ESCAPED.sub(r"\1", text[1:-1]))
        elif kind == "separator":
            finish_part(match.start())
            separator = ":" if text == ":" else "@"
            part_start = match.end()
        elif kind == "parameter":
            if len(text) > len("$999999"):
                raise AttachPointError(f"positional parameter is not valid: {text[1:]}")
            pieces.append(int(text[1:]))
        elif text == "$":
            raise _not_a_parameter(source.text[match.end() : end][:1])
        else:
            add_text(text)
    finish_part(end)
    name = _take_name(parts[0])
    return ast.AttachPoint(source.text[start:end], parts, name, span=source.span(start, end))


def _take_name(first: ast.AttachPointPart) -> str | None:
    """Removes `name=` from the first part."""
    if not first.pieces or not isinstance(first.pieces[0], str):
        return None
    name, equals, rest = first.pieces[0].partition("=")
    if not equals or not (rest or len(first.pieces) > 1):
        return None
    first.pieces = ((rest,) if rest else ()) + first.pieces[1:]
    return name


def _not_a_parameter(following: str) -> AttachPointError:
    if not following:
        return AttachPointError("positional parameter is not valid: invalid integer: ")
    return AttachPointError(
        f"invalid trailing character for positional param: {following}. "
        f'Try quoting this entire part if this is intentional e.g. "${following}".'
    )
