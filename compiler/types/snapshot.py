"""A kernel's description as files, whatever form they have: the interface that `Kernel` reads from.

Two forms exist: a folder with a kernel's own files (`snapshot_folder`), and the single file that is made from one
(`snapshot_file`). Everything is read when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Protocol

from compiler.types.btf import Btf

VMLINUX = "vmlinux"


class Snapshot(Protocol):
    """All methods raise SnapshotError for what is damaged. `module` is VMLINUX or one of `modules`."""

    @property
    def release(self) -> str: ...

    @property
    def arch(self) -> str:
        """Either "x86_64" or "arm64"."""

    @property
    def modules(self) -> Sequence[str]:
        """VMLINUX first, then the loaded modules in order of their names."""

    def btf(self, module: str) -> Btf | None:
        """The module's BTF, on top of vmlinux's; None if it has none."""

    def traceable(self, module: str) -> AbstractSet[str]:
        """Functions that ftrace can trace."""

    def functions(self, module: str) -> AbstractSet[str]:
        """Functions in the kernel's symbol table; empty if the snapshot has none."""

    def objects(self, module: str) -> AbstractSet[str]:
        """Other symbols of the kernel's symbol table."""

    @property
    def categories(self) -> Sequence[str]:
        """Categories of tracepoints, sorted."""

    def events(self, category: str) -> Sequence[str]:
        """Tracepoints of a category, sorted; none if there is no such category."""

    def format(self, category: str, event: str) -> str | None:
        """Text of the tracepoint's format; None if there is no such tracepoint."""


def open_snapshot(path: Path) -> Snapshot:
    """Open a snapshot file or folder. Raises SnapshotError."""
    # Each form loads only when it is met: the file's pulls in protobuf, which costs a compilation 30 ms.
    if path.is_dir():
        from compiler.types.snapshot_folder import FolderSnapshot

        return FolderSnapshot.at(path)
    from compiler.types.snapshot_file import FileSnapshot

    return FileSnapshot.load(path)
