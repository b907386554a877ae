"""Named parameters of the tracer: what a getopt() call declares."""

from __future__ import annotations

from compiler.analysis.program import Parameter, ParameterKind
from compiler.syntax import ast
from compiler.types.lattice import BOOL, INT64, UINT64, String, Type


def named_type(node: ast.Call, max_strlen: int) -> Type:
    """The type of a getopt() call: its default's. The call may still be wrong: compiler.analysis.check says so."""
    match node.arguments:
        case [_] | [_, ast.Boolean(), *_]:
            return BOOL
        case [_, ast.String(), *_]:
            return String(max_strlen)
        case [_, ast.Integer(value), *_] if value < 0:
            return INT64
        case _:
            return UINT64


def named(node: ast.Call) -> Parameter:
    """The parameter of a call that compiler.analysis.check let pass."""
    name, *rest = node.arguments
    assert isinstance(name, ast.String)
    description = rest[1].value if len(rest) > 1 and isinstance(rest[1], ast.String) else ""
    kind, integer, text = ParameterKind.BOOL, 0, ""
    match rest:
        case [ast.Boolean(value), *_]:
            integer = int(value)
        case [ast.Integer(value), *_]:
            # The message has an int64: an unsigned one goes by its bits.
            kind, integer = ParameterKind.INTEGER, value - (1 << 64) if value >= 1 << 63 else value
        case [ast.String(value), *_]:
            kind, text = ParameterKind.STRING, value
    return Parameter(
        kind,
        node.span,
        name=name.value,
        default_integer=integer,
        default_string=text,
        description=description,
        size=node.type.size if kind is ParameterKind.STRING else 0,
    )


def shown_default(parameter: Parameter) -> str:
    match parameter.kind:
        case ParameterKind.STRING:
            return parameter.default_string
        case ParameterKind.BOOL:
            return "true" if parameter.default_integer else "false"
        case ParameterKind.INTEGER:
            return str(parameter.default_integer)
