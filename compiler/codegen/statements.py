"""Statements."""

from __future__ import annotations

from compiler.builtins import Builtin, Kind
from compiler.codegen import expressions, maps, memory
from compiler.codegen.emitter import Emitter
from compiler.codegen.lowering import AGGREGATIONS, statement
from compiler.codegen.values import is_scalar
from compiler.syntax import ast
from compiler.types import lattice


@statement(ast.ExpressionStatement, ast.Discard)
def expression_statement(e: Emitter, node: ast.ExpressionStatement | ast.Discard) -> None:
    e.value(node.expression)


@statement(ast.VariableDeclaration)
def declaration(e: Emitter, node: ast.VariableDeclaration) -> None:
    symbol = node.variable.symbol
    if node.value is not None:
        expressions.assign_variable(e, symbol, node.value)
    elif not isinstance(symbol.type, lattice.None_):
        # It may be read before it is assigned; a loop that comes by again finds what it left.
        storage = expressions.variable_storage(e, symbol)
        size = 8 if is_scalar(symbol.type) or expressions.is_reference(symbol.type) else symbol.type.size
        memory.clear_at_start(e, storage, size)


@statement(ast.Assign)
def assign(e: Emitter, node: ast.Assign) -> None:
    match node.target, node.value:
        case ast.Variable(symbol=symbol), value:
            expressions.assign_variable(e, symbol, value)
        case ast.MapAccess() as target, ast.Call(builtin=Builtin(kind=Kind.AGGREGATION)) as call:
            AGGREGATIONS[call.name](e, target, call)
        case ast.MapAccess() as target, value:
            maps.assign(e, target, value, node.span)


_RESULT_COUNTS = frozenset({"test", "bench"})
"""Probe types whose result the tracer looks at. Of the others the kernel does, and the script has no say in it."""


@statement(ast.Return)
def return_(e: Emitter, node: ast.Return) -> None:
    if node.value is not None and e.bpf.probe_type.name in _RESULT_COUNTS:
        e.f.ret(e.scalar(node.value))
    else:
        e.f.ret(e.return_value)
