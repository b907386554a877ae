"""Blocks and statements, and how parsing goes on after an error in one."""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.expressions import ExpressionParser
from compiler.syntax.grammar import ASSIGN_OPERATORS
from compiler.syntax.lexer import SyntaxAbort
from compiler.syntax.source import Span

_IMMUTABLE = "Tuples and records are immutable once created. Consider creating a new value and assigning it instead."
_SPECIAL_PROBES = ("BEGIN", "END", "begin", "end")


class MissingBrace(Exception):
    """A block was not closed before the next probe; the error is already in the sink."""


class StatementParser(ExpressionParser):
    """Adds statements; an error in one is recorded and the block goes on with the next."""

    def parse_block(self, *, with_result: bool) -> ast.Block:
        start = self.start
        self.expect("{")
        self.descend()
        depth = self._depth
        statements: list[ast.Statement] = []
        result: ast.Expression | None = None
        while self.kind not in ("}", "eof"):
            self._check_for_probe()
            before = self.start
            try:
                item = self._parse_statement()
            except SyntaxAbort:
                self._depth = depth
                self._skip_statement(before)
                continue
            if isinstance(item, ast.Statement):
                statements.append(item)
            else:
                result = item
        self.ascend()
        self.expect("}")
        span = self.span_from(start)
        if result is not None and not with_result:
            _discard_results(result)
            statements.append(ast.ExpressionStatement(result, span=result.span))
            result = None
        return ast.Block(statements, result, span=span)

    # ------------------------------------------------------------------------------------------------- recovery

    def _check_for_probe(self) -> None:
        """In the first column, where a statement would begin, these can only be a probe after a missing brace."""
        if self.kind != "name" or self.text[self.start - 1 : self.start] not in ("", "\n"):
            return
        special = self.value in _SPECIAL_PROBES and self.character(self.skip_layout(self.end)) == "{"
        if special or self.character(self.end) == ":":
            self.report("expected '}'")
            raise MissingBrace

    def _skip_statement(self, start: int) -> None:
        """Goes to where the next statement begins; reports the errors of blocks on the way."""
        if self.start == start and self.kind not in ("{", "}", ";"):
            self.advance()
        while self.kind not in ("}", "eof"):
            if self.kind == "{":
                self.skip_block()
                return
            if self.take(";"):
                return
            self.advance()

    def skip_block(self) -> None:
        """Parses a block only for its errors."""
        depth = self._depth
        try:
            self.parse_block(with_result=True)
        except SyntaxAbort:
            self._depth = depth

    # ----------------------------------------------------------------------------------------------- statements

    def _parse_statement(self) -> ast.Statement | ast.Expression:
        """A statement, or the expression without `;` that ends the block."""
        start = self.start
        match self.kind:
            case "variable" | "map":
                return self._parse_assignment_or_expression()
            case "name":
                if (statement := self._parse_keyword_statement()) is not None:
                    return statement
        return self._finish_expression(self.parse_expression(), start)

    def _parse_keyword_statement(self) -> ast.Statement | None:
        start = self.start
        match self.value:
            case "let":
                return self._parse_let()
            case "_" if self._at_discard():
                self.advance()
                self.advance()
                value = self.parse_expression()
                span = self.span_from(start)
                self._expect_end()
                return ast.Discard(value, span=span)
            case "for":
                return self._parse_for()
            case "while":
                self.advance()
                condition = self.parse_condition()
                body = self.parse_block(with_result=False)
                return ast.While(condition, body, span=self.span_from(start))
            case "unroll":
                self.advance()
                count = self.parse_condition()
                body = self.parse_block(with_result=False)
                return ast.Unroll(count, body, span=self.span_from(start))
            case "break":
                self.advance()
                self._expect_end()
                return ast.Break(span=self.span_from(start))
            case "continue":
                self.advance()
                self._expect_end()
                return ast.Continue(span=self.span_from(start))
            case "return":
                self.advance()
                result = None if self.kind in (";", "}") else self.parse_expression()
                self._expect_end()
                return ast.Return(result, span=self.span_from(start))
            case "import":
                path, span = self.parse_import_path(start)
                return ast.ImportStatement(path, span=span)
        return None

    def _expect_end(self) -> None:
        """The `;` after a statement, which the last one of a block may lack."""
        if self.kind != "}":
            self.expect(";")

    def _finish_expression(self, expression: ast.Expression, start: int) -> ast.Statement | ast.Expression:
        if self.kind == "}":
            return expression
        if not self.take(";") and not isinstance(expression, ast.If | ast.Block):
            raise self.failure("expected ';'")
        return ast.ExpressionStatement(expression, span=self.span_from(start))

    def _parse_assignment_or_expression(self) -> ast.Statement | ast.Expression:
        start = self.start
        target = self.parse_expression()
        operator_start, kind = self.start, self.kind
        if kind != "=" and kind not in ASSIGN_OPERATORS:
            statement = self._finish_expression(target, start)
            if isinstance(statement, ast.ExpressionStatement):
                statement.span = target.span  # like an assignment, without the `;`
            return statement
        match target:
            case ast.Variable() | ast.Map() | ast.MapAccess():
                self.advance()
                value = self.parse_expression()
                span, operator_span = self.span_from(start), self.span_from(operator_start)
                self._expect_end()
                return ast.Assign(target, ASSIGN_OPERATORS.get(kind), value, span=span, operator_span=operator_span)
            case ast.TupleAccess() | ast.FieldAccess() if kind == "=":
                message = _IMMUTABLE
            case ast.ArrayAccess() | ast.IncDec() if kind == "=":
                message = "invalid assignment target"
            case _:
                raise self.failure("expected ';'")
        self.advance()
        self.parse_expression()
        raise self.failure(message, self.span_from(start))

    def _at_discard(self) -> bool:
        after = self.skip_layout(self.end)
        return self.character(after) == "=" and self.character(after + 1) != "="

    def _parse_let(self) -> ast.VariableDeclaration:
        start = self.start
        self.advance()
        if self.kind != "variable":
            positional = self.kind in ("parameter", "count")
            raise self.failure("expected identifier after '$'" if positional else "expected variable after 'let'")
        variable = self.parse_variable()
        declaration_span = self.span_from(start)
        declared = self.parse_type() if self.take(":") else None
        value = self.parse_expression() if self.take("=") else None
        span = self.span_from(start)
        self._expect_end()
        return ast.VariableDeclaration(variable, declared, value, span=span, declaration_span=declaration_span)

    def _parse_for(self) -> ast.For:
        start = self.start
        self.advance()
        parenthesized = self.take("(")
        if self.kind != "variable":
            raise self.failure("expected variable in for loop")
        variable = self.parse_variable()
        self.expect(":")
        first = self.parse_unary()
        iterable: ast.Map | ast.Range
        if self.take(".."):
            last = self.parse_unary()
            iterable = ast.Range(first, last, span=self.span_from(first.span.start))
        elif isinstance(first, ast.Map):
            iterable = first
        else:
            raise self.failure("expected map or range in for loop", first.span)
        if parenthesized:
            self.expect(")")
        body = self.parse_block(with_result=False)
        return ast.For(variable, iterable, body, span=self.span_from(start))

    def parse_import_path(self, start: int) -> tuple[str, Span]:
        """`import "path";` from its keyword on: the path, and the span without the semicolon."""
        self.advance()
        if self.kind not in ("string", "open_string"):
            raise self.failure("expected string after 'import'")
        path, span = self.take_string(), self.span_from(start)
        if not self.take(";"):
            raise self.failure("expected ';' after import")
        return path, span


def _discard_results(expression: ast.Expression) -> None:
    """Makes the results of an unused expression's blocks statements, so that they need not agree in type."""
    match expression:
        case ast.Block(statements, result):
            for statement in statements:
                if isinstance(statement, ast.ExpressionStatement):
                    _discard_results(statement.expression)
            if result is not None:
                _discard_results(result)
                statements.append(ast.ExpressionStatement(result, span=result.span))
                expression.result = None
        case ast.If(_, then, orelse, form):
            if form != "elvis":  # There it is the condition's copy.
                _discard_results(then)
            if orelse is not None:
                _discard_results(orelse)
