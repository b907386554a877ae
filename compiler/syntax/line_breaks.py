r"""Breaks expressions that are too wide for a line: arguments and operands go below each other.

printf("%-6d %-16s\n",
       pid, comm);
"""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.expression_printer import ExpressionPrinter, operand_precedence
from compiler.syntax.grammar import BINARY_OPERATORS

_WIDTH = 80


class LineBreaker(ExpressionPrinter):
    def fitted(self, expression: ast.Expression, column: int, reserved: int = 0) -> str:
        """The text of an expression that begins at `column` (from 0), with `reserved` characters after it on its last
        line. Of several lines, those after the first are indented for where they stand. What cannot be broken stays
        too wide.
        """
        text = self.expression(expression)
        if "\n" in text or column + len(text) + reserved <= _WIDTH:
            return text
        match expression:
            case ast.Call(name, arguments):
                inner = self._list([(item, 0) for item in arguments], ", ", column + len(name) + 1, reserved + 1)
                return f"{name}({inner})"
            case ast.Tuple([_, _, *_] as elements):
                return f"({self._list([(item, 0) for item in elements], ', ', column + 1, reserved + 1)})"
            case ast.Binary(op):
                return self._list(_operands(expression), f" {op} ", column, reserved)
            case ast.If(condition, then, ast.Expression() as orelse, "ternary"):
                start = "\n" + " " * column
                first = self.expression(condition, 1)
                second = self.fitted(then, column + 2)
                return f"{first}{start}? {second}{start}: {self.fitted(orelse, column + 2, reserved)}"
            case _:
                return text

    def _list(self, items: list[tuple[ast.Expression, int]], separator: str, column: int, reserved: int) -> str:
        """Items, each with the precedence that its place asks for, filled into lines that begin at `column`."""
        lines = [""]
        for index, (item, minimum) in enumerate(items):
            is_last = index == len(items) - 1
            after = reserved if is_last else len(separator.rstrip())
            text = self.expression(item, minimum)
            if lines[-1] and column + len(lines[-1]) + len(text) + after > _WIDTH:
                lines[-1] = lines[-1].rstrip()
                lines.append("")
            # What has lines of its own has printed its comments: it cannot be printed again.
            if "\n" not in text:
                start = column + len(lines[-1])
                in_parentheses = text != self.expression(item)
                text = (
                    f"({self.fitted(item, start + 1, after + 1)})"
                    if in_parentheses
                    else self.fitted(item, start, after)
                )
            first, *rest = text.split("\n")
            lines[-1] += first
            # They are indented already; the first line of all is not.
            lines += [line[column:] if line[:column].isspace() or not column else line for line in rest]
            if not is_last:
                lines[-1] += separator
        return ("\n" + " " * column).join(lines)


def _operands(node: ast.Binary) -> list[tuple[ast.Expression, int]]:
    """Those of `a + b + c`, from left to right."""
    level = BINARY_OPERATORS[node.op][1]
    operands: list[tuple[ast.Expression, int]] = []
    left: ast.Expression = node
    while isinstance(left, ast.Binary) and left.op == node.op:
        operands.append((left.right, operand_precedence(node.op, left.right, level + 1)))
        left = left.left
    return [(left, operand_precedence(node.op, left, level)), *reversed(operands)]
