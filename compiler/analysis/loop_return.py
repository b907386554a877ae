"""Pass: return from inside a loop.

Before: desugared bodies. After: no `return` is inside a `for`, whose rounds may run in a function of their own: it is
noted in variables that no script can name, the loops are left, and the program returns behind the outermost.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.source import Span

_FLAG = "$(return)"
_RESULT = "$(result)"


def run(programs: Sequence[BpfProgram]) -> None:
    for program in programs:
        body = program.probe.body
        returns = _Returns()
        if returns.block(body):
            span = body.span
            body.statements.insert(0, _declare(_FLAG, ast.Boolean(False, span=span), span))
            if returns.has_result:
                body.statements.insert(0, _declare(_RESULT, ast.Integer(0, span=span), span))


def _declare(name: str, value: ast.Expression, span: Span) -> ast.Statement:
    variable = ast.Variable(name, span=span)
    return ast.VariableDeclaration(variable, None, value, span=span, declaration_span=span)


def _note(name: str, value: ast.Expression, span: Span) -> ast.Statement:
    return ast.Assign(ast.Variable(name, span=span), None, value, span=span, operator_span=span)


class _Returns:
    """Rewrites what is inside a loop; each method says whether there was a return."""

    def __init__(self) -> None:
        self.inside = False
        """Whether we are in a `for`, directly or in another loop."""
        self.has_result = False
        """Whether a return inside a loop has a value."""

    def block(self, block: ast.Block) -> bool:
        found = False
        statements: list[ast.Statement] = []
        for statement in block.statements:
            match statement:
                case ast.Return(value, span=span) if self.inside:
                    if value is not None:
                        statements.append(_note(_RESULT, value, span))
                        self.has_result = True
                    statements += [_note(_FLAG, ast.Boolean(True, span=span), span), ast.Break(span=span)]
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
        result = ast.Variable(_RESULT, span=span) if self.has_result else None
        jump: ast.Statement = ast.Break(span=span) if self.inside else ast.Return(result, span=span)
        flag = ast.Variable(_FLAG, span=span)
        return ast.ExpressionStatement(ast.If(flag, ast.Block([jump], span=span), None, span=span), span=span)

    def node(self, node: ast.Node) -> bool:
        if isinstance(node, ast.Block):
            return self.block(node)
        found = [self.node(child) for child in node.children()]
        return any(found)
