"""Runs clang: a C source in, LLVM bitcode and what clang says about the source out.

Only headers that are named can be included: nothing of the machine's own. `vmlinux.h` is written when a source turns
out to want it, because that takes longer than all the rest.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.types.c_declarations import CDiagnostic

_OWN_HEADERS = (
    Path(__file__).parent / "include",
    Path(__file__).parent.parent / "types" / "include",
)
_TARGETS = {"x86_64": "x86", "arm64": "arm64"}
_CPU = "v3"  # as in compiler.codegen.llvm
_MESSAGE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<kind>[a-z ]+): (?P<message>.*)")
_VMLINUX = "vmlinux.h"


class ClangError(Exception):
    """clang could not be run, or failed without saying what is wrong with the source."""


@dataclass(frozen=True, slots=True)
class CObject:
    """What clang made of a source: bitcode (none if there are errors), and its diagnostics."""

    bitcode: bytes
    diagnostics: tuple[CDiagnostic, ...]


@dataclass(frozen=True, slots=True)
class Clang:
    """How to run clang. `vmlinux` makes the text of vmlinux.h."""

    program: str
    arch: str
    directories: Sequence[Path]
    vmlinux: Callable[[], str]

    def compile(self, source: Path) -> CObject:
        """Raises ClangError."""
        with tempfile.TemporaryDirectory(prefix="bpftrace-") as folder:
            generated = Path(folder)
            result = self._run(source, generated, ["-emit-llvm"])
            if any(_VMLINUX in message.message for message in result.diagnostics if message.is_error):
                (generated / _VMLINUX).write_text(self.vmlinux())
                result = self._run(source, generated, ["-emit-llvm"])
            return result

    def machine_diagnostics(self, source: Path) -> tuple[CDiagnostic, ...]:
        """What is wrong with a source only once machine code is made of it: a function that returns a structure."""
        with tempfile.TemporaryDirectory(prefix="bpftrace-") as folder:
            (Path(folder) / _VMLINUX).write_text(self.vmlinux())
            return self._run(source, Path(folder), []).diagnostics

    def _run(self, source: Path, generated: Path, what: Sequence[str]) -> CObject:
        command = [
            self.program, "-target", "bpf", f"-mcpu={_CPU}", "-O2", "-g", *what, "-c", str(source), "-o", "-",
            # No calls of functions that no one defines.
            "-fno-builtin", "-nostdinc", f"-D__TARGET_ARCH_{_TARGETS[self.arch]}",
            "-fno-color-diagnostics", "-fno-caret-diagnostics", "-ferror-limit=0",
            *(f"-I{folder}" for folder in (generated, *self.directories, *_OWN_HEADERS)),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError as error:
            raise ClangError(f"{self.program}: {error.strerror}") from None
        text = done.stderr.decode("utf-8", "replace")
        diagnostics = tuple(_diagnostics(text))
        if done.returncode and not any(item.is_error for item in diagnostics):
            raise ClangError(f"{self.program} failed: {text.strip() or f'exit code {done.returncode}'}")
        return CObject(b"" if done.returncode else done.stdout, diagnostics)


def _diagnostics(text: str) -> list[CDiagnostic]:
    found = []
    for line in text.splitlines():
        match = _MESSAGE.fullmatch(line)
        if match and match["kind"] in ("error", "fatal error", "warning"):
            place = match["file"], int(match["line"]), int(match["column"])
            found.append(CDiagnostic(match["message"], *place, is_error=match["kind"] != "warning"))
    return found
