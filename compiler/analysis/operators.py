"""The types that operators yield."""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.types.lattice import (
    BOOL,
    INT64,
    NONE,
    UINT64,
    AddressSpace,
    Bool,
    Integer,
    None_,
    Pointer,
    Struct,
    Type,
    in_space,
)

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||"})
"""Operators that yield a bool."""
LOGICAL = frozenset({"&&", "||"})


def binary(node: ast.Binary, left: Type, right: Type, sink: DiagnosticSink) -> Type:
    if isinstance(left, None_) or isinstance(right, None_):
        return NONE
    if isinstance(left, Bool) and isinstance(right, Bool):
        return BOOL
    if isinstance(left, Pointer) or isinstance(right, Pointer):
        return _pointers(node, left, right, sink)
    numbers = _is_number(left) and _is_number(right)
    if node.op in COMPARISONS and not numbers:
        return BOOL
    space = _space(node, left, right, sink)
    if node.op in COMPARISONS:
        return BOOL
    if numbers:
        return in_space(_integers(node, left, right, sink), space)
    return INT64 if left.is_signed or right.is_signed else UINT64


def _is_number(type_: Type) -> bool:
    return isinstance(type_, Integer | Bool) or type_.is_castable_map_value


def _space(node: ast.Binary, left: Type, right: Type, sink: DiagnosticSink) -> AddressSpace:
    """Where the result points if it is used as an address: an offset points nowhere."""
    spaces = [getattr(type_, "space", AddressSpace.NONE) for type_ in (left, right)]
    known = [space for space in spaces if space is not AddressSpace.NONE]
    if len(set(known)) > 1:
        sink.warning("address-space", "Addrspace mismatch", node.span)
        return AddressSpace.NONE
    return known[0] if known else AddressSpace.NONE


def _integers(node: ast.Binary, left: Type, right: Type, sink: DiagnosticSink) -> Type:
    signs = [left.is_signed, right.is_signed]
    flexible = [isinstance(type_, Integer) and type_.flexible for type_ in (left, right)]
    if flexible == [True, False]:
        signs[0] = signs[1]
    elif flexible == [False, True]:
        signs[1] = signs[0]
    equal = type(left) is type(right) and left.size == right.size and signs[0] == signs[1]
    if node.op in ("/", "%") and any(signs) and not equal:
        # BPF had no signed division for most of its life.
        sink.warning(
            "signed-division",
            f"signed operands for '{node.op}' can lead to undefined behavior (cast to unsigned to silence warning)",
            node.span,
        )
    if equal:
        return INT64 if signs[0] or node.op == "-" else UINT64
    return INT64 if any(signs) or node.op == "-" else UINT64


def _pointers(node: ast.Binary, left: Type, right: Type, sink: DiagnosticSink) -> Type:
    match left, right:
        case Pointer(), Pointer():
            if node.op in COMPARISONS - LOGICAL and left.to != right.to:
                sink.warning(
                    "pointer-comparison",
                    f"comparison of distinct pointer types: {left.to}, {right.to}",
                    node.span,
                    notes=[Note(f"left ({left.to})", node.left.span), Note(f"right ({right.to})", node.right.span)],
                )
            if node.op in COMPARISONS:
                return BOOL
        case Pointer(), Integer() | Bool():
            if node.op in ("+", "-"):
                return Pointer(left.to, left.space)
            if node.op in COMPARISONS:
                return BOOL
        case Integer() | Bool(), Pointer():
            if node.op == "+":
                return Pointer(right.to, right.space)
            if node.op in COMPARISONS:
                return BOOL
    sink.error(
        "operand-type",
        f"The {node.op} operator can not be used on expressions of types {left}, {right}",
        node.span,
    )
    return NONE


def unary(node: ast.Unary, operand: Type, sink: DiagnosticSink) -> Type:
    match node.op, operand:
        case _, None_():
            return NONE
        case "!", Integer() | Bool():
            return BOOL
        case "*", Pointer():
            return operand.pointee
        case "*", Struct(context=True):
            return operand  # `*args` means `args`, as it once did
        case "*", Integer(space=space):
            return in_space(UINT64, space)
        case (("-" | "~"), Integer(space=space)):
            return in_space(INT64 if operand.is_signed else UINT64, space)
        case _:
            sink.error(
                "operand-type",
                f"The {node.op} operator can not be used on expressions of type '{operand}'",
                node.span,
            )
            return NONE
