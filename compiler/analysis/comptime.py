"""What is known when compiling: typeinfo, is_str() and its kin, and what `comptime` asks about them.

Used by type resolution, between its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from compiler.analysis.builtin_types import kind_name
from compiler.analysis.fold import Folder, is_literal, truth
from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.lattice import UINT64, Array, Integer, None_, Pointer, Record, String, Struct, Type

PREDICATES: Mapping[str, Callable[[Type], bool]] = {
    "is_array": lambda type_: isinstance(type_, Array),
    "is_integer": lambda type_: isinstance(type_, Integer),
    "is_ptr": lambda type_: isinstance(type_, Pointer),
    "is_str": lambda type_: isinstance(type_, String),
    "is_unsigned_integer": lambda type_: isinstance(type_, Integer) and not type_.signed,
}
"""Functions that look at the type of their argument alone."""


def typeinfo_type(type_: Type) -> Type:
    """The type of `typeinfo(x)`, x being of type `type_`."""
    base, full = (String(len(text.encode()) + 1) for text in (kind_name(type_), str(type_)))
    return Record((("btf_id", UINT64), ("base_type", base), ("full_type", full)))


def typeinfo(node: ast.TypeInfo) -> ast.Record:
    """The record that `typeinfo` yields; its operand has a type."""
    type_, span = node.operand.type, node.span
    values = {
        "btf_id": ast.Integer(0, span=span),
        "base_type": ast.String(kind_name(type_), span=span),
        "full_type": ast.String(str(type_), span=span),
    }
    return ast.Record([ast.NamedArgument(name, value, span=span) for name, value in values.items()], span=span)


def evaluate(node: ast.Node, sink: DiagnosticSink) -> ast.Expression | None:
    """The literal that an expression is, None if it is none or its types are not known. Nothing is changed."""
    match node:
        case ast.Comptime(operand) | ast.Block([], ast.Expression() as operand):
            return evaluate(operand, sink)
        case ast.TypeInfo(operand):
            return None if isinstance(operand.type, None_ | None) else typeinfo(node)
        case ast.SizeOf(operand):
            known = not isinstance(operand.type, None_ | None)
            return ast.Integer(operand.type.size, span=node.span) if known else None
        case ast.OffsetOf(operand, names):
            value = offset(operand.type, names)
            return None if value is None else ast.Integer(value, span=node.span)
        case ast.Call("is_scalar", [ast.Map(symbol=symbol)]):
            return ast.Boolean(symbol.key_type is None, span=node.span)
        case ast.Call("is_literal", [argument]):
            return ast.Boolean(evaluate(argument, sink) is not None, span=node.span)
        case ast.Call(name, [argument]) if name in PREDICATES:
            known = not isinstance(argument.type, None_ | None)
            return ast.Boolean(PREDICATES[name](argument.type), span=node.span) if known else None
        case ast.Unary() | ast.Binary() | ast.If() | ast.FieldAccess() | ast.ArrayAccess() | ast.TupleAccess():
            return _fold(node, sink)
        case ast.Expression() if is_literal(node):
            return node
        case _:
            return None


def offset(type_: Type | None, names: Sequence[str]) -> int | None:
    """Bytes from the start of a structure to the member that `names` lead to; None if there is none."""
    total = 0
    for name in names:
        member = type_.member(name) if isinstance(type_, Struct) else None
        if member is None:
            return None
        total += member.byte_offset
        type_ = member.type
    return total


def _fold(node: ast.Expression, sink: DiagnosticSink) -> ast.Expression | None:
    copy = node.clone()
    for own, child in zip(copy.children(), node.children(), strict=True):
        value = evaluate(child, sink)
        if value is None:
            return None
        _replace(copy, own, value.clone())
    result = Folder(sink).rewrite(copy)
    return result if isinstance(result, ast.Expression) and is_literal(result) else None


def _replace(parent: ast.Node, old: ast.Node, new: ast.Node) -> None:
    ast.replace_children(parent, lambda child: new if child is old else child)


@dataclass(slots=True)
class Decider:
    """Replaces what can be decided now."""

    sink: DiagnosticSink
    open: list[ast.Comptime] = field(default_factory=list)
    """What could not be decided."""
    changed: bool = False

    def run(self, programs: Sequence[BpfProgram]) -> None:
        for program in programs:
            ast.replace_children(program.probe, self.visit)

    def visit(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.If(ast.Comptime() as condition, then, orelse):
                value = evaluate(condition, self.sink)
                holds = None if value is None else truth(value)
                if holds is None:
                    self.open.append(condition)
                    return node
                self.changed = True
                taken = then if holds else orelse
                # What is inside has not been looked at: its types are the next round's.
                return ast.Block([], span=node.span) if taken is None else taken
            case ast.Comptime():
                value = evaluate(node, self.sink)
                if value is None:
                    self.open.append(node)
                    return node
                self.changed = True
                return value.clone()
            case _:
                ast.replace_children(node, self.visit)
                return node
