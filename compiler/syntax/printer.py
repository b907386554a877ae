"""A program as source text: the formatter.

Parsing the text again gives the same tree. Comments stand where they stood as far as that can be said: before the
statement that they preceded, or at the end of its line. Single blank lines between statements are kept.
"""

from __future__ import annotations

import re

from compiler.syntax import ast
from compiler.syntax.grammar import STATEMENT_WORDS, UNARY_PRECEDENCE
from compiler.syntax.line_breaks import LineBreaker
from compiler.syntax.literals import string_literal

_INDENT = "  "
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INLINE_WIDTH = 60
_KEYWORD_STATEMENTS = {ast.While: "while", ast.Unroll: "unroll"}


def print_program(program: ast.Program) -> str:
    """The whole file, newline-terminated."""
    return _Printer(program).program(program)


class _Printer(LineBreaker):
    """Collects lines; `_comments` are those not printed yet, in source order."""

    def __init__(self, program: ast.Program) -> None:
        self._source = program.span.source
        self._comments = sorted(program.comments, key=lambda comment: comment.start)
        self._lines: list[str] = []
        self._depth = 0
        self._after_line_comment = False
        self._broken: set[ast.Block] = set()
        """Blocks that do not fit on a line: trying again, in each block around them, would take exponential time."""
        self._end: int | None = None
        """Where in the source ends what was printed last; None at the start of a block or file."""

    # ------------------------------------------------------------------------------------------- lines, comments

    def _line(self, text: str) -> None:
        self._lines.append(f"{_INDENT * self._depth}{text}" if text else "")
        self._after_line_comment = False

    def _gap(self, start: int, *, force: bool = False) -> None:
        """A blank line, if there is one in the source before `start`."""
        if self._end is not None and (force or self._source.text.count("\n", self._end, start) > 1):
            self._line("")

    def _comments_before(self, offset: int) -> None:
        """Prints the comments that begin before `offset`."""
        while self._comments and self._comments[0].start < offset:
            comment = self._comments.pop(0)
            text = comment.text.rstrip()
            if self._end is None or self._after_line_comment or "\n" in self._source.text[self._end : comment.start]:
                self._gap(comment.start)
                self._line(text)
                self._end = comment.end
            else:
                self._lines[-1] += f" {text}"
                self._end = max(self._end, comment.end)
            self._after_line_comment = text.startswith("//")

    def _hoist_comments(self, statement: ast.Statement) -> None:
        """Comments inside a statement of several lines, but in none of its blocks, go before it."""
        start, end = statement.span.start, statement.span.end
        if not self._comments or self._comments[0].start >= end or "\n" not in self._source.text[start:end]:
            return
        blocks = [node.span for node in statement.walk() if isinstance(node, ast.Block)]
        outside = [
            comment
            for comment in self._comments
            if start <= comment.start < end and not any(span.start <= comment.start < span.end for span in blocks)
        ]
        for comment in outside:
            self._line(comment.text.rstrip())
            self._comments.remove(comment)

    # --------------------------------------------------------------------------------------------------- program

    def program(self, program: ast.Program) -> str:
        if program.header is not None:
            self._line(program.header.rstrip())
            self._end = len(program.header.rstrip())
        items: list[ast.Node] = [*program.c_definitions, *program.imports, *program.map_declarations]
        items += [*program.macros, *program.subprograms, *program.probes]
        if program.config is not None:
            items.append(program.config)
        previous: ast.Node | None = None
        for item in sorted(items, key=lambda item: item.span.start):
            self._comments_before(item.span.start)
            blocks = isinstance(item, ast.Probe | ast.Macro | ast.Subprogram)
            between_blocks = blocks and isinstance(previous, ast.Probe | ast.Macro | ast.Subprogram)
            commented = self._end is not None and previous is not None and self._end > _end(previous)
            self._gap(item.span.start, force=between_blocks and not commented)
            self._item(item)
            self._end = _end(item)
            previous = item
        self._comments_before(len(self._source.text) + 1)
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def _item(self, item: ast.Node) -> None:
        match item:
            case ast.CDefinition(text):
                self._lines.extend(text.split("\n"))
            case ast.Import(path):
                self._line(f"import {string_literal(path)};")
            case ast.Config(settings):
                self._line("config = {")
                self._end = None
                self._depth += 1
                for setting in settings:
                    self._comments_before(setting.span.start)
                    self._gap(setting.span.start)
                    self._line(f"{setting.name} = {_setting_value(setting.value)};")
                    self._end = setting.span.end
                self._comments_before(item.span.end)
                self._depth -= 1
                self._line("}")
            case ast.MapDeclaration(name, map_type, max_entries):
                self._line(f"let {name} = {map_type}({max_entries});")
            case ast.Macro(name, parameters, body):
                self._comments_before(body.span.start)
                names = ", ".join(parameter.name for parameter in parameters)
                self._line(f"macro {name}({names})")
                self._line(self.block(body))
            case ast.Subprogram(name, arguments, return_type, body):
                self._comments_before(body.span.start)
                texts = (f"{each.variable.name} : {self.type_expression(each.declared)}" for each in arguments)
                self._line(f"fn {name}({', '.join(texts)}) : {self.type_expression(return_type)}")
                self._line(self.block(body, with_result=False))
            case ast.Probe():
                self._probe(item)

    def _probe(self, probe: ast.Probe) -> None:
        last = probe.attach_points[-1]
        for attach_point in probe.attach_points:
            self._comments_before(attach_point.span.start)
            self._line(attach_point.text + ("" if attach_point is last else ","))
            self._end = attach_point.span.end + (attach_point is not last)
        if probe.predicate is not None and probe.predicate_span is not None:
            self._comments_before(probe.predicate_span.start)
            text = self.expression(probe.predicate)
            opening = "/ " if text[0] in "*/" else "/"  # Else it would open a comment.
            if "\n" not in text:
                text = self.fitted(probe.predicate, len(opening), len("/"))
            self._line(f"{opening}{text}/")
            self._end = probe.predicate_span.end
        self._comments_before(probe.body.span.start)
        self._line(self.block(probe.body, with_result=False))

    # ------------------------------------------------------------------------------------- blocks and statements

    def block(self, block: ast.Block, *, with_result: bool = True) -> str:
        has_comments = any(block.span.start <= comment.start < block.span.end for comment in self._comments)
        if not block.statements and not has_comments:
            if block.result is None:
                return "{}"
            if block not in self._broken:
                text = f"{{ {_no_statement(self.expression(block.result))} }}"
                if "\n" not in text and len(text) <= _INLINE_WIDTH:
                    return text
                self._broken.add(block)
        outer_lines, outer_end = self._lines, self._end
        self._lines, self._end = [], None
        self._depth += 1
        for index, statement in enumerate(block.statements):
            following = block.statements[index + 1] if index + 1 < len(block.statements) else block.result
            self._statement(statement, following, with_result=with_result)
        if block.result is not None:
            self._comments_before(block.result.span.start)
            self._gap(block.result.span.start)
            self._line(_no_statement(self.expression(block.result)))
            if self._comments:  # The span of a cast or of parentheses ends too early to tell what follows on its line.
                self._end = len(self._source.text[: self._comments[0].start].rstrip())
        self._comments_before(block.span.end)
        self._depth -= 1
        lines = self._lines
        self._lines, self._end = outer_lines, outer_end
        return "\n".join(["{", *lines, f"{_INDENT * self._depth}}}"])

    def _statement(self, statement: ast.Statement, following: ast.Node | None, *, with_result: bool) -> None:
        self._comments_before(statement.span.start)
        self._gap(statement.span.start)
        self._hoist_comments(statement)
        match statement:
            case ast.ExpressionStatement(ast.Block() | ast.If(form="if") as expression):
                end = ";" if _needs_semicolon(expression, following, with_result=with_result) else ""
                self._line(self.expression(expression) + end)
            case ast.ExpressionStatement(expression):
                self._line(f"{_no_statement(self._after('', expression))};")
            case ast.While(condition, body) | ast.Unroll(condition, body):
                keyword = _KEYWORD_STATEMENTS[type(statement)]
                self._line(f"{keyword} ({self.expression(condition)}) {self.block(body, with_result=False)}")
            case ast.For(variable, iterable, body):
                text = iterable.name if isinstance(iterable, ast.Map) else self._range(iterable)
                self._line(f"for ({variable.name} : {text}) {self.block(body, with_result=False)}")
            case _:
                self._line(f"{self._simple_statement(statement)};")
        self._end = statement.span.end

    def _simple_statement(self, statement: ast.Statement) -> str:
        match statement:
            case ast.Discard(expression):
                return self._after("_ = ", expression)
            case ast.VariableDeclaration(variable, declared, value):
                type_text = "" if declared is None else f" : {self.type_expression(declared)}"
                text = f"let {variable.name}{type_text}"
                return text if value is None else self._after(f"{text} = ", value)
            case ast.Assign(target, op, value):
                return self._after(f"{self.expression(target)} {op or ''}= ", value)
            case ast.Return(value):
                return "return" if value is None else self._after("return ", value)
            case ast.Break():
                return "break"
            case ast.Continue():
                return "continue"
            case ast.ImportStatement(path):
                return f"import {string_literal(path)}"
        raise TypeError(f"no source form: {type(statement).__name__}")

    def condition(self, expression: ast.Expression) -> str:
        return self.fitted(expression, len(_INDENT) * self._depth + len("if ("), len(") {"))

    def _after(self, text: str, expression: ast.Expression) -> str:
        """A statement's beginning, and the expression that it ends with."""
        return text + self.fitted(expression, len(_INDENT) * self._depth + len(text), len(";"))

    def _range(self, range_: ast.Range) -> str:
        start, end = (self.expression(bound, UNARY_PRECEDENCE) for bound in (range_.start, range_.end))
        return f"{start}..{end}"


def _end(item: ast.Node) -> int:
    """The end of a top-level item; some spans end with the name."""
    return item.body.span.end if isinstance(item, ast.Probe | ast.Macro | ast.Subprogram) else item.span.end


def _setting_value(value: int | str | bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
    return value if _WORD.fullmatch(value) and value not in ("true", "false") else string_literal(value)


def _no_statement(text: str) -> str:
    """An expression where a statement may stand: one that begins with a statement's word needs parentheses."""
    word = _WORD.match(text)
    return f"({text})" if word and word[0] in STATEMENT_WORDS else text


def _needs_semicolon(expression: ast.Expression, following: ast.Node | None, *, with_result: bool) -> bool:
    """Whether an `if` or a block that is a statement must be kept apart from what follows."""
    if following is None:
        return with_result or _has_result(expression)
    inner = following.expression if isinstance(following, ast.ExpressionStatement) else following
    if isinstance(inner, ast.Statement):
        return False
    # What begins with `-`, `*`, `(` or the like would go on with the `if` as its operand.
    match inner:
        case ast.Call(name) | ast.Identifier(name):
            return name in STATEMENT_WORDS
        case ast.Builtin() | ast.Block() | ast.If(form="if"):
            return False
    return True


def _has_result(expression: ast.Expression | None) -> bool:
    """Whether there is a result that the parser would discard, were this the last expression of an action."""
    match expression:
        case ast.Block(statements, result):
            return result is not None or any(
                isinstance(statement, ast.ExpressionStatement) and _has_result(statement.expression)
                for statement in statements
            )
        case ast.If(_, then, orelse, form):
            return (form != "elvis" and _has_result(then)) or _has_result(orelse)
    return False
