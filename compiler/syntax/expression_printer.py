"""Expressions and types as source text, with the parentheses that they need and no others."""

from __future__ import annotations

from abc import ABC, abstractmethod

from compiler.syntax import ast
from compiler.syntax.grammar import BINARY_OPERATORS, TYPE_NAMES, UNARY_PRECEDENCE
from compiler.syntax.literals import string_literal

_LOWEST = 0
_PRIMARY = UNARY_PRECEDENCE + 1
_BITWISE = frozenset({"&", "|", "^", "<<", ">>"})


def _precedence(expression: ast.Expression) -> int:
    """How tightly an expression holds together; what is below what its place asks for gets parentheses."""
    match expression:
        case ast.Binary(op):
            return BINARY_OPERATORS[op][1]
        case ast.If() | ast.Block():
            return _LOWEST
        case ast.Unary() | ast.Cast() | ast.AddressOf() | ast.Comptime() | ast.IncDec(prefix=True):
            return UNARY_PRECEDENCE
        case ast.Integer(value) if value < 0:
            return UNARY_PRECEDENCE
    return _PRIMARY


def operand_precedence(op: str, operand: ast.Expression, minimum: int) -> int:
    """What an operand of `op` has to hold together like: `minimum`, or more where few know which operator binds
    tighter: `a & (b - 1)`, `(a && b) || c`.
    """
    if not isinstance(operand, ast.Binary) or operand.op == op:
        return minimum
    if op in _BITWISE:
        return _PRIMARY
    return _PRIMARY if op == "||" and operand.op == "&&" else minimum


def _looks_like_type(expression: ast.Expression) -> bool:
    """Whether sizeof and its kin would take the text of this expression for a type."""
    while isinstance(expression, ast.ArrayAccess) and isinstance(expression.index, ast.Integer):
        expression = expression.target
        if isinstance(expression, ast.Identifier):
            return True
    return isinstance(expression, ast.Identifier) and expression.name in TYPE_NAMES


class ExpressionPrinter(ABC):
    @abstractmethod
    def block(self, block: ast.Block, *, with_result: bool = True) -> str:
        """A block from `{` to `}`; its lines after the first are indented for where it stands."""

    def expression(self, expression: ast.Expression, minimum: int = _LOWEST) -> str:
        """The text of an expression in a place that binds its operand as tightly as `minimum`."""
        text = self._bare(expression)
        return text if _precedence(expression) >= minimum else f"({text})"

    def condition(self, expression: ast.Expression) -> str:
        """What stands in the parentheses of `if`."""
        return self.expression(expression)

    def _bare(self, expression: ast.Expression) -> str:
        match expression:
            case ast.Integer(value, text):
                return str(value) if text is None else text
            case ast.Boolean(value):
                return "true" if value else "false"
            case ast.String(value):
                return string_literal(value)
            case ast.Identifier(name) | ast.Builtin(name) | ast.Variable(name) | ast.Map(name):
                return name
            case ast.PositionalParameter(index):
                return f"${index}"
            case ast.PositionalParameterCount():
                return "$#"
            case ast.MapAccess(map_, ast.Tuple([_, _, *_] as keys)):
                return f"{map_.name}[{self.expressions(keys)}]"
            case ast.MapAccess(map_, key):
                return f"{map_.name}[{self.expression(key)}]"
            case ast.AddressOf(target):
                return f"&{target.name}"
            case ast.Call(name, arguments):
                return f"{name}({self.expressions(arguments)})"
            case ast.TypeArgument(of):
                return self.type_expression(of)
            case ast.SizeOf(operand):
                return f"sizeof({self._operand(operand)})"
            case ast.TypeInfo(operand):
                return f"typeinfo({self._operand(operand)})"
            case ast.OffsetOf(operand, fields):
                return f"offsetof({self._operand(operand)}, {'.'.join(fields)})"
            case ast.Tuple([only]):
                return f"({self.expression(only)},)"
            case ast.Tuple(elements):
                return f"({self.expressions(elements)})"
            case ast.Record(fields):
                return f"({', '.join(f'{field.name}={self.expression(field.value)}' for field in fields)})"
            case ast.Block():
                return self.block(expression)
        return self._operation(expression)

    def _operation(self, expression: ast.Expression) -> str:
        match expression:
            case ast.Binary(op, left, right):
                level = BINARY_OPERATORS[op][1]
                first = self.expression(left, operand_precedence(op, left, level))
                return f"{first} {op} {self.expression(right, operand_precedence(op, right, level + 1))}"
            case ast.Unary(op, operand):
                text = self.expression(operand, UNARY_PRECEDENCE)
                return f"{op}({text})" if op == "-" and text.startswith("-") else op + text
            case ast.IncDec(op, target, True):
                return op + self.expression(target)
            case ast.IncDec(op, target):
                return self.expression(target) + op
            case ast.Cast(to, operand):
                return f"({self.type_expression(to)}){self.expression(operand, UNARY_PRECEDENCE)}"
            case ast.Comptime(operand):
                return f"comptime {self.expression(operand, UNARY_PRECEDENCE)}"
            case ast.FieldAccess(target, name, arrow):
                return f"{self.expression(target, _PRIMARY)}{'->' if arrow else '.'}{name}"
            case ast.ArrayAccess(target, index):
                return f"{self._subscripted(target)}[{self.expression(index)}]"
            case ast.TupleAccess(target, number):
                return f"{self.expression(target, _PRIMARY)}.{number}"
            case ast.If(condition, then, orelse, "if"):
                text = f"if ({self.condition(condition)}) {self.expression(then)}"
                return text if orelse is None else f"{text} else {self.expression(orelse)}"
            case ast.If(condition, _, ast.Expression() as orelse, "elvis"):
                return f"{self.expression(condition, 1)} ?: {self.expression(orelse)}"
            case ast.If(condition, then, ast.Expression() as orelse):
                return f"{self.expression(condition, 1)} ? {self.expression(then)} : {self.expression(orelse)}"
        raise TypeError(f"no source form: {type(expression).__name__}")

    def _subscripted(self, target: ast.Expression) -> str:
        """What stands before `[`; a map there would take it for its key."""
        text = self.expression(target, _PRIMARY)
        return f"({text})" if isinstance(target, ast.Map) else text

    def expressions(self, expressions: list[ast.Expression]) -> str:
        return ", ".join(map(self.expression, expressions))

    def type_expression(self, type_: ast.TypeExpression) -> str:
        match type_:
            case ast.NamedType(name):
                return name
            case ast.RecordType(kind, name):
                return f"{kind} {name}"
            case ast.PointerType(ast.PointerType() as pointee):
                return f"{self.type_expression(pointee)}*"
            case ast.PointerType(pointee):
                return f"{self.type_expression(pointee)} *"
            case ast.ArrayType(element, size):
                return f"{self.type_expression(element)}[{size or ''}]"
            case ast.TypeOf(operand):
                return f"typeof({self._operand(operand)})"
        raise TypeError(f"no source form: {type(type_).__name__}")

    def _operand(self, operand: ast.Expression | ast.TypeExpression) -> str:
        if isinstance(operand, ast.TypeExpression):
            return self.type_expression(operand)
        text = self.expression(operand)
        return f"({text})" if _looks_like_type(operand) else text
