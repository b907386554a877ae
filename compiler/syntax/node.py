"""The base of all AST nodes: children, walking, rewriting, copying and structural comparison."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Self, TypeVar

from compiler.syntax.source import Span

_WORD = re.compile(r"\w+")


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """One construct of the program and its place.

    Nodes compare and hash by identity, so they can be keys of a pass's tables; `equal` compares structure. A node
    is in a tree once: a pass that needs it twice makes a `clone`. Fields that hold nodes hold either a node, None,
    or a list of nodes.
    """

    span: Span = field(repr=False)

    def children(self) -> list[Node]:
        """The direct children, in source order."""
        found: list[Node] = []
        for name in child_fields[type(self)]:
            value = getattr(self, name)
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, list):
                found += value
        return found

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents before children, in source order."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            if child_fields[type(node)]:
                stack += reversed(node.children())

    def clone(self, expanded_at: Span | None = None) -> Self:
        """A deep copy without analysis results.

        With `expanded_at` every span of the copy says that it was expanded from the macro call there.
        """
        return self._clone(_Expansions(expanded_at))

    def _clone(self, expansions: _Expansions) -> Self:
        cls = type(self)
        values: dict[str, object] = {}
        for name in syntax_fields(cls):
            value = getattr(self, name)
            if isinstance(value, Node):
                value = value._clone(expansions)
            elif isinstance(value, list):
                value = [item._clone(expansions) if isinstance(item, Node) else item for item in value]
            values[name] = value
        for name in _span_fields(cls):
            values[name] = expansions.apply(getattr(self, name))
        return cls(**values)  # type: ignore[arg-type]


class _Expansions:
    """Says of spans that they come from the macro call at `at`. Most share the few calls that they came from before."""

    def __init__(self, at: Span | None) -> None:
        self._at = at
        self._outer: dict[int, Span] = {}

    def apply(self, span: Span | None) -> Span | None:
        if span is None or self._at is None:
            return span
        key = id(span.expanded_from)
        outer = self._outer.get(key)
        if outer is None:
            expanded = span.expanded_at(self._at)
            assert expanded.expanded_from is not None
            self._outer[key] = expanded.expanded_from
            return expanded
        return Span(span.source, span.start, span.end, outer)


_syntax_fields: dict[type[Node], tuple[str, ...]] = {}


def syntax_fields(cls: type[Node]) -> tuple[str, ...]:
    """The fields that the parser fills, apart from spans; those of analysis results are marked `init=False`."""
    names = _syntax_fields.get(cls)
    if names is None:
        names = tuple(item.name for item in fields(cls) if item.init and not item.name.endswith("span"))
        _syntax_fields[cls] = names
    return names


class _ChildFields(dict[type[Node], tuple[str, ...]]):
    def __missing__(self, cls: type[Node]) -> tuple[str, ...]:
        known = vars(sys.modules[cls.__module__])
        annotations = {item.name: str(item.type) for item in fields(cls)}
        self[cls] = names = tuple(
            name
            for name in syntax_fields(cls)
            if any(_is_node(known.get(word)) for word in _WORD.findall(annotations[name]))
        )
        return names


child_fields = _ChildFields()
"""Those of the `syntax_fields` that may hold nodes, going by their annotations: most nodes are leaves."""


def _is_node(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Node)


_spans: dict[type[Node], tuple[str, ...]] = {}


def _span_fields(cls: type[Node]) -> tuple[str, ...]:
    names = _spans.get(cls)
    if names is None:
        names = _spans[cls] = tuple(item.name for item in fields(cls) if item.name.endswith("span"))
    return names


N = TypeVar("N", bound=Node)


def transform(node: N, rewrite: Callable[[Node], Node | Sequence[Node]]) -> N:
    """Rewrites the tree below `node` in place, children first; the root itself stays.

    `rewrite` gets each descendant, whose own children are done, and returns what stands in its place: usually the
    same node. In a list (of statements, of arguments) it may return a sequence, which is spliced in: an empty one
    deletes. A sequence anywhere else is a TypeError.
    """
    for name in child_fields[type(node)]:
        value = getattr(node, name)
        if isinstance(value, Node):
            result = rewrite(transform(value, rewrite))
            if not isinstance(result, Node):
                raise TypeError(f"{type(node).__name__}.{name} takes one node")
            if result is not value:
                setattr(node, name, result)
        elif isinstance(value, list):
            items: list[Node] = []
            for item in value:
                result = rewrite(transform(item, rewrite))
                if isinstance(result, Node):
                    items.append(result)
                else:
                    items.extend(result)
            value[:] = items
    return node


def replace_children(node: Node, rewrite: Callable[[Node], Node]) -> None:
    """Replaces each direct child of `node` by what `rewrite` returns for it, in source order."""
    for name in child_fields[type(node)]:
        value = getattr(node, name)
        if isinstance(value, Node):
            result = rewrite(value)
            if result is not value:
                setattr(node, name, result)
        elif isinstance(value, list):
            value[:] = [rewrite(item) for item in value]


def equal(left: object, right: object) -> bool:
    """Whether two trees have the same structure; spans and analysis results do not count."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, Node):
            pairs.extend((getattr(one, name), getattr(other, name)) for name in syntax_fields(type(one)))
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            pairs.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True
