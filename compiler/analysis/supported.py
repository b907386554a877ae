"""Pass: what the compiler cannot do yet.

Before: a parsed program. After: it holds only constructs that the later passes know; the others have been reported.
"""

from __future__ import annotations

from collections.abc import Mapping

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink

_NOT_YET: Mapping[type[ast.Node], str] = {
    ast.ImportStatement: "import statements are",
    ast.Subprogram: "subprograms are",
    ast.Comptime: "comptime is",
    ast.TypeInfo: "typeinfo is",
}


def run(program: ast.Program, sink: DiagnosticSink) -> None:
    for node in program.walk():
        what = _NOT_YET.get(type(node))
        if what is not None:
            sink.error("not-supported", f"{what} not supported yet", node.span)
