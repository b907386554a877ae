"""Pass: C definitions.

Before: a program whose macros of the language are expanded. After: object-like macros of C are expanded where their
names stand as expressions. The result is the kernel with the script's own types and enumerators in front of its own.

libclang sees the definitions where the script has them, so that what it reports points into the script.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compiler.analysis.growth import Growth, TooLarge
from compiler.arch import Architecture
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse_expression
from compiler.syntax.source import SourceFile, Span
from compiler.types import c_definitions
from compiler.types.c_declarations import CDiagnostic
from compiler.types.kernel import Kernel

_MISSING_HEADER = "file not found"


@dataclass(frozen=True, slots=True)
class Includes:
    """What C text may include.

    `directories` are searched in their order. `files` are included before the script's own definitions.
    """

    directories: Sequence[Path] = ()
    files: Sequence[Path] = ()


def run(program: ast.Program, kernel: Kernel, arch: Architecture, includes: Includes, sink: DiagnosticSink) -> Kernel:
    if not program.c_definitions and not includes.files:
        return kernel
    text = _Text(program)
    # As in C, what stands beside the file that includes it comes first.
    own = {Path(definition.span.source.name).parent: None for definition in program.c_definitions}
    flags = [word for file in includes.files for word in ("-include", str(file))]
    found = c_definitions.parse(
        text.text, kernel, arch.name, include_directories=[*own, *includes.directories], flags=flags
    )
    program.c_definitions = []
    for diagnostic in found.diagnostics:
        if diagnostic.is_error:
            hints = []
            if _MISSING_HEADER in diagnostic.message:
                hints = ["The kernel's types need no header: they come from its snapshot."]
            sink.error("c-definitions", diagnostic.message, text.span(diagnostic), hints=hints)
    if not sink.has_errors:
        try:
            _MacroExpander(found.macros, sink).children(program)
        except TooLarge as error:
            sink.error("macro-size", str(error), error.span)
    return kernel.with_definitions(found)


class _Text:
    """The definitions of a program in one text, each at the column that it has in its source."""

    def __init__(self, program: ast.Program) -> None:
        self._definitions = program.c_definitions
        self._first_lines: list[int] = []
        self._sources: dict[str, SourceFile | None] = {}
        lines: list[str] = []
        for definition in self._definitions:
            self._first_lines.append(len(lines) + 1)
            lines += (" " * (definition.span.column - 1) + definition.text).split("\n")
        self.text = "\n".join(lines)

    def span(self, diagnostic: CDiagnostic) -> Span | None:
        """The place that a diagnostic means: from there to the end of the word."""
        if not diagnostic.line:
            return None
        if diagnostic.file:
            source, line = self._source(diagnostic.file), diagnostic.line
        else:
            index = bisect_right(self._first_lines, diagnostic.line) - 1
            definition = self._definitions[max(index, 0)]
            source = definition.span.source
            line = min(definition.span.line + diagnostic.line - self._first_lines[index], len(source.line_starts))
        if source is None:
            return None
        return source.word(line, diagnostic.column)

    def _source(self, file: str) -> SourceFile | None:
        if file not in self._sources:
            try:
                self._sources[file] = SourceFile.read(Path(file))
            except OSError:
                self._sources[file] = None
        return self._sources[file]


@dataclass(slots=True)
class _MacroExpander:
    macros: dict[str, str]
    """Object-like macros by name."""
    sink: DiagnosticSink
    growth: Growth = field(default_factory=lambda: Growth("macros"))
    parsed: dict[str, ast.Expression | None] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    """Macros that are being expanded, outermost first."""

    def children(self, node: ast.Node) -> None:
        ast.replace_children(node, self.visit)

    def visit(self, node: ast.Node) -> ast.Node:
        if isinstance(node, ast.Identifier):
            return self.identifier(node)
        self.children(node)
        return node

    def identifier(self, node: ast.Identifier) -> ast.Expression:
        name = node.name
        text = self.macros.get(name)
        if text is None or text == name:
            return node  # `#define NAME NAME` goes with an enumerator of that name.
        if name in self.active:
            self.sink.error("macro-recursion", f"Macro recursion: {'->'.join(self.active)}", node.span)
            return node
        if name not in self.parsed:
            self.parsed[name] = parse_expression(SourceFile(name, text), DiagnosticSink())
        expression = self.parsed[name]
        if expression is None:
            self.sink.error("macro-expression", f"unable to expand macro as an expression: {text}", node.span)
            return node
        copied = expression.clone(node.span)
        self.growth.add(copied, node.span)
        self.active.append(name)
        result = self.visit(copied)
        self.active.pop()
        assert isinstance(result, ast.Expression)
        return result
