"""Checks of the arguments of library functions, called by compiler.analysis.check: a table by the function's name."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from ipaddress import ip_address

from compiler.analysis import format_string
from compiler.analysis.builtin_types import kind_name
from compiler.analysis.program import LARGEST_PACKET
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.btf_source import is_relocatable
from compiler.types.lattice import Array, Bool, Integer, MacAddress, Pointer, Stack, String, Struct, Type, Void

_MOST_SIGNALS = 64
_MOST_TRACED = 3
_LONGEST_PATH = 2**31 - 1
"""What bpf_d_path() takes; how much memory there is is another question."""
_TRACED: Mapping[str, type[Type]] = {"d": Integer, "u": Integer, "x": Integer, "p": Integer, "s": String}
"""What bpf_trace_printk takes."""


def _string_like(node: ast.Call, sink: DiagnosticSink) -> None:
    """A string, or an array or pointer of characters."""
    for argument in node.arguments:
        match argument.type:
            case String() | Array(Integer(bits=8)) | Pointer(Integer(bits=8)):
                continue
            case Array():
                message = "string-like arrays must contain a char-like type"
            case Pointer():
                message = "string-like pointers must point to a char-like type"
            case _:
                message = "string-like values must be either strings, arrays or pointers"
        sink.error("argument-type", message, node.span)


def _strings(node: ast.Call, sink: DiagnosticSink) -> None:
    for argument in node.arguments[:2]:
        if not isinstance(argument.type, String):
            message = f"{node.name}() expects strings ({kind_name(argument.type)} provided)"
            sink.error("argument-type", message, node.span)


def _strncmp(node: ast.Call, sink: DiagnosticSink) -> None:
    _strings(node, sink)
    match node.arguments[2]:
        case ast.Integer(count) if count < 0:
            sink.error("argument-value", "Builtin strncmp requires a non-negative literal", node.span)
        case ast.Integer() | ast.PositionalParameter():
            pass
        case _:
            sink.error("argument-type", "strncmp() expects a int literal (int provided)", node.span)


def _signal(node: ast.Call, sink: DiagnosticSink) -> None:
    argument = node.arguments[0]
    match argument:
        case ast.String(value):
            if signal_number(value) is None:
                sink.error("argument-value", f"Invalid string for signal: {value}", argument.span)
        case ast.Integer(value):
            if not 1 <= value <= _MOST_SIGNALS:
                message = f"{node.name}() accepts a string literal or an integer between 1 and 64 (inclusive)"
                sink.error("argument-value", message, argument.span)
        case _ if not isinstance(argument.type, Integer):
            sink.error("argument-type", f"{node.name}() accepts a string literal or an integer", argument.span)


def signal_number(name: str) -> int | None:
    """The number of a signal, named with or without `SIG`."""
    found = signal.Signals.__members__.get(name if name.startswith("SIG") else f"SIG{name}")
    return None if found is None else int(found)


def _macaddr(node: ast.Call, sink: DiagnosticSink) -> None:
    argument = node.arguments[0]
    if isinstance(argument, ast.String):
        sink.error("argument-type", "macaddr() does not support literal string arguments", node.span)
    elif not isinstance(argument.type, Array | String | Integer | Pointer):
        message = f"macaddr() only supports array or pointer arguments ({kind_name(argument.type)} provided)"
        sink.error("argument-type", message, node.span)
    elif isinstance(argument.type, Array | String) and argument.type.size < MacAddress().size:
        sink.error("argument-type", "macaddr() argument must be at least 6 bytes in size", node.span)


def _pton(node: ast.Call, sink: DiagnosticSink) -> None:
    address = node.arguments[0]
    if not isinstance(address, ast.String):
        sink.error("argument-type", "pton() expects an string literal at the first argument", node.span)
        return
    if not set(".:") & set(address.value):
        message = f"pton() expects an string argument of an IPv4/IPv6 address, got {address.value}"
        sink.error("argument-value", message, node.span)
        return
    try:
        ip_address(address.value)
    except ValueError:
        sink.error("argument-value", f"pton() expects a valid IPv4/IPv6 address, got {address.value}", node.span)


def _len(node: ast.Call, sink: DiagnosticSink) -> None:
    argument = node.arguments[0]
    if not isinstance(argument, ast.Map) and not isinstance(argument.type, Stack):
        sink.error("argument-type", "call to len() expects a map, ustack, or kstack", node.span)


def _getopt(node: ast.Call, sink: DiagnosticSink) -> None:
    name, *rest = node.arguments
    if not isinstance(name, ast.String):
        sink.error("argument-value", "First argument to 'getopt' must be a string literal.", name.span)
    match rest:
        case [default, *_] if not isinstance(default, ast.Integer | ast.Boolean | ast.String):
            message = "Second argument to 'getopt' must be a string literal, integer literal, or a boolean literal."
            sink.error("argument-value", message, default.span)
        case [_, description] if not isinstance(description, ast.String):
            message = "Function 'getopt' requires the third parameter to be a string literal."
            sink.error("argument-value", message, description.span)


def _debugf(node: ast.Call, sink: DiagnosticSink) -> None:
    text, *arguments = node.arguments
    assert isinstance(text, ast.String)
    message = (
        "The debugf() builtin is not recommended for production use. "
        "For more information see bpf_trace_printk in bpf-helpers(7)."
    )
    sink.warning("debugf", message, node.span)
    if len(arguments) > _MOST_TRACED:
        sink.error("format", f"cannot use more than {_MOST_TRACED} conversion specifiers", node.span)
    problem = format_string.check(text.value, [argument.type for argument in arguments])
    if problem:
        sink.error("format", problem, node.span)
        return
    pieces = [piece for piece in format_string.pieces(text.value) if piece.argument is not None]
    for piece, argument in zip(pieces, arguments, strict=True):
        wanted = _TRACED.get(piece.conversion)
        if wanted is None:
            message = f"Invalid format specifier for `debugf`: {piece.conversion}"
            sink.error("format", message, text.span)
        elif not isinstance(argument.type, wanted):
            message = f"Type does not match format specifier: {piece.conversion}"
            sink.error("format", message, argument.span)


def _path(node: ast.Call, sink: DiagnosticSink) -> None:
    type_ = node.arguments[0].type
    if not isinstance(type_, Struct | Pointer):
        message = f"path() only supports pointer or C type argument ({kind_name(type_)} provided)"
        sink.error("argument-type", message, node.span)
    match node.arguments:
        case [_, ast.Integer(size)] if size <= 0:
            sink.error("argument-value", f"path() expects a size of at least 1 ({size} provided)", node.span)
        case [_, ast.Integer(size)] if size > _LONGEST_PATH:
            message = f"path() expects a size of at most {_LONGEST_PATH} ({size} provided)"
            sink.error("argument-value", message, node.span)


def _write_user(node: ast.Call, sink: DiagnosticSink) -> None:
    """An address in user memory, data or a pointer to it, and how many bytes: known now if only the pointer is."""
    target, source, size = node.arguments
    if not isinstance(target.type, Integer | Pointer):
        message = f"write_user() expects an address in user memory as first argument ({target.type} provided)"
        sink.error("argument-type", message, target.span)
    if isinstance(source.type, Integer | Bool | Void):
        message = f"write_user() expects data in memory as second argument ({source.type} provided)"
        sink.error("argument-type", message, source.span)
    match size:
        case ast.SizeOf(operand) if not is_relocatable(operand.type):
            pass
        case ast.Integer(value) if value >= 0:
            pass
        case ast.Integer(value):
            message = f"write_user() cannot write a negative number of bytes ({value} provided)"
            sink.error("argument-value", message, size.span)
        case _ if isinstance(source.type, Pointer) or not isinstance(size.type, Integer | Bool):
            message = f"write_user() expects a number of bytes as third argument ({size.type} provided)"
            if isinstance(size.type, Integer):
                message = "write_user() expects a literal number of bytes, for data behind a pointer"
            sink.error("argument-type", message, size.span)


def _skboutput(node: ast.Call, sink: DiagnosticSink) -> None:
    _kernel_pointer(node, node.arguments[1], "sk_buff", "second", sink)
    match node.arguments[3]:
        case ast.Integer(offset) if not 0 <= offset <= LARGEST_PACKET:
            message = f"skboutput() expects an offset between 0 and {LARGEST_PACKET} ({offset} provided)"
            sink.error("argument-value", message, node.span)


def _socket_cookie(node: ast.Call, sink: DiagnosticSink) -> None:
    _kernel_pointer(node, node.arguments[0], "sock", "", sink)


def _kernel_pointer(node: ast.Call, argument: ast.Expression, wanted: str, which: str, sink: DiagnosticSink) -> None:
    """The verifier lets the helper have a pointer to one structure of the kernel only."""
    match argument.type:
        case Pointer(to=Struct(name=name, is_union=False)) if name == wanted:
            return
        case Pointer(to=Struct() as pointee):
            shown = f"'{pointee} *'"
        case other:
            shown = kind_name(other)
    place = f"{which} argument" if which else "argument"
    message = f"{node.name}() only supports 'struct {wanted} *' as the {place} ({shown} provided)"
    sink.error("argument-type", message, node.span)


CHECKS: Mapping[str, Callable[[ast.Call, DiagnosticSink], None]] = {
    "strlen": _string_like,
    "strcap": _string_like,
    "strstr": _strings,
    "strncmp": _strncmp,
    "str_concat": _strings,
    "signal": _signal,
    "signal_thread": _signal,
    "macaddr": _macaddr,
    "pton": _pton,
    "len": _len,
    "getopt": _getopt,
    "debugf": _debugf,
    "path": _path,
    "skboutput": _skboutput,
    "socket_cookie": _socket_cookie,
    "write_user": _write_user,
}
