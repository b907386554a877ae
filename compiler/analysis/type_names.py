"""Types as a script writes them, turned into types of the lattice."""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.builtin_names import BUILTIN_TYPES, sized
from compiler.types.c_names import c_type
from compiler.types.lattice import NONE, Array, Enum, Pointer, Type, TypeSource, Void


def resolve(node: ast.TypeExpression, source: TypeSource, sink: DiagnosticSink) -> Type:
    """The type that `node` names, NONE (reported) if nothing knows it. A TypeOf is not for this function."""
    found = _resolve(node, source)
    if found is None:
        unknown = node
        while isinstance(unknown, ast.PointerType) and _resolve(unknown.pointee, source) is None:
            unknown = unknown.pointee
        sink.error("unknown-type", f'Cannot resolve unknown type "{spelling(unknown)}"', node.span)
        return NONE
    return found


def _resolve(node: ast.TypeExpression, source: TypeSource) -> Type | None:
    match node:
        case ast.NamedType(name):
            # A structure may be named without the keyword, as in C++.
            return BUILTIN_TYPES.get(name) or c_type(name, source) or source.struct(name) or source.union(name)
        case ast.RecordType("struct", name):
            return source.struct(name)
        case ast.RecordType("union", name):
            return source.union(name)
        case ast.RecordType("enum", name):
            found = source.enum(name)
            return found and Enum(64, found.signed, name, source=found.source, key=found.key)
        case ast.PointerType(pointee):
            target = _resolve(pointee, source)
            return Pointer(target) if target and not target.is_map_value else None
        case ast.ArrayType(ast.NamedType(name), size) if (of_size := sized(name, size)) is not None:
            return of_size
        case ast.ArrayType(element, size):
            of = _resolve(element, source)
            return None if of is None or isinstance(of, Void) or of.is_map_value else Array(of, size)
        case _:
            return None


def spelling(node: ast.TypeExpression) -> str:
    """The type as it is written, normalised."""
    match node:
        case ast.NamedType(name):
            return name
        case ast.RecordType(kind, name):
            return f"{kind} {name}"
        case ast.PointerType(pointee):
            return f"{spelling(pointee)} *"
        case ast.ArrayType(element, size):
            return f"{spelling(element)}[{size or ''}]"
        case _:
            return node.span.text
