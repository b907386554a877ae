"""Pass: constant folding.

Before: parsed bodies. After: no operator has only literals as operands, and a number may be negative; arithmetic that
overflows 64 bits has been reported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink

_U64_MAX = 2**64 - 1
_I64_MIN = -(2**63)
_I64_MAX = 2**63 - 1
_FLOW_ERROR = "unable to fold literals due to overflow or underflow"

_EQUALITY = ("==", "!=")
_COMPARE: Mapping[str, Callable[[object, object], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]  # only ever called with two values of one type
    ">": operator.gt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    folder = Folder(sink)
    for program in programs:
        ast.transform(program.probe, folder.rewrite)


def is_literal(node: ast.Node) -> bool:
    match node:
        case ast.Integer() | ast.Boolean() | ast.String():
            return True
        case ast.Tuple(elements):
            return all(map(is_literal, elements))
        case ast.Record(fields):
            return all(is_literal(item.value) for item in fields)
        case _:
            return False


def truth(node: ast.Expression) -> bool | None:
    """The truth of a literal, None for anything else."""
    match node:
        case ast.Integer(value) | ast.Boolean(value):
            return bool(value)
        case ast.String(text):
            return bool(text)
        case _:
            return None


def _condition(node: ast.Expression) -> ast.Expression:
    """A condition; a string as a literal is one, too: whether it is empty."""
    return ast.Boolean(bool(node.value), span=node.span) if isinstance(node, ast.String) else node


class Folder:
    def __init__(self, sink: DiagnosticSink) -> None:
        self.sink = sink

    def rewrite(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.Unary(op, operand):
                return self._unary(node, op, operand) or node
            case ast.Binary(_, left, right) if is_literal(left) and is_literal(right):
                return self._binary(node, left, right) or node
            case ast.If(condition, then, orelse):
                value = truth(condition)
                if value is not None and orelse is not None and is_literal(then) and is_literal(orelse):
                    return then if value else orelse
                node.condition = _condition(condition)
                if node.form == "if":
                    node.then, node.orelse = _as_block(then), orelse and _as_block(orelse)
            case ast.Probe(predicate=ast.Expression() as predicate):
                node.predicate = _condition(predicate)
            case ast.Block([], ast.Expression() as result) if is_literal(result):
                return result
            case ast.Call("str", [argument, *rest]):
                return _string(node, argument, rest) or node
            case ast.ArrayAccess(ast.String() as text, ast.Integer(index)) if 0 <= index <= len(text.data):
                byte = (text.data + b"\0")[index]
                # A C char, as every element of a string: signed.
                return ast.Integer(byte - 256 if byte > 127 else byte, span=node.span)
            case ast.TupleAccess(ast.Tuple(elements) as target, index) if is_literal(target) and index < len(elements):
                return elements[index]
            case ast.FieldAccess(ast.Record(fields) as target, name) if is_literal(target):
                return next((item.value for item in fields if item.name == name), node)
        return node

    def _unary(self, node: ast.Unary, op: str, operand: ast.Expression) -> ast.Expression | None:
        match op, operand:
            case "!", ast.Integer(value) | ast.Boolean(value):
                return ast.Boolean(not value, span=node.span)
            case "~", ast.Integer(value):
                return ast.Integer(~value & _U64_MAX, span=node.span)
            case "-", ast.Integer(value):
                if -value < _I64_MIN:
                    self.sink.error("fold-overflow", "negative value will underflow", node.span)
                    return None
                return ast.Integer(-value, span=node.span)
            case _:
                return None

    def _binary(self, node: ast.Binary, left: ast.Expression, right: ast.Expression) -> ast.Expression | None:
        op = node.op
        match left, right:
            case ast.String(), ast.String():
                return self._strings(node, left, right)
            case (ast.String(), ast.Integer(value)) if op == "+" and value >= 0:
                return self._cut(node, left, value)
            case (ast.Integer(value), ast.String()) if op == "+" and value >= 0:
                return self._cut(node, right, value)
            case (ast.Tuple(), ast.Tuple()) | (ast.Record(), ast.Record()) if op in _EQUALITY and _alike(left, right):
                return ast.Boolean(_same(left, right) == (op == "=="), span=node.span)
            case (ast.Integer() | ast.Boolean() | ast.String(), ast.Boolean()) | (
                ast.Boolean(),
                ast.Integer() | ast.String(),
            ) if op in ("&&", "||"):
                values = bool(truth(left)), bool(truth(right))
                return ast.Boolean(all(values) if op == "&&" else any(values), span=node.span)
            case ast.Boolean(first), ast.Boolean(second):
                return self._booleans(node, first, second)
            case ast.Integer(first), ast.Integer(second):
                return self._integers(node, first, second)
            case _:
                return None

    def _strings(self, node: ast.Binary, left: ast.String, right: ast.String) -> ast.Expression | None:
        if node.op in _COMPARE:
            return ast.Boolean(_COMPARE[node.op](left.data, right.data), span=node.span)
        match node.op:
            case "&&":
                return ast.Boolean(bool(left.value) and bool(right.value), span=node.span)
            case "||":
                return ast.Boolean(bool(left.value) or bool(right.value), span=node.span)
            case "+":
                return ast.String(left.value + right.value, span=node.span)
            case _:
                self.sink.error("fold-strings", "illegal literal operation with strings", node.span)
                return None

    def _cut(self, node: ast.Binary, text: ast.String, start: int) -> ast.Expression:
        if start >= len(text.data):
            self.sink.warning("fold-empty-string", "literal string will always be empty", node.span)
        return ast.String(ast.decode(text.data[start:]), span=node.span)

    def _booleans(self, node: ast.Binary, left: bool, right: bool) -> ast.Expression | None:
        if node.op in _COMPARE:
            return ast.Boolean(_COMPARE[node.op](left, right), span=node.span)
        if node.op in ("/", "%") and not right:
            self.sink.error("fold-overflow", _FLOW_ERROR, node.span)
            return None
        # The result has one bit, whatever the operator.
        value = {
            "&&": left and right, "||": left or right, "&": left and right, "|": left or right, "^": left != right,
            "+": left or right, "-": left != right, "*": left and right, "/": left, "%": False,
            "<<": left < right, ">>": left > right,
        }[node.op]  # fmt: skip
        return ast.Boolean(value, span=node.span)

    def _integers(self, node: ast.Binary, left: int, right: int) -> ast.Expression | None:
        alike = min(left, right) >= 0 or max(left, right) <= _I64_MAX
        if alike and node.op in _COMPARE:
            return ast.Boolean(_COMPARE[node.op](left, right), span=node.span)
        if alike and node.op in ("&&", "||"):
            return ast.Boolean(bool(left and right) if node.op == "&&" else bool(left or right), span=node.span)
        value = _evaluate(node.op, left, right) if alike else None
        if value is None:
            self.sink.error("fold-overflow", _FLOW_ERROR, node.span)
            return None
        return ast.Integer(value, span=node.span)


def _evaluate(op: str, left: int, right: int) -> int | None:
    """C's arithmetic on 64 bits, of two signed or two unsigned numbers; None where the result does not fit."""
    result: int
    match op:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "/" | "%" if right == 0:
            return None
        case "/":
            result = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        case "%":
            result = abs(left) % abs(right) * (-1 if left < 0 else 1)
        case "&":
            result = left & right
        case "|":
            result = left | right
        case "^":
            result = left ^ right
        case "<<" | ">>" if not 0 <= right < 64:
            return None
        case "<<":
            result = left << right & _U64_MAX
            return result - 2**64 if left < 0 and result > _I64_MAX else result
        case ">>":
            result = left >> right
        case _:
            return None
    return result if _I64_MIN <= result <= _U64_MAX else None


def _as_block(branch: ast.Expression) -> ast.Expression:
    """A branch of `if`, which is a block or another `if`."""
    return branch if isinstance(branch, ast.Block | ast.If) else ast.Block([], branch, span=branch.span)


def _alike(left: ast.Expression, right: ast.Expression) -> bool:
    """Whether records have the same names; others are not for this pass to compare."""
    match left, right:
        case ast.Record(first), ast.Record(second):
            return {item.name for item in first} == {item.name for item in second}
        case _:
            return True


def _same(left: ast.Expression, right: ast.Expression) -> bool:
    match left, right:
        case ast.Tuple(first), ast.Tuple(second):
            return len(first) == len(second) and all(map(_same, first, second))
        case ast.Record(first), ast.Record(second):
            others = {item.name: item.value for item in second}
            return len(first) == len(others) and all(
                item.name in others and _same(item.value, others[item.name]) for item in first
            )
        case _:
            return ast.equal(_without_text(left), _without_text(right))


def _without_text(node: ast.Expression) -> ast.Expression:
    """How a number is spelled does not matter to its value."""
    return ast.Integer(node.value, span=node.span) if isinstance(node, ast.Integer) else node


def _string(node: ast.Call, argument: ast.Expression, rest: list[ast.Expression]) -> ast.Expression | None:
    """`str` of a literal."""
    match argument:
        case ast.Integer(value):
            text = str(value)
        case ast.String(text):
            pass
        case _:
            return None
    match rest:
        case []:
            return ast.String(text, span=node.span)
        case [ast.Integer(length)] if length >= 0:
            return ast.String(ast.decode(ast.encode(text)[:length]), span=node.span)
        case _:
            return None
