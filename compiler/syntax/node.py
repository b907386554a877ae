"""The base of all AST nodes: children, walking, rewriting, copying and structural comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Self, TypeVar

from compiler.syntax.source import Span


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """One construct of the program and its place.

    Nodes compare and hash by identity, so they can be keys of a pass's tables; `equal` compares structure. A node
    is in a tree once: a pass that needs it twice makes a `clone`. Fields that hold nodes hold either a node, None,
    or a list of nodes.
    """

    span: Span = field(repr=False)

    def children(self) -> Iterator[Node]:
        """The direct children, in source order."""
        for name in _syntax_fields(type(self)):
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, list):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents before children, in source order."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(list(node.children())))

    def clone(self, expanded_at: Span | None = None) -> Self:
        """A deep copy without analysis results.

        With `expanded_at` every span of the copy says that it was expanded from the macro call there.
        """
        span = self.span if expanded_at is None else self.span.expanded_at(expanded_at)

        def copy(value: object) -> object:
            if isinstance(value, Node):
                return value.clone(expanded_at)
            if isinstance(value, list):
                return [copy(item) for item in value]
            return value

        return type(self)(span=span, **{name: copy(getattr(self, name)) for name in _syntax_fields(type(self))})


_fields_of: dict[type[Node], tuple[str, ...]] = {}


def _syntax_fields(cls: type[Node]) -> tuple[str, ...]:
    """The fields that the parser fills, apart from spans; those of analysis results are marked `init=False`."""
    names = _fields_of.get(cls)
    if names is None:
        names = tuple(item.name for item in fields(cls) if item.init and not item.name.endswith("span"))
        _fields_of[cls] = names
    return names


N = TypeVar("N", bound=Node)


def transform(node: N, rewrite: Callable[[Node], Node | Sequence[Node]]) -> N:
    """Rewrites the tree below `node` in place, children first; the root itself stays.

    `rewrite` gets each descendant, whose own children are done, and returns what stands in its place: usually the
    same node. In a list (of statements, of arguments) it may return a sequence, which is spliced in: an empty one
    deletes. A sequence anywhere else is a TypeError.
    """
    for name in _syntax_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            result = rewrite(transform(value, rewrite))
            if not isinstance(result, Node):
                raise TypeError(f"{type(node).__name__}.{name} takes one node")
            if result is not value:
                setattr(node, name, result)
        elif isinstance(value, list) and value and isinstance(value[0], Node):
            items: list[Node] = []
            for item in value:
                result = rewrite(transform(item, rewrite))
                if isinstance(result, Node):
                    items.append(result)
                else:
                    items.extend(result)
            value[:] = items
    return node


def equal(left: object, right: object) -> bool:
    """Whether two trees have the same structure; spans and analysis results do not count."""
    if isinstance(left, Node):
        return type(left) is type(right) and all(
            equal(getattr(left, name), getattr(right, name)) for name in _syntax_fields(type(left))
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and left == right
