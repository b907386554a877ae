"""The case files: what each kind of them shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.dump import dump
from compiler.syntax.parser import parse, parse_expression
from compiler.syntax.printer import print_program
from compiler.syntax.source import SourceFile
from tests.case_data import Case, load_cases
from tests.syntax.brief import brief

_CASES = Path(__file__).parent / "cases"
NAME = "case.bt"


def _parse(text: str) -> tuple[ast.Program, str]:
    sink = DiagnosticSink()
    return parse(SourceFile(NAME, text), sink), sink.render()


@pytest.mark.parametrize("case", load_cases(_CASES, "expression*.test"), ids=str)
def test_expression(case: Case) -> None:
    """The tree, on one line, of each line of the input."""
    outputs = []
    for line in case.text.splitlines():
        sink = DiagnosticSink()
        expression = parse_expression(SourceFile(NAME, line), sink)
        outputs.append(sink.render().rstrip() if expression is None else brief(expression))
    case.check("\n".join(outputs))


@pytest.mark.parametrize("case", load_cases(_CASES, "statement*.test"), ids=str)
def test_statement(case: Case) -> None:
    """The trees, one a line, of an action's statements and result."""
    program, errors = _parse(f"macro m()\n{{\n{case.text}}}\n")
    body = program.macros[0].body if program.macros else None
    result = [] if body is None or body.result is None else [body.result]
    trees = [] if body is None else [*body.statements, *result]
    case.check(errors + "\n".join(brief(tree) for tree in trees))


@pytest.mark.parametrize("case", load_cases(_CASES, "program*.test"), ids=str)
def test_program(case: Case) -> None:
    """The tree of a whole file as --dump ast shows it."""
    program, errors = _parse(case.text)
    case.check(errors + dump(program))


@pytest.mark.parametrize("case", load_cases(_CASES, "error*.test"), ids=str)
def test_error(case: Case) -> None:
    """All diagnostics of a file; nothing when it is right."""
    case.check(_parse(case.text)[1])


@pytest.mark.parametrize("case", load_cases(_CASES, "format*.test"), ids=str)
def test_format(case: Case) -> None:
    """The formatted file, which formatting again leaves alone and which means the same."""
    program, errors = _parse(case.text)
    formatted = print_program(program)
    again, _ = _parse(formatted)
    assert print_program(again) == formatted
    assert ast.equal(program, again)
    case.check(errors + formatted)
