"""Pass: rewrite the language's abbreviations.

Before: parsed bodies. After: no assignment is a compound one (`x += 1` is `x = x + 1`), `delete(@x[k])` is
`delete(@x, k)`, and a call of exit() is followed by a return.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast


def run(programs: Sequence[BpfProgram]) -> None:
    for program in programs:
        ast.transform(program.probe, _rewrite)


def _rewrite(node: ast.Node) -> ast.Node | Sequence[ast.Node]:
    match node:
        case ast.Assign(target, op, value) if op is not None:
            # The span of the operation is what messages about it underline.
            operation = ast.Binary(op, target.clone(), value, span=node.operator_span)
            return ast.Assign(target, None, operation, span=node.span, operator_span=node.operator_span)
        case ast.Call("delete", [ast.MapAccess(map_, key)]):
            return ast.Call("delete", [map_, key], span=node.span)
        case ast.Call("exit", _):
            done = ast.ExpressionStatement(node, span=node.span)
            return ast.Block([done, ast.Return(span=node.span)], span=node.span)
        case ast.ExpressionStatement(ast.Block([*statements], None)) if _is_exit(statements):
            return statements
        case _:
            return node


def _is_exit(statements: Sequence[ast.Statement]) -> bool:
    """Whether a block is what became of a call of exit(): as a statement it needs no block of its own."""
    match statements:
        case [ast.ExpressionStatement(ast.Call("exit", _) as call), ast.Return(None) as jump]:
            return jump.span is call.span
        case _:
            return False
