"""Compiles whole scripts of upstream's, all with one LLVM."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from compiler import back, pipeline
from compiler.analysis import c_sources
from compiler.analysis.c_definitions import Includes
from compiler.arch import X86_64
from compiler.backend import Backend
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel

# Where the command line looks for headers of the system.
_INCLUDES = Includes([Path("/usr/include/x86_64-linux-gnu"), Path("/usr/include")])

_MIN_KERNEL = (6, 1)  # loops over ranges that are not known need 5.17


@dataclass(slots=True)
class Compiler:
    kernel: Kernel
    _backend: Backend = field(default_factory=Backend)

    def __enter__(self) -> Compiler:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._backend.close()

    def errors(self, source: SourceFile, parameters: tuple[str, ...] = (), *, unsafe: bool = False) -> str:
        """The diagnostics of a script that does not compile; "" if it does."""
        sink = DiagnosticSink()
        options = pipeline.Options(
            X86_64,
            _MIN_KERNEL,
            unsafe,
            includes=_INCLUDES,
            parameters=parameters,
            c_compiler=c_sources.Compiler(shutil.which("clang")),
        )
        try:
            _, program = pipeline.front(source, self.kernel, options, sink, describe=self._backend.describe)
            compiled = back.compile_program(program, self._backend, sink, pipeline.Timings())
        except pipeline.CompileError:
            return sink.render()
        assert compiled.resources.programs, source.name
        return ""
