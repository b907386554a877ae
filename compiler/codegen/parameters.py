"""The tracer's command line parameters in the script: `$1`, `$#`, getopt()."""

from __future__ import annotations

from compiler.analysis.program import ParameterKind
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin, expression
from compiler.codegen.values import Place, Value
from compiler.syntax import ast
from proto import required_resources_pb2 as pb


@expression(ast.PositionalParameter)
def positional_parameter(e: Emitter, node: ast.PositionalParameter, into: Place | None) -> Value:
    index = e.program.parameter_of[node]
    match e.program.parameters[index].kind:
        case ParameterKind.WORD:
            return str(index)
        case ParameterKind.STRING:
            return Place(e.f.module.symbol(e.resources.parameter_text(index)))
        case _:
            return e.symbol_value(e.resources.constants.parameter(index, node.span))


def text_from(e: Emitter, node: ast.Binary) -> Place:
    """`$1 + 2` where `$1` is text: what is left of it from there on."""
    text, last = e.place(node.left), node.left.type.size - 1
    offset = e.f.minimum(e.scalar(node.right), str(last))
    return Place(e.f.offset(text.address, offset), alignment=1)


@expression(ast.PositionalParameterCount)
def positional_parameter_count(e: Emitter, node: ast.PositionalParameterCount, into: Place | None) -> Operand:
    return e.symbol_value(e.resources.constants.host(pb.HostValue.POSITIONAL_COUNT))


@builtin("getopt")
def getopt(e: Emitter, node: ast.Call, into: Place | None) -> Value:
    index = e.program.parameter_of[node]
    match e.program.parameters[index].kind:
        case ParameterKind.STRING:
            return Place(e.f.module.symbol(e.resources.parameter_text(index)))
        case ParameterKind.BOOL:
            value = e.symbol_value(e.resources.constants.parameter(index, node.span))
            return e.f.boolean(e.f.compare("ne", value, "0"))
        case _:
            return e.symbol_value(e.resources.constants.parameter(index, node.span))
