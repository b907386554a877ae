"""What analysis asks of the kernel that a script is compiled against; a kernel snapshot answers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from compiler.types.btf_source import Function
from compiler.types.lattice import TypeSource
from compiler.types.tracepoint import Tracepoint


class Kernel(Protocol):
    """A kernel, seen through its snapshot. Lookups answer None or False for what the kernel does not have."""

    @property
    def release(self) -> str:
        """As `uname -r` prints it."""

    @property
    def types(self) -> TypeSource:
        """C types of the kernel proper and of its modules."""

    def tracepoint(self, category: str, event: str) -> Tracepoint | None: ...

    def tracepoint_names(self) -> Iterable[str]:
        """All as `category:event`."""

    def function(self, name: str, module: str = "") -> Function | None:
        """The function's types; `module` is empty for any, else `vmlinux` or a module's name."""

    def is_traceable(self, name: str, module: str = "") -> bool:
        """Whether kprobes and fentry probes can attach to the function."""

    def function_names(self) -> Iterable[str]:
        """Names of the traceable functions."""
