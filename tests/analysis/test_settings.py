"""What the compiler is given beside the script: parameters and settings of the environment."""

from __future__ import annotations

import pytest

from compiler.analysis.config import Config
from compiler.syntax import ast
from tests.analysis.harness import Outcome, analyze


def printed(outcome: Outcome) -> list[ast.Expression]:
    """The elements of the tuple that the first probe prints."""
    call = next(node for node in outcome.analyzed.programs[0].probe.walk() if isinstance(node, ast.Call))
    assert isinstance(call.arguments[0], ast.Tuple)
    return call.arguments[0].elements


def test_parameters_become_literals() -> None:
    words = ("hello", "-5", "0x10")
    outcome = analyze("BEGIN { print(($1, $2, $3, str($3), str($1 + 1, 2), $#)); }", parameters=words)
    values = [element.value for element in printed(outcome) if isinstance(element, ast.String | ast.Integer)]
    assert values == ["hello", -5, 16, "0x10", "el", 3]
    assert outcome.analyzed.parameters == []


def test_parameter_that_is_not_given() -> None:
    outcome = analyze("BEGIN { print(($2, str($2))); }", parameters=("1",))
    assert [element.value for element in printed(outcome) if isinstance(element, ast.String | ast.Integer)] == [0, ""]
    assert outcome.diagnostics.startswith("case.bt:1:16-18: WARNING: Positional parameter $2 is empty or not provided.")


@pytest.mark.parametrize(
    ("script", "words", "name"),
    [
        ("$1 { }", ("i:ms:10",), "interval:ms:10"),
        ("i:$1 { }", ("s:1",), "interval:s:1"),
        ("interval:ms:$2$1 { }", ("0", "1"), "interval:ms:10"),
        ("kprobe:vfs_$1 { }", ("read",), "kprobe:vfs_read"),
    ],
)
def test_parameters_in_attach_points(script: str, words: tuple[str, ...], name: str) -> None:
    outcome = analyze(script, parameters=words)
    assert outcome.analyzed.programs[0].attach_points[0].name == name


def test_environment_takes_precedence() -> None:
    environment = {"BPFTRACE_MAX_STRLEN": "64", "BPFTRACE_STACK_MODE": "raw", "PATH": "/"}
    config = analyze("config = { max_strlen = 8; max_map_keys = 5 } BEGIN { }", environment=environment).analyzed.config
    assert isinstance(config, Config)
    assert (config.max_strlen, config.stack_mode.value, config.max_map_keys) == (64, "raw", 5)


def test_value_of_the_environment_that_cannot_be() -> None:
    outcome = analyze("BEGIN { }", environment={"BPFTRACE_MAX_STRLEN": "long"})
    assert outcome.diagnostics == "ERROR: BPFTRACE_MAX_STRLEN: expecting a number, got long\n"
    outcome = analyze("BEGIN { }", environment={"BPFTRACE_MAX_PROBES": "-1"})
    assert outcome.diagnostics == (
        "ERROR: BPFTRACE_MAX_PROBES: expecting a number from 0 to 18446744073709551615, got -1\n"
    )
