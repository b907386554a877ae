"""What no single case file can show: odd characters, deep nesting, long files, random faults."""

from __future__ import annotations

import time

import pytest

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse, parse_expression
from compiler.syntax.source import SourceFile
from tests.syntax.brief import brief
from tests.syntax.formatting import check_formatting
from tests.syntax.generator import Generator

MANY = 20_000


def messages(text: str) -> list[str]:
    sink = DiagnosticSink()
    parse(SourceFile("a.bt", text), sink)
    sink.render()
    return [diagnostic.message.removeprefix("syntax: ") for diagnostic in sink]


def test_carriage_returns_are_white_space() -> None:
    assert messages("begin\r\n{\r\n  f(); // x\r\n}\r\n") == []


def test_other_control_characters_are_not() -> None:
    assert messages("begin { f();\f }") == ["expected expression"]
    assert messages("begin { \0 }") == ["expected expression"]


def test_bytes_in_a_string() -> None:
    sink = DiagnosticSink()
    program = parse(SourceFile("a.bt", 'begin { f("\udcff\\xfe"); }'), sink)
    assert not sink.has_errors
    [string] = (node for node in program.walk() if isinstance(node, ast.String))
    assert string.data == b"\xff\xfe"


def test_comments_are_kept_once() -> None:
    program = parse(SourceFile("a.bt", "// 1\nbegin /* 2 */ { $x = (a /* 3 */ ) + 1; }// 4"), DiagnosticSink())
    assert [comment.text for comment in program.comments] == ["// 1", "/* 2 */", "/* 3 */", "// 4"]


def test_unterminated_comment_reaches_to_the_end() -> None:
    assert messages("begin { } /* f") == []


def test_expression_of_its_own() -> None:
    sink = DiagnosticSink()
    expression = parse_expression(SourceFile("a.h", "  (1 << 4) | 2 // flag"), sink)
    assert brief(expression) == "(| (<< 1 4) 2)"
    assert not sink.has_errors


def test_earlier_errors_do_not_spoil_an_expression() -> None:
    sink = DiagnosticSink()
    sink.error("code", "something else", None)
    assert parse_expression(SourceFile("a.h", "1"), sink) is not None


@pytest.mark.parametrize(
    "text",
    [
        "(" * MANY + "1" + ")" * MANY,
        "-" * MANY + "1",
        "!" * MANY + "1",
        "{" * MANY + "}" * MANY,
        "1 + " * MANY + "1",
        "$x" + ".a" * MANY,
        "$x" + "[0]" * MANY,
        "f(" * MANY,
        "@[" * MANY,
        "(a=" * MANY,
        "(int8)" * MANY + "1",
        "(int8" + "*" * MANY + ")1",
        "(int8" + "[1]" * MANY + ")1",
        "sizeof(" * MANY,
        "typeof(" * MANY,
        "comptime " * MANY + "1",
        "if (1) {" * MANY + "}" * MANY,
        "if (1) { } " + "else if (1) { } " * MANY,
        "1 ? 2 : " * MANY + "3",
        "1 ? " * MANY,
    ],
)
def test_too_deep(text: str) -> None:
    [message] = messages(f"begin {{ $y = {text}; }}")
    assert message.startswith("nested too deeply")


def test_deep_enough() -> None:
    depth = 150
    assert messages(f"begin {{ $x = {'(' * depth}1{')' * depth}; }}") == []
    assert messages(f"begin {{ $x = {'{' * depth}1{'}' * depth}; }}") == []
    assert messages(f"begin / {'pid == 1 || ' * 900} 0 / {{ }}") == []
    assert messages(f"begin {{ if (1) {{ }} {'else if (1) { } ' * depth} }}") == []


def test_nested_short_conditionals_do_not_explode() -> None:
    depth = 100
    started = time.process_time()
    assert messages(f"begin {{ $x = {'(' * depth}1{' ?: 2)' * depth}; }}") == ["the condition of '?:' is too long"]
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "unit",
    [
        "begin { f(1, $x + 2); }\n",
        "kprobe:a,\n",
        "begin { if (1 }\n",
        "begin { /* c */ }\n",
        "begin {\n",
        "struct a ",
        "struct a (",
        '"\\',
        '"abc\n',
        "macro m(",
        "begin { $x = (a*",
        "begin { $x = 1 / ",
        "}",
        ";",
        "#define A\n",
        "/*",
        "$",
    ],
)
def test_time_grows_with_the_length(unit: str) -> None:
    """Ten times the length may take a few times longer than ten times, not a hundred times."""

    def seconds(length: int) -> float:
        source = SourceFile("a.bt", unit * (length // len(unit)))
        best = float("inf")
        for _ in range(2):
            started = time.process_time()
            parse(source, DiagnosticSink())
            best = min(best, time.process_time() - started)
        return best

    assert seconds(20_000) < 40 * max(seconds(2_000), 0.0005)


def test_random_faults() -> None:
    """No text makes the parser, or the rendering of its diagnostics, fail or hang."""
    generator = Generator(20_240_901)
    deadline = time.monotonic() + 2
    for _ in range(400):
        text = generator.mutation(generator.program())
        started = time.process_time()
        messages(text)
        assert time.process_time() - started < 5, text
        if time.monotonic() > deadline:
            break


def test_random_programs_survive_formatting() -> None:
    generator = Generator(20_240_902)
    deadline = time.monotonic() + 2
    checked = 0
    for _ in range(400):
        checked += check_formatting(generator.program())
        if time.monotonic() > deadline:
            break
    assert checked >= 20
