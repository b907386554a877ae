"""Pass: return from inside a loop.

Before: desugared bodies. After: no `return` is inside a `for`, whose rounds may run in a function of their own: it is
noted in a variable that no script can name, the loops are left, and the program returns behind the outermost.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.source import Span

_FLAG = "$(return)"


def run(programs: Sequence[BpfProgram]) -> None:
    for program in programs:
        body = program.probe.body
        if _Returns().block(body):
            span = body.span
            declaration = ast.VariableDeclaration(
                _flag(span), None, ast.Boolean(False, span=span), span=span, declaration_span=span
            )
            body.statements.insert(0, declaration)


def _flag(span: Span) -> ast.Variable:
    return ast.Variable(_FLAG, span=span)


class _Returns:
    """Rewrites what is inside a loop; each method says whether there was a return."""

    def __init__(self) -> None:
        self.inside = False
        """Whether we are in a `for`, directly or in another loop."""

    def block(self, block: ast.Block) -> bool:
        found = False
        statements: list[ast.Statement] = []
        for statement in block.statements:
            match statement:
                case ast.Return(span=span) if self.inside:
                    note = ast.Assign(_flag(span), None, ast.Boolean(True, span=span), span=span, operator_span=span)
                    statements += [note, ast.Break(span=span)]
                    found = True
                case ast.For() | ast.While():
                    statements.append(statement)
                    if self.loop(statement):
                        statements.append(self.leave(statement.span))
                        found = True
                case _:
                    statements.append(statement)
                    found |= self.node(statement)
        block.statements = statements
        return found or (block.result is not None and self.node(block.result))

    def loop(self, node: ast.For | ast.While) -> bool:
        before, self.inside = self.inside, self.inside or isinstance(node, ast.For)
        found = self.block(node.body)
        self.inside = before
        return found and (before or isinstance(node, ast.For))

    def leave(self, span: Span) -> ast.Statement:
        """What stands behind a loop that may have been left by a return."""
        jump: ast.Statement = ast.Break(span=span) if self.inside else ast.Return(span=span)
        return ast.ExpressionStatement(ast.If(_flag(span), ast.Block([jump], span=span), None, span=span), span=span)

    def node(self, node: ast.Node) -> bool:
        if isinstance(node, ast.Block):
            return self.block(node)
        found = [self.node(child) for child in node.children()]
        return any(found)
