"""What the compiler asks about a kernel: its types, tracepoints, functions and BPF abilities, over a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from compiler.types.btf import BtfError
from compiler.types.btf_source import BtfSource, Function
from compiler.types.c_names import c_type
from compiler.types.errors import SnapshotError
from compiler.types.lattice import Enum, Integer, Struct, StructLayout, Type, TypeSource
from compiler.types.snapshot import VMLINUX, Snapshot, open_snapshot
from compiler.types.tracepoint import Tracepoint, parse_format

if TYPE_CHECKING:
    from compiler.types.binary.binary import Binary

_Found = TypeVar("_Found")


class Kernel:
    """A `TypeSource` over all of a kernel's BTF, and everything else that a snapshot tells.

    A name is looked up in vmlinux first, then in the modules in order of their names. Methods raise SnapshotError (or
    BtfError and TracepointError, which are SnapshotErrors) only where the snapshot is damaged; what the kernel does
    not have is None, False or empty.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._definitions: TypeSource | None = None
        self._binary: Binary | None = None
        self._sources: dict[str, BtfSource | None] = {}
        self._tracepoints: dict[tuple[str, str], Tracepoint | None] = {}
        self._traceable: dict[str, list[str]] = {}
        self._given_traceable: Mapping[str, AbstractSet[str]] | None = None

    @staticmethod
    def load(path: Path) -> Kernel:
        """Over a snapshot file, or over a folder with a kernel's files."""
        return Kernel(open_snapshot(path))

    def with_definitions(self, definitions: TypeSource) -> Kernel:
        """The same kernel, where a name is looked up in `definitions` first: what a script defines itself."""
        result = copy(self)
        result._definitions = definitions
        result._tracepoints = {}
        return result

    def with_binary(self, binary: Binary) -> Kernel:
        """The same kernel, where a name that the script does not define is looked up in the traced binary first."""
        result = copy(self)
        result._binary = binary
        return result

    @property
    def release(self) -> str:
        """As `uname -r` prints it, such as "6.12.107+deb13-cloud-amd64"."""
        return self._snapshot.release

    @property
    def arch(self) -> str:
        """Either "x86_64" or "arm64"."""
        return self._snapshot.arch

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor number of the release."""
        numbers = self.release.split("-")[0].split(".")
        try:
            return int(numbers[0]), int(numbers[1])
        except (ValueError, IndexError):
            raise SnapshotError(f"kernel snapshot: '{self.release}' is not a kernel release") from None

    # Types

    def btf(self, module: str = VMLINUX) -> BtfSource | None:
        """The types of one module alone; None if the module is not there or has no BTF."""
        if module not in self._sources:
            btf = self._snapshot.btf(module)
            if btf is None and module == VMLINUX:
                raise BtfError("kernel snapshot: vmlinux has no BTF")
            base = None if module == VMLINUX else self.btf(VMLINUX)
            self._sources[module] = BtfSource(btf, module, base) if btf else None
        return self._sources[module]

    def _all_btf(self) -> Iterator[BtfSource]:
        for module in self._all_modules():
            source = self.btf(module)
            if source:
                yield source

    def _type_sources(self) -> Iterator[TypeSource]:
        if self._definitions is not None:
            yield self._definitions
        if self._binary is not None and self._binary.types is not None:
            yield self._binary.types
        yield from self._all_btf()

    @staticmethod
    def _first(found: Iterator[_Found | None]) -> _Found | None:
        return next((one for one in found if one is not None), None)

    def struct(self, name: str) -> Struct | None:
        return self._first(source.struct(name) for source in self._type_sources())

    def union(self, name: str) -> Struct | None:
        return self._first(source.union(name) for source in self._type_sources())

    def enum(self, name: str) -> Enum | None:
        return self._first(source.enum(name) for source in self._type_sources())

    def typedef(self, name: str) -> Type | None:
        return self._first(source.typedef(name) for source in self._type_sources())

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        return self._first(source.enumerator(name) for source in self._type_sources())

    def variable(self, name: str) -> tuple[int, Type] | None:
        """BTF id and type of a variable of vmlinux (per-CPU ones; others are not in BTF)."""
        source = self.btf(VMLINUX)
        return source.variable(name) if source else None

    def c_type(self, text: str) -> Type | None:
        """The type written in C as `text`: `struct task_struct *`, `unsigned long`, `pid_t`."""
        return c_type(text, self)

    def layout(self, struct: Struct) -> StructLayout:
        return struct.layout

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        return enum.enumerators

    # Functions and symbols

    @property
    def modules(self) -> Sequence[str]:
        """First "vmlinux", then the modules that were loaded when the snapshot was made."""
        return self._snapshot.modules

    def _all_modules(self) -> Iterator[str]:
        # vmlinux ends most searches, and to list the modules of a folder is work.
        yield VMLINUX
        yield from (module for module in self.modules if module != VMLINUX)

    def _modules(self, module: str | None) -> Iterator[str]:
        return (own for own in self._all_modules() if module in (None, own))

    def function(self, name: str, module: str | None = None) -> Function | None:
        """The function's types, from BTF; None if it is not there or has none. `module` limits the search to one."""
        for own in self._modules(module):
            source = self.btf(own)
            found = source.function(name) if source else None
            if found:
                return found
        return None

    def raw_tracepoint(self, event: str, module: str | None = None) -> Function | None:
        """The arguments of a raw tracepoint, in the order in which its programs get them."""
        for own in self._modules(module):
            source = self.btf(own)
            found = source.raw_tracepoint(event) if source else None
            if found:
                return found
        return None

    def raw_tracepoints(self, module: str | None = None) -> Iterator[tuple[str, str]]:
        """Module and name of every raw tracepoint."""
        for own in self._modules(module):
            source = self.btf(own)
            for name in source.raw_tracepoints() if source else ():
                yield own, name

    def function_module(self, name: str, module: str | None = None) -> str | None:
        """The module that has the function, traceable or not; "vmlinux" for the kernel's own."""
        return next((own for own in self._modules(module) if name in self._snapshot.functions(own)), None)

    def has_function(self, name: str, module: str | None = None) -> bool:
        return self.function_module(name, module) is not None

    @property
    def names_traceable(self) -> bool:
        """Whether the list of traceable functions is a given one: then it may be empty."""
        return self._given_traceable is not None

    def with_traceable(self, functions: Mapping[str, AbstractSet[str]]) -> Kernel:
        """The same kernel with another list of traceable functions, by module."""
        result = copy(self)
        result._given_traceable = functions
        result._traceable = {}
        return result

    def _traceable_of(self, module: str) -> AbstractSet[str]:
        if self._given_traceable is not None:
            return self._given_traceable.get(module, frozenset())
        return self._snapshot.traceable(module)

    def is_traceable(self, name: str, module: str | None = None) -> bool:
        """Whether ftrace can trace the function. A kernel whose tracefs has no list of them (no function tracer)
        answers False for all.
        """
        return any(name in self._traceable_of(own) for own in self._modules(module))

    def traceable_functions(self, module: str | None = None) -> Iterator[tuple[str, str]]:
        """Module and name of every traceable function, sorted within each module."""
        for own in self._modules(module):
            if own not in self._traceable:
                self._traceable[own] = sorted(self._traceable_of(own))
            for name in self._traceable[own]:
                yield own, name

    def has_symbol(self, name: str) -> bool:
        """Whether the kernel's symbol table has a function or variable of that name."""
        return any(
            name in self._snapshot.functions(module) or name in self._snapshot.objects(module)
            for module in self._all_modules()
        )

    # Tracepoints

    @property
    def tracepoint_categories(self) -> Sequence[str]:
        return self._snapshot.categories

    def tracepoint_events(self, category: str) -> Sequence[str]:
        return self._snapshot.events(category)

    def tracepoint(self, category: str, event: str) -> Tracepoint | None:
        key = category, event
        if key not in self._tracepoints:
            text = self._snapshot.format(category, event)
            self._tracepoints[key] = None if text is None else parse_format(category, event, text, self)
        return self._tracepoints[key]

    # BPF

    def has_helper(self, name: str) -> bool:
        """Whether the kernel has the helper `bpf_<name>`; the name is written without its prefix.

        Which program types may call it is not known from a snapshot.
        """
        return f"BPF_FUNC_{name}" in self._bpf_constants("bpf_func_id")

    def has_program_type(self, name: str) -> bool:
        """`name` as in the kernel's header: BPF_PROG_TYPE_TRACING."""
        return name in self._bpf_constants("bpf_prog_type")

    def has_map_type(self, name: str) -> bool:
        """`name` as in the kernel's header: BPF_MAP_TYPE_RINGBUF."""
        return name in self._bpf_constants("bpf_map_type")

    def has_attach_type(self, name: str) -> bool:
        """`name` as in the kernel's header: BPF_TRACE_KPROBE_MULTI."""
        return name in self._bpf_constants("bpf_attach_type")

    def has_kfunc(self, name: str) -> bool:
        """Whether BPF programs may call the kernel function; False for all on kernels before 6.9, which do not tag."""
        return any(source.has_tag(name, "bpf_kfunc") for source in self._all_btf())

    def _bpf_constants(self, enum: str) -> Mapping[str, int]:
        source = self.btf(VMLINUX)
        found = source.enum(enum) if source else None
        return found.enumerators if found else {}
