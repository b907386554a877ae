"""The tables that say which function generates code for which node or builtin.

The files of this package register theirs; `compiler.codegen.generator` imports them all.

A lowering of an expression gets a place `into` or None. If there is one, an aggregate must be made there and that very
place be returned, so that strings and tuples are built where they are needed; scalars disregard it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from compiler.codegen.values import Place, Value
from compiler.syntax import ast

if TYPE_CHECKING:
    from compiler.codegen.emitter import Emitter

ExpressionLowering = Callable[["Emitter", Any, Place | None], Value]
StatementLowering = Callable[["Emitter", Any], None]
AggregationLowering = Callable[["Emitter", ast.MapAccess, ast.Call], None]

EXPRESSIONS: dict[type[ast.Expression], ExpressionLowering] = {}
STATEMENTS: dict[type[ast.Statement], StatementLowering] = {}
BUILTINS: dict[str, ExpressionLowering] = {}
"""Builtin variables and functions; the node is an ast.Builtin or an ast.Call."""
AGGREGATIONS: dict[str, AggregationLowering] = {}

F = TypeVar("F", bound=Callable[..., Any])


def _register(table: dict[Any, Any], keys: tuple[Any, ...]) -> Callable[[F], F]:
    def register(function: F) -> F:
        for key in keys:
            if key in table:
                raise ValueError(f"two lowerings for {key}")
            table[key] = function
        return function

    return register


def expression(*nodes: type[ast.Expression]) -> Callable[[F], F]:
    return _register(EXPRESSIONS, nodes)


def statement(*nodes: type[ast.Statement]) -> Callable[[F], F]:
    return _register(STATEMENTS, nodes)


def builtin(*names: str) -> Callable[[F], F]:
    return _register(BUILTINS, names)


def aggregation(*names: str) -> Callable[[F], F]:
    return _register(AGGREGATIONS, names)
