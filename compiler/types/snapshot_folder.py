"""A kernel's own files as a snapshot: a folder with copies of them, or the running kernel.

A folder has

    vmlinux.btf                                 required
    btf-modules/<module>.btf
    tracefs/events/<category>/<event>/format
    tracefs/available_filter_functions          lines "function" or "function [module]"
    kallsyms                                    as /proc/kallsyms; addresses are ignored
    uname, or misc/uname                        the release; without it the folder's name is taken

and may have more, which is ignored.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from compiler.types.btf import Btf, Kind
from compiler.types.errors import SnapshotError
from compiler.types.snapshot import VMLINUX
from compiler.types.traceable import traceable_by_module

_FUNCTION_TYPES = frozenset("tTwW")
_NO_NAMES: AbstractSet[str] = frozenset()

# Symbols that the kernel's build makes by the ten thousand and that nobody asks for: padding before functions, tables
# of exported symbols, records of trace events, and function-local constants ("name.123").
_BUILD_ARTIFACTS = ("__pfx_", "__ksymtab_", "__kstrtab", "__crc_", "__tpstrtab_", "__UNIQUE_ID_", "__SCK__", "__SCT__")


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """Where a kernel's files are. Those that do not exist count as empty, but for `vmlinux`."""

    vmlinux: Path
    module_btf: Mapping[str, Path]
    tracefs: Path
    kallsyms: Path

    @staticmethod
    def of_folder(folder: Path) -> KernelFiles:
        modules = {file.stem: file for file in folder.glob("btf-modules/*.btf")}
        return KernelFiles(folder / "vmlinux.btf", modules, folder / "tracefs", folder / "kallsyms")

    @staticmethod
    def of_running_kernel(root: Path = Path("/")) -> KernelFiles:
        btf = root / "sys/kernel/btf"
        modules = {file.name: file for file in btf.glob("*") if file.name != VMLINUX}
        tracefs = next(
            (path for path in (root / "sys/kernel/tracing", root / "sys/kernel/debug/tracing") if _is_tracefs(path)),
            None,
        )
        if tracefs is None:
            raise SnapshotError("tracefs: not mounted or not readable: mount -t tracefs tracefs /sys/kernel/tracing")
        return KernelFiles(btf / VMLINUX, modules, tracefs, root / "proc/kallsyms")


def _is_tracefs(path: Path) -> bool:
    try:
        return (path / "events").is_dir()
    except OSError:
        return False


class FolderSnapshot:
    """See `Snapshot`."""

    def __init__(self, files: KernelFiles, release: str) -> None:
        self._files = files
        self._release = release
        self._btf: dict[str, Btf | None] = {}

    @staticmethod
    def at(folder: Path, release: str | None = None) -> FolderSnapshot:
        if not (folder / "vmlinux.btf").is_file():
            raise SnapshotError(f"{folder}: not a kernel's folder: it has no vmlinux.btf")
        uname = next((file for file in (folder / "uname", folder / "misc/uname") if file.is_file()), None)
        if release is None:
            release = _read_text(uname).strip() if uname else folder.resolve().name
        return FolderSnapshot(KernelFiles.of_folder(folder), release)

    @staticmethod
    def of_running_kernel(release: str | None = None) -> FolderSnapshot:
        return FolderSnapshot(KernelFiles.of_running_kernel(), release or platform.release())

    @property
    def release(self) -> str:
        return self._release

    @cached_property
    def arch(self) -> str:
        # No file of a kernel says it, but its BTF does: what user space saw as registers on arm64 has its own type.
        btf = self.btf(VMLINUX)
        assert btf
        if next(btf.find("user_pt_regs", Kind.STRUCT), None) is not None:
            return "arm64"
        for type_id in btf.find("pt_regs", Kind.STRUCT):
            if any(member.name == "orig_ax" for member in btf.members(type_id)):
                return "x86_64"
        raise SnapshotError(f"{self._files.vmlinux}: kernel of an architecture that is neither x86_64 nor arm64")

    @cached_property
    def modules(self) -> Sequence[str]:
        named = self._files.module_btf.keys() | self._traceable.keys() | self._functions.keys() | self._objects.keys()
        return [VMLINUX, *sorted(named - {VMLINUX})]

    def btf(self, module: str) -> Btf | None:
        if module not in self._btf:
            path = self._files.vmlinux if module == VMLINUX else self._files.module_btf.get(module)
            try:
                base = None if module == VMLINUX else self.btf(VMLINUX)
                self._btf[module] = Btf(_read_bytes(path), base) if path else None
            except SnapshotError as error:
                raise SnapshotError(f"{path}: {error}") from error
        return self._btf[module]

    # Symbols

    def traceable(self, module: str) -> AbstractSet[str]:
        return self._traceable.get(module, _NO_NAMES)

    def functions(self, module: str) -> AbstractSet[str]:
        return self._functions.get(module, _NO_NAMES) | self.traceable(module)

    def objects(self, module: str) -> AbstractSet[str]:
        return self._objects.get(module, _NO_NAMES)

    @cached_property
    def _traceable(self) -> Mapping[str, AbstractSet[str]]:
        return traceable_by_module(self._lines(self._files.tracefs / "available_filter_functions"))

    @cached_property
    def _functions(self) -> Mapping[str, AbstractSet[str]]:
        return self._symbols[0]

    @cached_property
    def _objects(self) -> Mapping[str, AbstractSet[str]]:
        return self._symbols[1]

    @cached_property
    def _symbols(self) -> tuple[Mapping[str, AbstractSet[str]], Mapping[str, AbstractSet[str]]]:
        functions: dict[str, set[str]] = {VMLINUX: set()}
        objects: dict[str, set[str]] = {VMLINUX: set()}
        for line in self._lines(self._files.kallsyms):
            # "ffffffff81000000 T name" and, after a tab, "[module]"; "[bpf]" and the like stand for no module.
            words = line.split()
            if len(words) < 3:
                raise SnapshotError(f"{self._files.kallsyms}: cannot read the line '{line}'")
            module = words[3].strip("[]") if len(words) > 3 else VMLINUX
            if module in ("bpf", "__builtin__ftrace", "__builtin__kprobes") or words[2].startswith(_BUILD_ARTIFACTS):
                continue
            if words[1] in _FUNCTION_TYPES:
                functions.setdefault(module, set()).add(words[2])
            elif "." not in words[2]:
                objects.setdefault(module, set()).add(words[2])
        return functions, objects

    def _lines(self, path: Path) -> list[str]:
        # Some kernels have no such list, and some have it but let nobody read it.
        try:
            return path.read_bytes().decode("utf-8", "replace").splitlines()
        except (FileNotFoundError, PermissionError):
            return []

    # Tracepoints

    @cached_property
    def categories(self) -> Sequence[str]:
        return [name for name in _folders(self._files.tracefs / "events") if self.events(name)]

    @cache  # noqa: B019  (a snapshot lives as long as the process)
    def events(self, category: str) -> Sequence[str]:
        folder = self._files.tracefs / "events" / category
        return [name for name in _folders(folder) if (folder / name / "format").is_file()]

    def format(self, category: str, event: str) -> str | None:
        path = self._files.tracefs / "events" / category / event / "format"
        return _read_text(path) if "/" not in category + event and path.is_file() else None


def _folders(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else []
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from error


def _read_text(path: Path) -> str:
    return _read_bytes(path).decode("utf-8", "replace")
