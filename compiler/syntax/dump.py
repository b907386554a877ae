"""The tree form of a program, for `--dump ast` and `--dump types`.

One node a line, indented below its parent:

    body: Block 3:1-5:2
      statements: ExpressionStatement 4:3-18
        expression: Call name='printf' 4:3-17 -> none

with the field it is in, its own scalar fields (if they say anything), its place and, once analysis has set it, `->`
its type.
"""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.node import syntax_fields
from compiler.syntax.source import Span


def dump(node: ast.Node) -> str:
    """The tree below `node`, newline-terminated."""
    lines: list[str] = []
    _dump(node, "", 0, lines)
    return "\n".join(lines) + "\n"


def _dump(node: ast.Node, label: str, depth: int, lines: list[str]) -> None:
    words = [type(node).__name__]
    children: list[tuple[str, ast.Node]] = []
    for name in syntax_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, ast.Node):
            children.append((name, value))
        elif isinstance(value, list) and value and isinstance(value[0], ast.Node):
            children.extend((name, item) for item in value)
        elif name == "value" or value not in (None, [], False, ""):
            words.append(f"{name}={value!r}")
    words.append(_place(node.span))
    if (type_ := getattr(node, "type", None)) is not None:
        words.append(f"-> {type_}")
    lines.append(f"{'  ' * depth}{label}{' '.join(words)}")
    for name, child in children:
        _dump(child, f"{name}: ", depth + 1, lines)


def _place(span: Span) -> str:
    begin, end = span.begin_position, span.end_position
    if begin.line == end.line:
        return f"{begin.line}:{begin.column}-{end.column}"
    return f"{begin.line}:{begin.column}-{end.line}:{end.column}"
