"""A tree on one line, for test cases: `(Name field ...)`, with the leaves as they are written."""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.node import syntax_fields


def brief(value: object) -> str:
    match value:
        case ast.Integer(number):
            return str(number)
        case ast.Variable(name) | ast.Map(name) | ast.Identifier(name) | ast.NamedType(name):
            return name
        case ast.Builtin(name):
            return f"<{name}>"
        case ast.String(text) | str(text):
            return repr(text)
        case ast.Binary(op, left, right):
            return f"({op} {brief(left)} {brief(right)})"
        case ast.Unary(op, operand):
            return f"({op} {brief(operand)})"
        case ast.ExpressionStatement(expression):
            return f"{brief(expression)};"
        case list():
            return f"[{' '.join(map(brief, value))}]"
        case ast.Node():
            fields = [getattr(value, name) for name in syntax_fields(type(value))]
            return f"({' '.join([type(value).__name__, *map(brief, fields)])})"
    return str(value)
