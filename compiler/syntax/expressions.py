"""Expressions and types: recursive descent, with precedence climbing for binary operators."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Literal

from compiler.syntax import ast
from compiler.syntax.grammar import BINARY_OPERATORS, RECORD_KINDS, TYPE_NAMES, UNARY_OPERATORS, is_builtin
from compiler.syntax.lexer import Lexer
from compiler.syntax.literals import integer_value, string_value
from compiler.syntax.source import Span

MAX_DEPTH = 500
"""How deeply constructs may nest, and how high the tree may be: what later passes may have to recurse into."""

_PARAMETER_MAX = 2**63 - 1
_COPIED_CONDITION_MAX = 1000
_TRAILING_UNDERSCORE = {False: re.compile(r"_(?![0-9_])"), True: re.compile(r"_(?![0-9a-fA-F_])")}
# Tokens after which `(NAME)` before them is a cast. A `+` is not among them: `(x) + 1` adds.
_CAST_OPERANDS = "integer variable parameter count map string open_string name ( - ! ~ * & ++ --"
_EXPRESSION_STARTS = frozenset(_CAST_OPERANDS.split())
_INCREMENTS: dict[str, Literal["++", "--"]] = {"++": "++", "--": "--"}


class TooDeep(Exception):
    """The program nests deeper than MAX_DEPTH; nothing after that place is parsed."""


class ExpressionParser(Lexer, ABC):
    """Every method starts at the first token of its construct and ends after the last.

    They raise SyntaxAbort when the construct cannot be completed.
    """

    _depth = 0

    @abstractmethod
    def parse_block(self, *, with_result: bool) -> ast.Block:
        """A `{ ... }`; `with_result` keeps a last expression as its value."""

    def descend(self) -> None:
        """Enters one level of nesting."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.too_deep(self.here())

    def ascend(self) -> None:
        self._depth -= 1

    def too_deep(self, span: Span, limit: int = MAX_DEPTH) -> TooDeep:
        self.report(f"nested too deeply, the limit is {limit} levels", span)
        return TooDeep()

    # ------------------------------------------------------------------------------------------------ operators

    def parse_expression(self) -> ast.Expression:
        """The whole of an expression, from the conditional operator down."""
        self.descend()
        condition = self.parse_binary(0, self.parse_unary())
        if self.kind != "?":
            self.ascend()
            return condition
        self.advance()
        form: Literal["ternary", "elvis"] = "ternary"
        if self.take(":"):
            form, then = "elvis", self._copy_condition(condition)
        else:
            then = self.parse_expression()
            self.expect(":")
        orelse = self.parse_expression()
        self.ascend()
        return ast.If(condition, then, orelse, form, span=self.span_from(condition.span.start))

    def _copy_condition(self, condition: ast.Expression) -> ast.Expression:
        """The condition of `?:` stands in the tree twice; nested ones must not make it grow exponentially."""
        if any(count > _COPIED_CONDITION_MAX for count, _ in enumerate(condition.walk())):
            raise self.failure("the condition of '?:' is too long", condition.span)
        return condition.clone()

    def parse_binary(self, minimum: int, left: ast.Expression) -> ast.Expression:
        """Extends `left` with the operators that bind at least as tightly as `minimum`."""
        while True:
            operator = BINARY_OPERATORS.get(self.kind)
            if operator is None or operator[1] < minimum or (self.kind == "/" and self._at_predicate_end()):
                return left
            op, precedence = operator
            self.advance()
            right = self.parse_binary(precedence + 1, self.parse_unary())
            left = ast.Binary(op, left, right, span=self.span_from(left.span.start))

    def _at_predicate_end(self) -> bool:
        """A `/` before a `{` closes a predicate."""
        return self.character(self.skip_layout(self.end)) == "{"

    def parse_unary(self) -> ast.Expression:
        start, kind = self.start, self.kind
        if kind in _INCREMENTS:
            self.descend()
            self.advance()
            target = self.parse_unary()
            self.ascend()
            if not isinstance(target, ast.Variable | ast.Map | ast.MapAccess):
                raise self.failure("increment/decrement requires a variable or map", target.span)
            return ast.IncDec(_INCREMENTS[kind], target, True, span=self.span_from(start))
        if kind == "&":
            return self._parse_address_of()
        if op := UNARY_OPERATORS.get(kind):
            self.descend()
            self.advance()
            operand = self.parse_unary()
            self.ascend()
            return ast.Unary(op, operand, span=self.span_from(start))
        return self.parse_postfix(self.parse_primary())

    def _parse_address_of(self) -> ast.Expression:
        start = self.start
        self.advance()
        target: ast.Variable | ast.Map
        match self.kind:
            case "variable":
                target = self.parse_variable()
            case "map":
                target = self._parse_map_name()
            case "parameter" | "count":
                raise self.failure("expected identifier after '$'")
            case _:
                raise self.failure("address-of operator (&) can only be used on a map or variable")
        return ast.AddressOf(target, span=self.span_from(start))

    def parse_postfix(self, expression: ast.Expression) -> ast.Expression:
        start = expression.span.start
        while True:
            kind = self.kind
            match kind:
                case ".":
                    self.advance()
                    if self.kind == "integer":
                        index, _ = self._take_integer()
                        expression = ast.TupleAccess(expression, index, span=self.span_from(start))
                    else:
                        name = self.expect_name("expected field name after '.'")
                        expression = ast.FieldAccess(expression, name, span=self.span_from(start))
                case "->":
                    self.advance()
                    name = self.expect_name("expected field name after '->'")
                    expression = ast.FieldAccess(expression, name, True, span=self.span_from(start))
                case "[":
                    self.advance()
                    subscript = self.parse_expression()
                    self.expect("]")
                    expression = ast.ArrayAccess(expression, subscript, span=self.span_from(start))
                case "++" | "--" as op:
                    if isinstance(expression, ast.Block | ast.If):
                        return expression  # It belongs to the next statement.
                    if not isinstance(expression, ast.Variable | ast.Map | ast.MapAccess):
                        raise self.failure("increment/decrement requires a variable or map")
                    self.advance()
                    expression = ast.IncDec(op, expression, False, span=self.span_from(start))
                case _:
                    return expression

    # ------------------------------------------------------------------------------------------------ primaries

    def parse_primary(self) -> ast.Expression:
        start = self.start
        match self.kind:
            case "name":
                return self._parse_word()
            case "variable":
                return self.parse_variable()
            case "map":
                return self._parse_map()
            case "integer":
                value, text = self._take_integer()
                return ast.Integer(value, text, span=self.span_from(start))
            case "string" | "open_string":
                return ast.String(self.take_string(), span=self.span_from(start))
            case "(":
                return self._parse_parenthesized()
            case "{":
                return self.parse_block(with_result=True)
            case "parameter":
                return self._parse_positional_parameter()
            case "count":
                self.advance()
                return ast.PositionalParameterCount(span=self.span_from(start))
            case "stray" if self.value == "$":
                raise self.failure("expected identifier after '$'")
            case _:
                raise self.failure("expected expression")

    def parse_variable(self) -> ast.Variable:
        start = self.start
        return ast.Variable(self.advance(), span=self.span_from(start))

    def _parse_map_name(self) -> ast.Map:
        start = self.start
        return ast.Map(self.advance(), span=self.span_from(start))

    def _parse_map(self) -> ast.Map | ast.MapAccess:
        map_ = self._parse_map_name()
        if not self.take("["):
            return map_
        keys = [self.parse_expression()]
        while self.take(","):
            keys.append(self.parse_expression())
        self.expect("]")
        span = self.span_from(map_.span.start)
        return ast.MapAccess(map_, keys[0] if len(keys) == 1 else ast.Tuple(keys, span=span), span=span)

    def _parse_positional_parameter(self) -> ast.PositionalParameter:
        start, digits = self.start, self.advance()[1:]
        span = self.span_from(start)
        significant = digits.lstrip("0")
        index = int(significant) if 0 < len(significant) <= len(str(_PARAMETER_MAX)) else 0
        if not 1 <= index <= _PARAMETER_MAX:
            self.report(f"param ${digits} is out of integer range [1, {_PARAMETER_MAX}]", span)
        return ast.PositionalParameter(index, span=span)

    def _take_integer(self) -> tuple[int, str]:
        """The current integer token's value and spelling; a bad one is reported and counts as 0."""
        start, text = self.start, self.value
        if bad := self.trailing_word():
            self.report(f"invalid integer suffix '{bad.text}'", bad)
            self.seek(bad.end)
            return 0, text
        self.advance()
        if underscore := _TRAILING_UNDERSCORE[text[:2] in ("0x", "0X")].search(text):
            at = start + underscore.start()
            self.report("trailing underscore in integer literal", self.span(at, at + 1))
        try:
            return integer_value(text), text
        except ValueError as error:
            self.report(str(error), self.span(start, start + len(text)))
            return 0, text

    def parse_size(self) -> int:
        """An integer where the grammar takes no other expression."""
        if self.kind != "integer":
            raise self.failure("expected integer")
        return self._take_integer()[0]

    def take_string(self) -> str:
        """The value of the current string token."""
        start, text = self.start, self.value
        if self.kind == "open_string":
            self.report("unterminated string", self.span(start, self.end))
            text += '"'
        value, errors = string_value(text)
        for error in errors:
            self.report(error.message, self.span(start + error.start, start + error.end))
        self.advance()
        return value

    def _parse_word(self) -> ast.Expression:
        """What starts with a name: keyword constructs, calls, builtins and plain identifiers."""
        start, name = self.start, self.value
        match name:
            case "else":
                raise self.failure("unexpected 'else'")
            case "if":
                return self._parse_if()
            case "sizeof" | "typeinfo":
                self.advance()
                self.expect("(")
                operand = self._parse_operand()
                self.expect(")")
                node = ast.SizeOf if name == "sizeof" else ast.TypeInfo
                return node(operand, span=self.span_from(start))
            case "offsetof":
                return self._parse_offsetof()
            case "comptime":
                self.descend()
                self.advance()
                expression = self.parse_unary()
                self.ascend()
                return ast.Comptime(expression, span=self.span_from(start))
        self.advance()
        if name in ("true", "false"):
            return ast.Boolean(name == "true", span=self.span_from(start))
        if self.kind == "(":
            return self._parse_call(name, start)
        if is_builtin(name):
            return ast.Builtin(name, span=self.span_from(start))
        return ast.Identifier(name, span=self.span_from(start))

    def _parse_call(self, name: str, start: int) -> ast.Call:
        self.expect("(")
        arguments: list[ast.Expression] = []
        if self.kind != ")":
            arguments.append(self._parse_argument())
            while self.take(","):
                arguments.append(self._parse_argument())
        self.expect(")")
        return ast.Call(name, arguments, span=self.span_from(start))

    def _parse_argument(self) -> ast.Expression:
        if not self.at_word("typeof"):
            return self.parse_expression()
        start = self.start
        return ast.TypeArgument(self._parse_typeof(), span=self.span_from(start))

    def parse_condition(self) -> ast.Expression:
        """What `if`, `while` and `unroll` test; without parentheses nothing that could swallow the block's `{`."""
        if not self.take("("):
            return self.parse_unary()
        condition = self.parse_expression()
        self.expect(")")
        return condition

    def _parse_if(self) -> ast.If:
        self.descend()
        start = self.start
        self.advance()
        condition = self.parse_condition()
        then = self.parse_block(with_result=True)
        orelse: ast.Expression | None = None
        if self.take_word("else"):
            if self.kind == "{":
                orelse = self.parse_block(with_result=True)
            elif self.at_word("if"):
                orelse = self._parse_if()
            else:
                raise self.failure("expected '{' or 'if' after 'else'")
        self.ascend()
        return ast.If(condition, then, orelse, span=self.span_from(start))

    def _parse_offsetof(self) -> ast.OffsetOf:
        start = self.start
        self.advance()
        self.expect("(")
        operand = self._parse_operand()
        self.expect(",")
        fields = [self.expect_name("expected field name")]
        while self.take("."):
            fields.append(self.expect_name("expected field name"))
        self.expect(")")
        return ast.OffsetOf(operand, fields, span=self.span_from(start))

    # ---------------------------------------------------------------------------------------------- parentheses

    def _parse_parenthesized(self) -> ast.Expression:
        """A record, a cast, a tuple, or an expression in parentheses, which leave no trace in the tree."""
        start = self.start
        self.advance()
        if self.take(")"):
            return ast.Tuple([], span=self.span_from(start))
        if self.kind == "name":
            if self._at_record():
                return self._parse_record(start)
            if (cast := self._try_cast(start)) is not None:
                return cast
        first = self.parse_expression()
        if self.kind != ",":
            self.expect(")")
            return first
        elements = [first]
        while self.take(",") and self.kind != ")":
            elements.append(self.parse_expression())
        self.expect(")")
        return ast.Tuple(elements, span=self.span_from(start))

    def _at_record(self) -> bool:
        if is_builtin(self.value):
            return False
        after = self.skip_layout(self.end)
        return self.character(after) == "=" and self.character(after + 1) != "="

    def _parse_record(self, start: int) -> ast.Record:
        fields: list[ast.NamedArgument] = []
        names: set[str] = set()
        while True:
            field_start = self.start
            name = self.expect_name("expected identifier")
            self.expect("=")
            value = self.parse_expression()
            span = self.span_from(field_start)
            if name in names:
                self.report(f"Named argument list already contains name: {name}", span)
            names.add(name)
            fields.append(ast.NamedArgument(name, value, span=span))
            if not self.take(","):
                break
        self.expect(")")
        return ast.Record(fields, span=self.span_from(start))

    def _try_cast(self, start: int) -> ast.Cast | None:
        """`(TYPE)operand` after the `(`; None, and back where it was, when it is something else."""
        to: ast.TypeExpression
        if self.at_word("typeof"):
            to = self._parse_typeof()
            self.expect(")")
            if self.kind not in _EXPRESSION_STARTS:
                raise self.failure("expected expression")
        elif is_builtin(self.value) or self.value in ("true", "false", "if"):
            return None
        else:
            back = self.start
            type_ = self._parse_type_name(speculative=True)
            if type_ is None or not self.take(")") or self.kind not in _EXPRESSION_STARTS:
                self.seek(back)
                return None
            to = type_
        span = self.span(start, self.start)
        self.descend()
        operand = self.parse_unary()
        self.ascend()
        return ast.Cast(to, operand, span=span)

    # ---------------------------------------------------------------------------------------------------- types

    def parse_type(self) -> ast.TypeExpression:
        """A type where nothing else may stand."""
        if self.at_word("typeof"):
            return self._parse_typeof()
        if self.kind != "name":
            raise self.failure("expected type name")
        type_ = self._parse_type_name(speculative=False)
        assert type_ is not None
        return type_

    def _parse_type_name(self, *, speculative: bool) -> ast.TypeExpression | None:
        """A type from its name on, as far as it goes.

        When `speculative`, an incomplete one is None, at any position, and no error.
        """
        start = self.start
        name = self.advance()
        type_: ast.TypeExpression
        if kind := RECORD_KINDS.get(name):
            if speculative and self.kind != "name":
                return None
            tag = self.expect_name("expected identifier")
            type_ = ast.RecordType(kind, tag, span=self.span_from(start))
        else:
            type_ = ast.NamedType(name, span=self.span_from(start))
        depth = self._depth
        while True:
            if self.value[:1] == "*":
                if self.value != "*":  # The `*=` after a declared type is two tokens.
                    self.end = self.start + 1
                self.advance()
                type_ = ast.PointerType(type_, span=self.span_from(start))
            elif self.kind == "[":
                self.advance()
                size = self._take_integer()[0] if self.kind == "integer" else 0
                if speculative and self.kind != "]":
                    return None
                self.expect("]")
                type_ = ast.ArrayType(type_, size, span=self.span_from(start))
            else:
                return type_
            depth += 1
            if depth > MAX_DEPTH:
                raise self.too_deep(type_.span)

    def _parse_typeof(self) -> ast.TypeOf:
        self.descend()
        start = self.start
        self.advance()
        self.expect("(")
        operand = self._parse_operand()
        self.expect(")")
        self.ascend()
        return ast.TypeOf(operand, span=self.span_from(start))

    def _parse_operand(self) -> ast.Expression | ast.TypeExpression:
        """A type or an expression, of `sizeof` and its kin; a lone unknown name stays an Identifier."""
        if self.at_word("typeof"):
            return self._parse_typeof()
        if self.kind != "name" or is_builtin(self.value):
            return self.parse_expression()
        back = self.start
        type_ = self._parse_type_name(speculative=True)
        unknown = isinstance(type_, ast.NamedType) and type_.name not in TYPE_NAMES
        if type_ is not None and not unknown and self.kind in (")", ","):
            return type_
        self.seek(back)
        return self.parse_expression()
