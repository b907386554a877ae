"""Parameters of the tracer: what a getopt() call declares, and how a positional parameter is used.

What a positional parameter is, a number or text, only the tracer's command line tells. So its use decides: it is text
where text is wanted (`str($1)`, `comm == $1`, a `%s`), a word that is printed as it is in `print($1)`, and a number
everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis import format_string
from compiler.analysis.program import Parameter, ParameterKind
from compiler.builtins import Accept, Builtin
from compiler.syntax import ast
from compiler.types.lattice import BOOL, INT64, UINT64, Integer, String, Tuple, Type, Word

NUMBER = Integer(64, True, flexible=True)
"""The type of a parameter that is a number. It is as a literal, were it known: so it takes either sign."""

_ON_TEXT = frozenset({"strcap", "strcontains", "strlen", "strstr", "str_concat"})
"""Functions whose arguments of any type are text, were they known."""


def parameter_kind(type_: Type) -> ParameterKind:
    """How a positional parameter of this type is used."""
    match type_:
        case String():
            return ParameterKind.STRING
        case Word():
            return ParameterKind.WORD
        case _:
            return ParameterKind.INTEGER


def used_as(node: ast.Expression, target: Type, text: String) -> Iterator[tuple[ast.PositionalParameter, Type]]:
    """The parameters in a value that goes where a `target` is, and what they are there if that is not a number."""
    match node, target:
        case ast.PositionalParameter(), String():
            yield node, text
        case ast.Tuple(elements), Tuple(types) if len(elements) == len(types):
            for element, type_ in zip(elements, types, strict=True):
                yield from used_as(element, type_, text)


def used_by(call: ast.Call, text: String) -> Iterator[tuple[ast.PositionalParameter, Type]]:
    """The same of the parameters among a call's arguments."""
    assert isinstance(call.builtin, Builtin)
    match call.name, call.arguments:
        case "str", [ast.PositionalParameter() as node, *_]:
            yield node, text
        case "str", [ast.Binary("+", ast.PositionalParameter() as node, _), *_]:
            yield node, text
        case "print", [value, *_]:
            for node in _printed(value):
                yield node, Word()
        case name, [ast.String(form), *values] if name in format_string.FUNCTIONS:
            pieces = [piece for piece in format_string.pieces(form) if piece.argument is not None]
            for piece, value in zip(pieces, values, strict=False):
                if isinstance(value, ast.PositionalParameter) and piece.conversion == "s":
                    yield value, text
        case name, arguments:
            for parameter, value in zip(call.builtin.parameters, arguments, strict=False):
                wants_text = name in _ON_TEXT or (parameter.accept is Accept.STRING and not parameter.literal)
                if isinstance(value, ast.PositionalParameter) and wants_text:
                    yield value, text


def _printed(node: ast.Expression) -> Iterator[ast.PositionalParameter]:
    match node:
        case ast.PositionalParameter():
            yield node
        case ast.Tuple(elements):
            for element in elements:
                yield from _printed(element)
        case ast.Record(fields):
            for item in fields:
                yield from _printed(item.value)


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
        case _:
            return str(parameter.default_integer)
