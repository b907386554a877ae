"""tracefs's list of functions that ftrace can trace, `available_filter_functions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from compiler.types.errors import SnapshotError
from compiler.types.snapshot import VMLINUX


def traceable_by_module(lines: Iterable[str]) -> Mapping[str, AbstractSet[str]]:
    """The names by module, from lines `name` or `name [module]`."""
    by_module: dict[str, set[str]] = {VMLINUX: set()}
    for line in lines:
        name, _, module = line.partition(" ")
        if not name.startswith("__ftrace_invalid_address__"):  # code that was thrown away after the boot
            by_module.setdefault(module.strip("[]") or VMLINUX, set()).add(name)
    return by_module


def read_traceable(path: Path) -> Mapping[str, AbstractSet[str]]:
    """The same from a file. Raises SnapshotError if it cannot be read."""
    try:
        return traceable_by_module(path.read_text("utf-8", "replace").splitlines())
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from error
