"""The case files: what each kind of them shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.syntax.printer import print_program
from tests.analysis.harness import analyze
from tests.case_data import Case, load_cases

_CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", load_cases(_CASES, "type*.test"), ids=str)
def test_type(case: Case) -> None:
    """The type of each line of the input, an expression that a scratch variable of a kprobe is assigned.

    Lines before one that is `===` are C definitions, lines before one that is `---` statements that come first.
    """
    definitions, _, text = case.text.rpartition("===\n")
    before, _, expressions = text.rpartition("---\n")
    lines = expressions.splitlines()
    outputs = []
    for line in lines:
        outcome = analyze(f"{definitions}kprobe:vfs_read {{ {before} $value = {line}; }}")
        if outcome.program is None:
            # The message alone: where it is pointed at is for the files of errors to show.
            outputs.append(outcome.diagnostics.splitlines()[0].partition(": ")[2])
            continue
        assignment = outcome.program.programs[0].probe.body.statements[-1]
        outputs.append(f"{line}  ->  {assignment.target.symbol.type}")  # type: ignore[attr-defined]
    case.check("\n".join(outputs))


@pytest.mark.parametrize("case", load_cases(_CASES, "error*.test"), ids=str)
def test_error(case: Case) -> None:
    """All diagnostics of a script, which must have an error."""
    outcome = analyze(case.text)
    assert outcome.program is None, "no error"
    case.check(outcome.diagnostics)


@pytest.mark.parametrize("case", load_cases(_CASES, "warning*.test"), ids=str)
def test_warning(case: Case) -> None:
    """All diagnostics of a script that compiles."""
    outcome = analyze(case.text)
    assert outcome.program is not None, outcome.diagnostics
    case.check(outcome.diagnostics)


@pytest.mark.parametrize("case", load_cases(_CASES, "program*.test"), ids=str)
def test_program(case: Case) -> None:
    """The script after analysis, conversions written out; then its maps."""
    outcome = analyze(case.text)
    assert outcome.tree is not None, outcome.diagnostics
    maps = [
        f"{symbol.name}: {symbol.key_type or 'no key'} -> {symbol.value_type}, "
        f"{symbol.map_type.name.lower()}({symbol.max_entries})"
        for symbol in outcome.analyzed.maps
    ]
    case.check(outcome.diagnostics + print_program(outcome.tree) + "\n" + "\n".join(maps))
