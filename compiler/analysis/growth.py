"""Keeps a program that expansion makes larger within what later passes can walk and recurse into."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.syntax import ast
from compiler.syntax.parser import MAX_HEIGHT
from compiler.syntax.source import Span

_MAX_NODES = 50_000


class TooLarge(Exception):
    """The program would become too large or too high because of what is expanded at `span`."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


@dataclass(slots=True)
class Growth:
    """Counts the nodes that an expansion makes."""

    what: str
    """What it is that expands, as messages call it."""
    nodes: int = 0

    def add(self, node: ast.Node, at: Span) -> None:
        """Takes note of new nodes, `node` and all below it. Raises TooLarge."""
        level: list[ast.Node] = [node]
        for _ in range(MAX_HEIGHT):
            self.nodes += len(level)
            if self.nodes > _MAX_NODES:
                raise TooLarge(f"{self.what} make the program too large, the limit is {_MAX_NODES} nodes", at)
            level = [child for parent in level for child in parent.children()]
            if not level:
                return
        raise TooLarge(f"nested too deeply by {self.what}, the limit is {MAX_HEIGHT} levels", at)
