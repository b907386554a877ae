"""The part of the standard library that is written in bpftrace itself, as macros.

Which file has a name's macros is said by its entry in compiler.builtins; a file is parsed when a script uses one of
its names, once in the life of the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from compiler.builtins import BUILTINS
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.source import SourceFile

FOLDER = Path(__file__).parent


def macros(name: str) -> Sequence[ast.Macro]:
    """The library's macros of that name, in the order in which they are tried; none if it is written otherwise."""
    entry = BUILTINS.get(name)
    return load(entry.library).get(name, ()) if entry is not None and entry.library else ()


@cache
def load(file: str) -> Mapping[str, Sequence[ast.Macro]]:
    """The macros of one file by name. They are shared: who expands one makes a copy."""
    sink = DiagnosticSink()
    program = parse(SourceFile.read(FOLDER / file, f"stdlib/{file}"), sink)
    if sink.has_errors:
        raise AssertionError(sink.render())
    found: dict[str, list[ast.Macro]] = {}
    for macro in program.macros:
        found.setdefault(macro.name, []).append(macro)
    return found
