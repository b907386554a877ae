"""Pass: positional parameters that are given to the compiler.

Before: a parsed program without macro calls. After: no positional parameter is left in it: each is the literal that its
word is, and in attach points its text. What is not given is 0, or empty where it is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.literals import integer_value

_SEPARATOR = re.compile("([:@])")


def run(program: ast.Program, words: Sequence[str], sink: DiagnosticSink) -> None:
    pass_ = _Fixed(words, sink)
    for probe in program.probes:
        for point in probe.attach_points:
            pass_.attach_point(point)
        ast.replace_children(probe, pass_.visit)


class _Fixed:
    def __init__(self, words: Sequence[str], sink: DiagnosticSink) -> None:
        self.words = words
        self.sink = sink

    def word(self, index: int) -> str:
        return self.words[index - 1] if index <= len(self.words) else ""

    def visit(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.Call("str", [ast.PositionalParameter() as parameter, *_]):
                node.arguments[0] = self.text(parameter)
            case ast.Call("str", [ast.Binary("+", ast.PositionalParameter() as parameter, _) as sum_, *_]):
                sum_.left = self.text(parameter)
            case ast.PositionalParameter():
                return self.literal(node)
            case ast.PositionalParameterCount():
                return ast.Integer(len(self.words), span=node.span)
        ast.replace_children(node, self.visit)
        return node

    def text(self, node: ast.PositionalParameter) -> ast.String:
        return ast.String(self.word(node.index), span=node.span)

    def literal(self, node: ast.PositionalParameter) -> ast.Expression:
        word = self.word(node.index)
        if not word:
            message = f"Positional parameter ${node.index} is empty or not provided. "
            self.sink.warning("parameter-absent", message, node.span)
            return ast.Integer(0, span=node.span)
        try:
            magnitude = integer_value(word.removeprefix("-"))
        except (ValueError, IndexError):
            return self.text(node)
        return ast.Integer(-magnitude if word.startswith("-") else magnitude, span=node.span)

    def attach_point(self, point: ast.AttachPoint) -> None:
        """Colons in a word divide the attach point too: `$1` may be all of it."""
        parts: list[ast.AttachPointPart] = []
        for part in point.parts:
            if not part.has_parameters:
                parts.append(part)
                continue
            pieces = [
                _SEPARATOR.split(self.word(piece)) if isinstance(piece, int) else [piece] for piece in part.pieces
            ]
            parts += _divided(part, pieces)
        point.parts = parts


def _divided(part: ast.AttachPointPart, pieces: list[list[str]]) -> list[ast.AttachPointPart]:
    """`pieces` alternate between texts and the separators between them."""
    texts, separators = [""], [part.separator]
    for first, *rest in pieces:
        texts[-1] += first
        for separator, text in zip(rest[::2], rest[1::2], strict=True):
            separators.append(":" if separator == ":" else "@")
            texts.append(text)
    return [
        ast.AttachPointPart((text,), separator, span=part.span)
        for text, separator in zip(texts, separators, strict=True)
    ]
