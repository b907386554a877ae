"""Diagnostics: their text, their order, and that each is kept once."""

from __future__ import annotations

import pytest

from compiler.syntax.diagnostics import Diagnostic, DiagnosticError, DiagnosticSink, Note, Severity
from compiler.syntax.source import SourceFile

SOURCE = SourceFile("a.bt", "one two\nthree four\n")
ONE, TWO, FOUR = SOURCE.span(0, 3), SOURCE.span(4, 7), SOURCE.span(14, 18)


def test_error() -> None:
    assert Diagnostic("code", Severity.ERROR, "no such thing", TWO).render() == (
        "a.bt:1:5-8: ERROR: no such thing\none two\n    ~~~\n"
    )


def test_hints_and_notes() -> None:
    diagnostic = Diagnostic("code", Severity.WARNING, "odd", TWO, ("do this", "or that"), (Note("seen here", FOUR),))
    assert diagnostic.render().splitlines() == [
        "a.bt:1:5-8: WARNING: odd",
        "one two",
        "    ~~~",
        "a.bt:2:7-11: WARNING: seen here",
        "three four",
        "      ~~~~",
        "HINT: do this",
        "HINT: or that",
    ]


def test_expansions() -> None:
    diagnostic = Diagnostic("code", Severity.ERROR, "bad", ONE.expanded_at(TWO).expanded_at(FOUR), ("hint",))
    assert [line for line in diagnostic.render().splitlines() if ":" in line] == [
        "a.bt:1:1-4: ERROR: bad",
        "HINT: hint",
        "a.bt:1:5-8: ERROR: expanded from",
        "a.bt:2:7-11: ERROR: expanded from",
    ]


def test_without_a_place() -> None:
    assert Diagnostic("code", Severity.ERROR, "no file").render() == "ERROR: no file\n"


@pytest.mark.parametrize(("severity", "color"), [(Severity.ERROR, "31"), (Severity.WARNING, "33")])
def test_color(severity: Severity, color: str) -> None:
    lines = Diagnostic("code", severity, "bad", ONE, ("hint",)).render(color=True).splitlines()
    assert lines[0] == f"\033[{color}ma.bt:1:1-4: {severity.value}: bad\033[0m"
    assert lines[1:] == ["one two", "~~~", "HINT: hint"]


def test_sink_keeps_each_once() -> None:
    sink = DiagnosticSink()
    for _ in range(3):
        sink.error("code", "bad", ONE)
    sink.warning("code", "bad", ONE)
    sink.error("code", "bad", TWO)
    assert len(sink) == 3


def test_sink_sorts() -> None:
    other = SourceFile("b.bt", "x")
    sink = DiagnosticSink()
    sink.warning("code", "1", ONE)
    sink.error("code", "4", other.span(0, 1))
    sink.error("code", "3", FOUR)
    sink.error("code", "2", ONE)
    sink.error("code", "0", None)
    assert [(each.severity.name, each.message) for each in sink] == [
        ("ERROR", "0"),
        ("ERROR", "2"),
        ("ERROR", "3"),
        ("ERROR", "4"),
        ("WARNING", "1"),
    ]


def test_warnings_are_no_errors() -> None:
    sink = DiagnosticSink()
    sink.warning("code", "odd", ONE)
    assert not sink.has_errors
    sink.error("code", "bad", ONE)
    assert sink.has_errors


def test_exception_carries_its_diagnostic() -> None:
    diagnostic = Diagnostic("code", Severity.ERROR, "bad", ONE)
    error = DiagnosticError(diagnostic)
    assert str(error) == "bad"
    assert error.diagnostic is diagnostic
