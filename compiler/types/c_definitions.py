"""The C definitions of a script (`struct`, `union`, `enum`, `typedef`, `#define`, `#include`), parsed by libclang.

Kernel types need no definition: what the script's C text names without defining it is taken from the kernel.
libclang gets a placeholder of the same size and alignment for it, and the member's type is the kernel's own, so that
access to it is relocated on the target as everywhere else. What the script defines itself wins over the kernel's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.syntax.source import encode
from compiler.types.c_declarations import CDeclarations, CDiagnostic
from compiler.types.lattice import BOOL, Enum, Integer, Pointer, Type, TypeSource

if TYPE_CHECKING:
    from clang import cindex

_INCLUDE = Path(__file__).parent / "include"
MAIN_FILE = "/bpftrace/definitions.h"  # libclang wants unsaved files by absolute names
_KERNEL_FILE = "/bpftrace/kernel_types.h"
_PREAMBLE_LINES = 1
_MAX_ROUNDS = 64

_TRIPLES = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_UNKNOWN_NAME = re.compile(r"(?:unknown type name|use of undeclared identifier) '(\w+)'")
_UNKNOWN_TAG = re.compile(r"incomplete (?:\w+ )*type '(?:const |volatile )*((?:struct|union|enum) \w+)")


def parse(
    text: str, kernel: TypeSource, arch: str, *, include_directories: Sequence[Path] = (), flags: Sequence[str] = ()
) -> CDeclarations:
    """Parses the C text of a script. Errors are in the result's `diagnostics`; what could be parsed is there as well.

    `arch` is "x86_64" or "arm64". `#include` searches `include_directories`, and then the compiler's own headers alone;
    `flags` are further options for clang, such as `-DNAME=VALUE`.
    """
    from clang import cindex  # loading libclang costs tens of milliseconds that most scripts need not pay

    from compiler.types.c_reader import CReader

    known = _KernelText(kernel)
    arguments = [
        "-x", "c", "-target", _TRIPLES[arch], "-nostdinc", "-ferror-limit=0", "-w", "-D__KERNEL__",
        "-DBPFTRACE_HAVE_BTF", "-D_LINUX_TYPES_H", *flags,
    ]  # fmt: skip
    for directory in (*include_directories, _INCLUDE):
        arguments += ["-isystem", str(directory)]
    index = cindex.Index.create()
    main = f'#include "{_KERNEL_FILE}"\n{text}\n'
    for _ in range(_MAX_ROUNDS):
        unit = index.parse(
            MAIN_FILE,
            arguments,
            # As bytes: a script need not be UTF-8.
            unsaved_files=[(MAIN_FILE, encode(main)), (_KERNEL_FILE, known.text)],
            options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD,
        )
        problems = [problem for problem in unit.diagnostics if problem.severity >= cindex.Diagnostic.Error]
        if not known.add(map(_message, problems)):
            break
    diagnostics = [
        CDiagnostic(
            _message(problem),
            *_place(problem.location),
            is_error=problem.severity >= cindex.Diagnostic.Error,
        )
        for problem in unit.diagnostics
    ]
    if problems:  # libclang makes something up for what is wrong, and fails at some of it itself
        return CDeclarations(diagnostics=diagnostics)
    return CReader(kernel, _KERNEL_FILE).read(unit.cursor, diagnostics)


def _message(problem: cindex.Diagnostic) -> str:
    try:
        return str(problem.spelling)
    except UnicodeDecodeError:
        return "not UTF-8"  # it quotes what it complains of


def _place(location: cindex.SourceLocation) -> tuple[str, int, int]:
    """The included file ("" for the script's C text), line and column."""
    if location.file is None:
        return "", 0, 0
    if location.file.name == MAIN_FILE:
        return "", location.line - _PREAMBLE_LINES, location.column
    return location.file.name, location.line, location.column


class _KernelText:
    """Placeholders, in C, for the kernel's types that a C text names."""

    def __init__(self, kernel: TypeSource) -> None:
        self._kernel = kernel
        self._declarations: dict[str, str] = {}

    @property
    def text(self) -> str:
        return "\n".join(self._declarations.values()) + "\n"

    def __contains__(self, name: str) -> bool:
        return name in self._declarations

    def add(self, messages: Iterable[str]) -> bool:
        """Declares what the messages miss and the kernel has; whether that was anything new."""
        before = len(self._declarations)
        for message in messages:
            for pattern in (_UNKNOWN_NAME, _UNKNOWN_TAG):
                found = pattern.search(message)
                if found and found[1] not in self._declarations:
                    declaration = self._declare(found[1])
                    if declaration is not None:
                        self._declarations[found[1]] = declaration
        return len(self._declarations) > before

    def _declare(self, name: str) -> str | None:
        tag, _, own = name.rpartition(" ")
        match tag:
            case "struct" | "union":
                record = self._kernel.struct(own) if tag == "struct" else self._kernel.union(own)
                return None if record is None else f"{name} {_opaque(record)};"
            case "enum":
                enumeration = self._kernel.enum(own)
                return None if enumeration is None else _enum_text(enumeration)
        aliased = self._kernel.typedef(own)
        if aliased is not None:
            return _typedef_text(own, aliased)
        constant = self._kernel.enumerator(own)
        return None if constant is None else f"enum {{ {own} = {constant[1]} }};"


def _opaque(type_: Type) -> str:
    # BTF has no alignment; the largest that a size allows, as far as C goes, is right for all but packed structures.
    alignment = next(size for size in (8, 4, 2, 1) if type_.size % size == 0)
    return f"{{ char opaque[{type_.size}]; }} __attribute__((aligned({alignment})))"


def _enum_text(enumeration: Enum) -> str:
    constants = ", ".join(f"{name} = {value}" for name, value in enumeration.enumerators.items())
    return f"enum {enumeration.name} {{ {constants} }};"


def _typedef_text(name: str, aliased: Type) -> str:
    match aliased:
        case Integer():
            return f"typedef {'' if aliased.is_signed else 'unsigned '}{_C_INTEGERS[aliased.size]} {name};"
        case Pointer():
            return f"typedef void *{name};"
        case _ if aliased == BOOL:
            return f"typedef _Bool {name};"
        case _ if aliased.size:
            return f"typedef struct {_opaque(aliased)} {name};"
        case _:
            return f"typedef void {name};"


_C_INTEGERS = {1: "char", 2: "short", 4: "int", 8: "long long"}
