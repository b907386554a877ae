"""The check of calls of C sources' functions."""

from __future__ import annotations

from compiler.interop.module import CFunction
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.lattice import Bool, Integer, None_, Pointer, Struct, Type, Void


def check_c_call(node: ast.Call, sink: DiagnosticSink) -> None:
    """Every argument must have its parameter's type; integers are converted, and a pointer may stand for another one
    where C would take it without a warning, or where both point to what the language cannot tell apart.
    """
    function: CFunction = node.builtin
    failed = False
    for parameter, argument in zip(function.parameters, node.arguments, strict=True):
        if not isinstance(parameter.type, Integer | Bool | Pointer):
            message = f"Unable to convert argument type, function requires '{parameter.type}'"
            sink.error("argument-type", message, argument.span)
        elif not isinstance(argument.type, None_) and not _is_accepted(parameter.type, argument.type):
            named = f" for argument `{parameter.name}`" if parameter.name else ""
            message = f"Expected {parameter.type}{named} got {argument.type}"
            sink.error("argument-type", message, argument.span)
            failed = True
    if failed:
        types = ", ".join(str(parameter.type) for parameter in function.parameters)
        sink.error("argument-type", f"Function `{node.name}` requires arguments ({types})", node.span)


def _is_accepted(wanted: Type, given: Type) -> bool:
    match wanted, given:
        case Integer(), Integer():
            return True
        case Pointer(to), Pointer(of):
            if isinstance(to, Void) or isinstance(of, Void) or to == of:
                return True
            match to, of:
                case Integer(), Integer():
                    return to.size == of.size
                case Pointer(), Pointer():
                    return _is_accepted(to, of)
                case Struct(), Struct():
                    return to.name == of.name
                case _:
                    return False
        case _:
            return wanted == given
