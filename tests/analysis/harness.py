"""Runs the front half of the compiler over a text, against the pinned default kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from compiler import pipeline
from compiler.analysis.program import AnalyzedProgram
from compiler.arch import X86_64
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.binary.binaries import Binaries
from compiler.types.kernel import Kernel

NAME = "case.bt"
_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"


@cache
def kernel() -> Kernel:
    return Kernel.load(_SNAPSHOT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`tree` and `program` are None if there were errors; `diagnostics` is their text."""

    tree: ast.Program | None
    program: AnalyzedProgram | None
    diagnostics: str

    @property
    def analyzed(self) -> AnalyzedProgram:
        assert self.program is not None, self.diagnostics
        return self.program


def analyze(
    text: str,
    *,
    min_kernel: tuple[int, int] = (6, 1),
    unsafe: bool = False,
    parameters: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    binaries: Binaries | None = None,
) -> Outcome:
    sink = DiagnosticSink()
    options = pipeline.Options(
        X86_64,
        min_kernel,
        unsafe,
        parameters=parameters,
        environment=environment or {},
        binaries=binaries or Binaries(),
    )
    try:
        tree, program = pipeline.front(SourceFile(NAME, text), kernel(), options, sink)
    except pipeline.CompileError:
        return Outcome(None, None, sink.render())
    return Outcome(tree, program, sink.render())
