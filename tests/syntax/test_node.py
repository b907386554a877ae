"""What all nodes can do: children, walking, rewriting, copying, comparing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args, get_type_hints

import pytest

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.node import child_fields, syntax_fields
from compiler.syntax.parser import parse, parse_expression
from compiler.syntax.source import SourceFile
from tests.syntax.brief import brief


def expression(text: str) -> ast.Expression:
    result = parse_expression(SourceFile("a.bt", text), DiagnosticSink())
    assert result is not None
    return result


def program(text: str) -> ast.Program:
    sink = DiagnosticSink()
    result = parse(SourceFile("a.bt", text), sink)
    assert sink.render() == ""
    return result


def test_children_in_order() -> None:
    call = expression("f(1, $x, @y)")
    assert [brief(child) for child in call.children()] == ["1", "$x", "@y"]


def test_walk_parents_first_in_source_order() -> None:
    names = [type(node).__name__ for node in expression("1 + f($x) * -@y").walk()]
    assert names == ["Binary", "Integer", "Binary", "Call", "Variable", "Unary", "Map"]


def _may_hold_nodes(annotation: object) -> bool:
    if isinstance(annotation, type):
        return issubclass(annotation, ast.Node)
    return any(map(_may_hold_nodes, get_args(annotation)))


NODES = [cls for cls in vars(ast).values() if isinstance(cls, type) and issubclass(cls, ast.Node)]


@pytest.mark.parametrize("cls", NODES)
def test_fields_that_hold_nodes_are_known_by_their_annotations(cls: type[ast.Node]) -> None:
    hints = get_type_hints(cls)
    assert child_fields[cls] == tuple(name for name in syntax_fields(cls) if _may_hold_nodes(hints[name]))


def test_nodes_are_keys() -> None:
    one, other = expression("1"), expression("1")
    assert {one: "one", other: "other"}[one] == "one"
    assert one != other
    assert ast.equal(one, other)


@pytest.mark.parametrize(
    ("left", "right"),
    [("1", "2"), ("1", "0x1"), ("1 + 2", "1 - 2"), ("f(1)", "f(1, 2)"), ("$x.a", "$x->a"), ("true", "1"), ("1", "$x")],
)
def test_unequal(left: str, right: str) -> None:
    assert not ast.equal(expression(left), expression(right))


def test_places_and_types_do_not_count() -> None:
    left, right = expression("1+2"), expression(" 1 + 2")
    left.type = "anything"
    assert ast.equal(left, right)


def test_clone_is_deep_and_forgets_analysis() -> None:
    original = expression("f(1, $x)")
    original.type = "anything"
    copy = original.clone()
    assert ast.equal(original, copy)
    assert copy.type is None
    assert not {id(node) for node in original.walk()} & {id(node) for node in copy.walk()}


def test_clone_of_every_statement_keeps_its_places() -> None:
    text = "kprobe:f /pid/ { let $x : int8 = 1; $x += 2; for ($i : 0..2) { @[$i]++; } return; }"
    original = program(text)
    copy = original.clone()
    assert [node.span for node in copy.walk()] == [node.span for node in original.walk()]
    [probe], [copied] = original.probes, copy.probes
    assert copied.predicate_span == probe.predicate_span
    match copied.body.statements[:2]:
        case [ast.VariableDeclaration() as declaration, ast.Assign() as assign]:
            assert declaration.declaration_span.text == "let $x"
            assert assign.operator_span.text == "+= 2"
        case _:
            pytest.fail("other statements")


def test_clone_of_an_expansion() -> None:
    call = SourceFile("b.bt", "call()").span(0, 6)
    copy = expression("$x + 1").clone(call)
    assert all(node.span.expanded_from == call for node in copy.walk())
    assert copy.span.text == "$x + 1"


def test_transform_replaces() -> None:
    def double(node: ast.Node) -> ast.Node:
        return ast.Integer(node.value * 2, span=node.span) if isinstance(node, ast.Integer) else node

    tree = expression("f(1, 2 + $x)")
    assert ast.transform(tree, double) is tree
    assert brief(tree) == "(Call 'f' [2 (+ 4 $x)])"


def test_transform_works_from_the_leaves() -> None:
    def fold(node: ast.Node) -> ast.Node:
        match node:
            case ast.Binary("+", ast.Integer(left), ast.Integer(right)):
                return ast.Integer(left + right, span=node.span)
        return node

    assert brief(ast.transform(expression("-(1 + 2 + 3 + $x)"), fold)) == "(- (+ 6 $x))"


def test_transform_splices_into_lists() -> None:
    def twice_without_breaks(node: ast.Node) -> ast.Node | Sequence[ast.Node]:
        match node:
            case ast.Break():
                return []
            case ast.ExpressionStatement():
                return [node, node.clone()]
        return node

    tree = program("begin { while (1) { f(); break; } }")
    ast.transform(tree, twice_without_breaks)
    assert brief(tree.probes[0].body) == "(Block [(While 1 (Block [(Call 'f' []); (Call 'f' []);] None))] None)"


def test_transform_refuses_a_sequence_for_one_node() -> None:
    with pytest.raises(TypeError, match=r"Unary\.operand"):
        ast.transform(expression("-1"), lambda node: [node, node])
