"""Runs the whole compiler over a text, against the pinned default kernel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from compiler import back, pipeline
from compiler.arch import ARCHITECTURES
from compiler.backend import Backend
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel

_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"


@cache
def kernel() -> Kernel:
    return Kernel.load(_SNAPSHOT)


def compile_text(
    text: str, *, arch: str = "x86_64", min_kernel: tuple[int, int] = (5, 10), helper_errors: int = 1
) -> back.Compiled:
    """Compiles a script that must have no errors."""
    sink = DiagnosticSink()
    backend = Backend()
    try:
        options = pipeline.Options(ARCHITECTURES[arch], min_kernel, unsafe=True)
        _, program = pipeline.front(SourceFile("case.bt", text), kernel(), options, sink)
        return back.compile_program(program, backend, sink, pipeline.Timings(), helper_errors=helper_errors, texts=True)
    except pipeline.CompileError:
        raise AssertionError(sink.render()) from None
    finally:
        backend.close()
