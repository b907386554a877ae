"""Errors of LLVM that are a script's doing, not the compiler's."""

from __future__ import annotations

import pytest

from compiler import back, pipeline
from compiler.arch import X86_64
from compiler.backend import Backend, BackendError, BackendResult
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from tests.codegen.compile import kernel

_STACK = (
    "error: <unknown>:0:0: in function {} i64 (ptr): Looks like the BPF stack limit is exceeded. Please move large on "
    "stack variables into BPF per-cpu array map.\nLLVM exited with status 1"
)


class _FailingBackend(Backend):
    def __init__(self, message: str) -> None:
        self._message = message

    def compile_ir(self, ir: str, **_: object) -> BackendResult:  # noqa: ARG002
        raise BackendError(self._message)


def _fail(message: str) -> str:
    """The diagnostics of a script for which LLVM fails; {} in the message is the second program's name."""
    sink = DiagnosticSink()
    options = pipeline.Options(X86_64)
    source = SourceFile("case.bt", "BEGIN { exit(); }\nkprobe:vfs_read { exit(); }\n")
    _, program = pipeline.front(source, kernel(), options, sink)
    backend = _FailingBackend(message.format(program.programs[1].name))
    with pytest.raises(pipeline.CompileError):
        back.compile_program(program, backend, sink, pipeline.Timings())
    return sink.render()


def test_stack_limit_is_said_of_the_probe() -> None:
    assert _fail(_STACK) == (
        "case.bt:2:1-16: ERROR: This probe needs more stack than the 512 bytes that a BPF program has\n"
        "kprobe:vfs_read { exit(); }\n"
        "~~~~~~~~~~~~~~~\n"
        "HINT: Fewer scratch variables in use at once, and less deeply nested expressions, need less.\n"
    )


def test_other_errors_are_the_compilers() -> None:
    with pytest.raises(BackendError):
        _fail("LLVM ERROR: Cannot select")
