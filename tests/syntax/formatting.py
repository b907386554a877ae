"""What must hold of the formatter for every script."""

from __future__ import annotations

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.printer import print_program
from compiler.syntax.source import SourceFile


def check_formatting(text: str) -> bool:
    """What the formatter writes means the same, keeps the comments, and is formatted. False: syntax errors."""
    sink = DiagnosticSink()
    program = parse(SourceFile("a.bt", text), sink)
    if sink.has_errors:
        return False
    formatted = print_program(program)
    again = parse(SourceFile("b.bt", formatted), sink)
    assert not sink.has_errors, f"{text}\n{sink.render()}"
    assert ast.equal(program, again), text
    assert print_program(again) == formatted, text
    assert sorted(each.text.strip() for each in program.comments) == sorted(each.text for each in again.comments)
    return True
