"""The parser's top level: a program's sections, and the entry points `parse` and `parse_expression`."""

from __future__ import annotations

import re
import sys

from compiler.syntax import ast
from compiler.syntax.attach_points import AttachPointError, attach_point_end, split_attach_point
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.expressions import MAX_DEPTH, TooDeep
from compiler.syntax.grammar import RECORD_KINDS, is_builtin
from compiler.syntax.lexer import COMMENT, SYNTAX, SyntaxAbort
from compiler.syntax.source import SourceFile, Span
from compiler.syntax.statements import MissingBrace, StatementParser

MAX_HEIGHT = 2 * MAX_DEPTH
"""The most nodes from the root of the tree to a leaf."""

# Python frames per level of nesting: enough for the parser itself, and for passes that recurse over its tree.
_FRAMES_PER_LEVEL = 20

_HEADER = re.compile(r"#![^\n]*\n?")
_DIRECTIVE = re.compile(r"#(?!!)(?:[^\n\\]|\\\r?\n|\\)*+")
# From `struct`, `union` or `enum` to the `{` of a definition, with a name and attributes on the way.
_GROUP = r"\((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+\)"
_DEFINITION = re.compile(rf"(?:struct|union|enum)\b(?:[\sA-Za-z0-9_]++|{_GROUP}|{COMMENT.pattern})*+\{{")
_TYPEDEF_STOP = re.compile(r"[;{]")
_SPACE = rf"(?:\s|{COMMENT.pattern})*+"
_ATTRIBUTE = re.compile(rf"{_SPACE}__attribute__{_SPACE}")
_BRACES = re.compile(rf"{COMMENT.pattern}|[{{}}]")
_PARENTHESES = re.compile(r"[()]")


def parse(source: SourceFile, sink: DiagnosticSink) -> ast.Program:
    """Parses a whole script.

    All errors go into the sink; the program then holds what could be understood and is good for nothing but
    further diagnostics. Any text is allowed: this raises nothing.
    """
    _make_room()
    parser = _ProgramParser(source, sink)
    try:
        program = parser.parse_program()
        parser.check_height(program)
    except TooDeep:
        program = ast.Program(span=source.span(0, len(source.text)))
    program.comments = parser.comments
    return program


def parse_expression(source: SourceFile, sink: DiagnosticSink) -> ast.Expression | None:
    """Parses a text that is one expression, such as the value of a C macro; None if it is empty or wrong."""
    _make_room()
    parser = _ProgramParser(source, sink)
    if parser.kind == "eof":
        return None
    try:
        expression = parser.parse_expression()
        if parser.kind != "eof":
            raise parser.failure("unexpected input")
        parser.check_height(expression)
    except (SyntaxAbort, MissingBrace, TooDeep):
        return None
    return None if parser.has_errors else expression


def _make_room() -> None:
    """Lets Python recurse as deeply as the tree may be high, here and in all passes to come."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_DEPTH * _FRAMES_PER_LEVEL))


class _ProgramParser(StatementParser):
    def check_height(self, root: ast.Node) -> None:
        """Chains such as `a + b + c` need no recursion to parse, but make a high tree."""
        level: list[ast.Node] = [root]
        for _ in range(MAX_HEIGHT):
            level = [child for node in level for child in node.children()]
            if not level:
                return
        raise self.too_deep(level[0].span, MAX_HEIGHT)

    # ------------------------------------------------------------------------------------------------- sections

    def parse_program(self) -> ast.Program:
        program = ast.Program(span=self.span(0, len(self.text)))
        if header := _HEADER.match(self.text, self.start):
            program.header = header.group()
            self.seek(header.end())
        while self._parse_c_definition(program.c_definitions):
            pass
        in_body = False
        while self.kind != "eof":
            before = self.start
            try:
                in_body = self._parse_item(program, in_body)
            except (SyntaxAbort, MissingBrace) as error:
                self._depth = 0
                if isinstance(error, SyntaxAbort):
                    self._skip_item(before)
        return program

    def _parse_item(self, program: ast.Program, in_body: bool) -> bool:
        """Parses one item after the C definitions; true when it belongs to the body, after which no imports come."""
        start = self.start
        match self.value if self.kind == "name" else "":
            case "config" if not in_body and program.config is None:
                program.config = self._parse_config()
                return False
            case "config":
                message = "config must appear before probes and functions" if in_body else "duplicate config block"
                self.report(message)
                self._parse_config()
                return in_body
            case "import":
                if in_body:
                    self.report("root imports must appear before probes and functions")
                path, span = self.parse_import_path(start)
                program.imports.append(ast.Import(path, span=span))
                return in_body
            case "macro":
                program.macros.append(self._parse_macro())
            case "fn":
                program.subprograms.append(self._parse_subprogram())
            case "let":
                program.map_declarations.append(self._parse_map_declaration())
            case _:
                if self._parse_c_definition(program.c_definitions):
                    span = program.c_definitions[-1].span
                    self.report("C definitions must appear before probes and functions", span)
                else:
                    program.probes.append(self._parse_probe())
        return True

    def _skip_item(self, start: int) -> None:
        """Goes to where the next item may begin; reports the errors of a block on the way."""
        if self.start == start and self.kind != "{":
            self.advance()
        while self.kind != "eof":
            if self.kind == "{":
                try:
                    self.skip_block()
                except MissingBrace:
                    self._depth = 0
                return
            if self.take(";") or self.take("}"):
                return
            self.advance()

    # -------------------------------------------------------------------------------------------- C definitions

    def _parse_c_definition(self, definitions: list[ast.CDefinition]) -> bool:
        """Takes the preprocessor line or the definition that is here, if one is."""
        start = self.start
        if match := _DIRECTIVE.match(self.text, start):
            end = start + len(match.group().rstrip())
            definitions.append(ast.CDefinition(self.text[start:end], span=self.span(start, end)))
            self.seek(match.end())
            return True
        if self.at_word("typedef") and self.character(self.end).isspace():
            end = self._typedef_end()
        elif self.value in RECORD_KINDS and _DEFINITION.match(self.text, start):
            end = self._attributes_end(self._braces_end(self.end))
        else:
            return False
        text = self.text[start:end].rstrip()
        self.seek(end)
        self.take(";")
        definitions.append(ast.CDefinition(text.removesuffix(";") + ";", span=self.span_from(start)))
        return True

    def _braces_end(self, offset: int) -> int:
        """The offset after the balanced braces that begin at or after `offset`; comments do not count."""
        depth = 0
        for match in _BRACES.finditer(self.text, offset):
            if match.group() == "{":
                depth += 1
            elif match.group() == "}":
                depth -= 1
                if depth <= 0:
                    return match.end()
        return len(self.text)

    def _typedef_end(self) -> int:
        offset = self.end
        while (match := _TYPEDEF_STOP.search(self.text, offset)) and match.group() == "{":
            offset = self._braces_end(match.start())
        if match is None:
            self.report("expected ';' at the end of the typedef", self.span(self.start, self.end))
            return len(self.text)
        return match.end()

    def _attributes_end(self, offset: int) -> int:
        """The offset after any `__attribute__((...))`."""
        while match := _ATTRIBUTE.match(self.text, offset):
            if not self.text.startswith("((", match.end()):
                self.report("__attribute__ syntax error, expected '(('", self.span(match.end(), match.end() + 1))
                return match.end()
            depth, offset = 0, len(self.text)
            for parenthesis in _PARENTHESES.finditer(self.text, match.end()):
                depth += 1 if parenthesis.group() == "(" else -1
                if depth == 0:
                    offset = parenthesis.end()
                    break
            else:
                message = "__attribute__ syntax error, mismatched '(' and ')'"
                self.report(message, self.span(match.start(), match.end()))
        return offset

    # ------------------------------------------------------------------------------------- config, declarations

    def _parse_config(self) -> ast.Config:
        start = self.start
        self.advance()
        self.expect("=")
        self.expect("{")
        settings: list[ast.ConfigSetting] = []
        while self.kind not in ("}", "eof"):
            try:
                settings.append(self._parse_config_setting())
                if self.kind != "}":
                    self.expect(";")
            except SyntaxAbort:
                while self.kind not in ("}", "eof") and not self.take(";"):
                    self.advance()
        self.expect("}")
        return ast.Config(settings, span=self.span_from(start))

    def _parse_config_setting(self) -> ast.ConfigSetting:
        start = self.start
        name = self.expect_name("expected config key")
        self.expect("=")
        value: int | str | bool
        match self.kind:
            case "string" | "open_string":
                value = self.take_string()
            case "integer":
                value = self.parse_size()
            case "name" if self.value in ("true", "false"):
                value = self.advance() == "true"
            case _:
                value = self.expect_name("expected string, int, boolean, or ident")
        return ast.ConfigSetting(name, value, span=self.span_from(start))

    def _parse_map_declaration(self) -> ast.MapDeclaration:
        start = self.start
        self.advance()
        if self.kind != "map":
            message = "root-level let statements need to be map declarations, e.g. let @a = hash(2);"
            raise self.failure(message, self.span(start, start + len("let")))
        name = self.advance()
        self.expect("=")
        map_type = self.expect_name("expected map type name")
        self.expect("(")
        if self.kind != "integer":
            raise self.failure("expected positive integer for map declaration max entries")
        max_entries = self.parse_size()
        self.expect(")")
        self.take(";")
        return ast.MapDeclaration(name, map_type, max_entries, span=self.span_from(start))

    def _parse_macro(self) -> ast.Macro:
        start = self.start
        self.advance()
        name = self.expect_name("expected macro name")
        span = self.span_from(start)
        self.expect("(")
        parameters: list[ast.Variable | ast.Map | ast.Identifier] = []
        if self.kind != ")":
            parameters.append(self._parse_macro_parameter())
            while self.take(","):
                parameters.append(self._parse_macro_parameter())
        self.expect(")")
        return ast.Macro(name, parameters, self.parse_block(with_result=True), span=span)

    def _parse_macro_parameter(self) -> ast.Variable | ast.Map | ast.Identifier:
        span = self.here()
        match self.kind:
            case "variable":
                return ast.Variable(self.advance(), span=span)
            case "map":
                return ast.Map(self.advance(), span=span)
        name = self.expect_name("expected macro argument ($var, @map, or identifier)")
        if is_builtin(name):
            self.report(f"builtin '{name}' can't be used as a macro argument", span)
        return ast.Identifier(name, span=span)

    def _parse_subprogram(self) -> ast.Subprogram:
        start = self.start
        self.advance()
        name = self.expect_name("expected function name")
        span = self.span_from(start)
        self.expect("(")
        parameters: list[ast.Parameter] = []
        if self.kind != ")":
            parameters.append(self._parse_parameter())
            while self.take(","):
                parameters.append(self._parse_parameter())
        self.expect(")")
        self.expect(":")
        return_type = self.parse_type()
        return ast.Subprogram(name, parameters, return_type, self.parse_block(with_result=False), span=span)

    def _parse_parameter(self) -> ast.Parameter:
        start = self.start
        if self.kind != "variable":
            raise self.failure("expected variable in function argument")
        variable = self.parse_variable()
        self.expect(":")
        return ast.Parameter(variable, self.parse_type(), span=self.span_from(start))

    # --------------------------------------------------------------------------------------------------- probes

    def _parse_probe(self) -> ast.Probe:
        start = self.start
        attach_points = [self._parse_attach_point()]
        while self.take(","):
            if self.character(self.start) in ("/", "{"):
                break
            attach_points.append(self._parse_attach_point())
        span = self.span(start, attach_points[-1].span.end)
        predicate: ast.Expression | None = None
        predicate_span: Span | None = None
        if self.kind in ("/", "/="):
            predicate_start = self.start
            self.seek(predicate_start + 1)
            predicate = self.parse_expression()
            if not self.take("/"):
                raise self.failure("expected '/' to close predicate")
            predicate_span = self.span_from(predicate_start)
        body = self.parse_block(with_result=False)
        return ast.Probe(attach_points, predicate, body, span=span, predicate_span=predicate_span)

    def _parse_attach_point(self) -> ast.AttachPoint:
        start = self.start
        if self.kind in ("}", ")", "]", ";"):
            raise self.failure(f"unexpected '{self.kind}'")
        end = attach_point_end(self.text, start)
        if end == start:
            raise self.failure("expected attach point")
        try:
            attach_point = split_attach_point(self.source, start, end)
        except AttachPointError as error:
            self.sink.error(SYNTAX, str(error), self.span(start, end))
            attach_point = ast.AttachPoint(self.text[start:end], [], span=self.span(start, end))
        self.seek(end)
        return attach_point
