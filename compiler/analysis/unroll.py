"""Pass: unroll.

Before: folded bodies. After: there is no Unroll, but its body as often as it says. Reported: counts that are not
between 1 and 100, or not known, and programs that become too large.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.growth import Growth, TooLarge
from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink

_LEAST, _MOST = 1, 100


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    growth = Growth("unrolled loops")

    def rewrite(node: ast.Node) -> ast.Node | Sequence[ast.Node]:
        if not isinstance(node, ast.Unroll):
            return node
        count = _count(node, sink)
        bodies: list[ast.Block] = []
        try:
            for _ in range(count):
                growth.add(node.body, node.span)
                bodies.append(node.body.clone())
        except TooLarge as error:
            if not sink.has_errors:
                sink.error("unroll", str(error), error.span)
            return []
        return [ast.ExpressionStatement(body, span=body.span) for body in bodies]

    for program in programs:
        ast.transform(program.probe, rewrite)


def _count(node: ast.Unroll, sink: DiagnosticSink) -> int:
    match node.count:
        case ast.Integer(value) if value > _MOST:
            problem = f"unroll maximum value is {_MOST}"
        case ast.Integer(value) if value < _LEAST:
            problem = f"unroll minimum value is {_LEAST}"
        case ast.Integer(value):
            return value
        case _:
            problem = "invalid unroll value"
    sink.error("unroll", problem, node.span)
    return _LEAST
