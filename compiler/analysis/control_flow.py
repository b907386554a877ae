"""Pass: control flow.

Before: desugared bodies, in which exit() is followed by a return and no return is inside a for. After: nothing follows
a jump in its block; what did has been reported and moved to a branch that is never taken, where it still tells the
types of variables. Reported: jumps where they make no sense.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    for program in programs:
        _check_jumps(program.probe.body, sink, in_loop=False)
        _Reachability(sink).ends(program.probe.body)


def _check_jumps(node: ast.Node, sink: DiagnosticSink, *, in_loop: bool) -> None:
    match node:
        case ast.Break() | ast.Continue() if not in_loop:
            name = type(node).__name__.lower()
            sink.error("jump", f"'{name}' statement is not allowed in a probe", node.span)
        case ast.While():
            sink.warning(
                "deprecated",
                "While loops are deprecated and may be removed in the future.",
                node.span,
                hints=[
                    "For loops support ranges (e.g. `for ($x : $start..$end) { ... }`), and can be used in place of "
                    "while. These are more easily proven to be bounded by the verifier."
                ],
            )
    inside = in_loop or isinstance(node, ast.For | ast.While)
    for child in node.children():
        _check_jumps(child, sink, in_loop=inside)


class _Reachability:
    def __init__(self, sink: DiagnosticSink) -> None:
        self.sink = sink

    def ends(self, node: ast.Node) -> bool:
        """Whether control never comes out behind `node`, whose blocks are put in order on the way."""
        match node:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.If(condition, then, orelse):
                ended = self.ends(condition)
                branches = [self.ends(then), orelse is not None and self.ends(orelse)]
                return ended or all(branches)
            case ast.Block():
                return self.block(node)
            case ast.For(_, _, body) | ast.While(_, body):
                # The jumps inside are about the loop.
                self.ends(body)
                return False
            case _:
                ends = [self.ends(child) for child in node.children()]
                return any(ends)

    def block(self, block: ast.Block) -> bool:
        for index, statement in enumerate(block.statements):
            if self.ends(statement):
                self.cut(block, index)
                return True
        return block.result is not None and self.ends(block.result)

    def cut(self, block: ast.Block, last: int) -> None:
        """Moves what stands behind the statement number `last`, which ends the block."""
        dead = block.statements[last + 1 :]
        if dead:
            self.sink.warning("unreachable", "Unreachable statement.", dead[0].span)
        if block.result is not None:
            self.sink.warning(
                "unreachable", "Unreachable expression; block type is implicitly none.", block.result.span
            )
            dead.append(ast.ExpressionStatement(block.result, span=block.result.span))
            block.result = None
        if not dead:
            return
        for statement in dead:
            self.ends(statement)
        end = block.statements[last]
        branches = ast.If(
            ast.Boolean(True, span=end.span),
            ast.Block([end], span=end.span),
            ast.Block(dead, span=dead[0].span),
            span=end.span,
        )
        block.statements[last:] = [ast.ExpressionStatement(branches, span=end.span)]
