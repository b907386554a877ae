"""Pass: C sources.

Before: imports are merged; `program.c_sources` has the C sources among them. After: it is empty, and every source is
compiled: the result has their functions, maps and IR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from compiler.arch import Architecture
from compiler.interop import ir, module
from compiler.interop.clang import Clang, ClangError
from compiler.interop.module import CFunction, CModule
from compiler.interop.vmlinux import vmlinux_header
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import SourceFile, Span
from compiler.types.btf import BtfError
from compiler.types.c_declarations import CDiagnostic
from compiler.types.kernel import Kernel
from compiler.types.snapshot import VMLINUX

_NO_CLANG = "importing C sources needs clang"
_NO_CLANG_HINT = (
    "Name one: the attribute `clang` of bpftrace_toolchain, or --clang=PROGRAM where the compiler is run by hand."
)
_NEWER_LLVM = "clang's LLVM is newer than the compiler's"
_INLINE_ASSEMBLY = "Inline asm not supported"


class Described(Protocol):
    """LLVM's view of bitcode: compiler.backend.Description."""

    @property
    def ir(self) -> str: ...
    @property
    def btf(self) -> bytes: ...


class DescribeError(Exception):
    """LLVM cannot make a module of the bitcode; the message is its own."""


Describe = Callable[[bytes], Described]
"""Has LLVM read bitcode. Raises DescribeError."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """How C sources are compiled: with which clang (None: not at all), with headers from where."""

    clang: str | None = None
    directories: Sequence[Path] = ()


def run(
    program: ast.Program,
    kernel: Kernel,
    arch: Architecture,
    compiler: Compiler,
    describe: Describe | None,
    sink: DiagnosticSink,
) -> list[CModule]:
    sources, program.c_sources = program.c_sources, []
    if not sources:
        return []
    if compiler.clang is None or describe is None:
        for source in sources:
            sink.error("c-source", f"{_NO_CLANG}: {Path(source.path).name}", source.span, hints=[_NO_CLANG_HINT])
        return []
    found = []
    for source in sources:
        folder = Path(source.path).parent
        root = Path(program.span.source.name).parent
        directories = list(dict.fromkeys([folder, root, *compiler.directories]))
        clang = Clang(compiler.clang, arch.name, directories, lambda: _vmlinux(kernel))
        compiled = _Importer(clang, kernel, describe, sink).compile(source)
        if compiled is not None:
            found.append(compiled)
    _check_symbols(found, kernel, sink)
    return found


def functions(modules: Sequence[CModule]) -> dict[str, CFunction]:
    """Those of all modules by name; one that is not static goes before others of its name."""
    found: dict[str, CFunction] = {}
    for one in modules:
        for name, function in one.functions.items():
            if name not in found or found[name].linkage == module.LINKAGE_STATIC:
                found[name] = function
    return found


def _vmlinux(kernel: Kernel) -> str:
    source = kernel.btf()
    assert source is not None  # or there was a BtfError
    return vmlinux_header(source.btf)


@dataclass(slots=True)
class _Importer:
    clang: Clang
    kernel: Kernel
    describe: Describe
    sink: DiagnosticSink

    def compile(self, node: ast.CSource) -> CModule | None:
        path = Path(node.path)
        try:
            source = SourceFile.read(path)
        except OSError as error:
            self.sink.error("import", f"error reading import '\"{path}\"': {error.strerror}", node.span)
            return None
        try:
            compiled = self.clang.compile(path)
            self.report(compiled.diagnostics, source, node.span)
            if not compiled.bitcode:
                return None
            try:
                described = self.describe(compiled.bitcode)
            except DescribeError as error:
                self.explain(str(error), source, node.span)
                return None
            return module.read(source, node.span, ir.read(described.ir, path.name), described.btf, self.kernel)
        except (ClangError, BtfError) as error:
            self.sink.error("c-source", str(error), node.span)
        except module.UnsupportedError as error:
            self.sink.error("not-supported", f"{path.name}: {error}", node.span)
        return None

    def report(self, diagnostics: Sequence[CDiagnostic], source: SourceFile, imported: Span) -> None:
        for item in diagnostics:
            file = source
            if item.file != source.name:
                try:
                    file = SourceFile.read(Path(item.file))
                except OSError:
                    file = SourceFile(item.file, "")
            span = file.word(item.line, item.column)
            report = self.sink.error if item.is_error else self.sink.warning
            if span is None:
                report("c-source", f"{item.file}:{item.line}:{item.column}: {item.message}", imported)
            else:
                report("c-source", item.message, span, notes=[Note("imported here", imported)])

    def explain(self, message: str, source: SourceFile, imported: Span) -> None:
        """Reports why LLVM made no module: what clang says of the same, if it is the source's fault. Raises ClangError
        and BtfError.
        """
        if _INLINE_ASSEMBLY in message:
            self.sink.error("not-supported", f"{source.name}: inline assembly is not supported", imported)
            return
        errors = [item for item in self.clang.machine_diagnostics(Path(source.name)) if item.is_error]
        if errors:
            self.report(errors, source, imported)
        elif "Producer" in message or "bitcode" in message:
            self.sink.error("c-source", f"{source.name}: {_NEWER_LLVM}: {message}", imported)
        else:
            self.sink.error("c-source", f"{source.name}: {message}", imported)


def _check_symbols(modules: Sequence[CModule], kernel: Kernel, sink: DiagnosticSink) -> None:
    """Every name is defined once, and what one source declares another one or the kernel defines."""
    defined: dict[str, CModule] = {}
    for one in modules:
        for name in one.ir.exported:
            if name in defined:
                other = defined[name].source.name
                sink.error("c-source", f"{one.source.name}: '{name}' is defined in {other}, too", one.imported)
            defined.setdefault(name, one)
    for one in modules:
        for name, what in one.ir.undefined.items():
            problem = None if name in defined else _undefined(name, what, kernel)
            if problem is not None:
                sink.error("c-source", f"{one.source.name}: {problem}", one.imported)


def _undefined(name: str, what: ir.Undefined, kernel: Kernel) -> str | None:
    """What is wrong with a name that no C source defines."""
    match what.section:
        case ".ksyms" if what.is_function and what.has_address:
            return f"'{name}': the address of a kernel function, and so a test whether there is one, is not supported"
        case ".ksyms" if what.is_function:
            found = kernel.function(name, VMLINUX) is not None
            return None if found else f"'{name}' is no function of the kernel {kernel.release}"
        case ".ksyms":
            found = kernel.variable(name) is not None
            return None if found else f"'{name}' is no variable that the BTF of the kernel {kernel.release} has"
        case ".kconfig":
            return f"'{name}': kernel configuration is not supported"
        case _:
            return f"'{name}' is declared, but no imported C source defines it"
