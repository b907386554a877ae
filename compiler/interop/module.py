"""What a C source brings into a tracer: functions that the script can call, maps, CO-RE relocations.

Names and types are those of the BTF that LLVM writes for the source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.interop.ir import CIr, CoreUse
from compiler.syntax.source import SourceFile, Span
from compiler.types.btf import Btf, Kind
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import (
    INT8,
    AddressSpace,
    Array,
    Enum,
    Field,
    Integer,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
    TypeSource,
    in_space,
)

LINKAGE_STATIC = 0

_MAPS_SECTION = ".maps"
_NUMBERS = frozenset({"type", "max_entries", "map_flags", "key_size", "value_size"})
_PLAIN_MAP_TYPES = frozenset({1, 2, 5, 6, 7, 9, 10, 11, 22, 23, 27, 30})
"""enum bpf_map_type: maps that need nothing but sizes and a number of entries."""


class UnsupportedError(Exception):
    """A source has something that cannot be carried over; the message names it."""


@dataclass(frozen=True, slots=True)
class CFunction:
    """A function of a C source, as the script sees it. Instead of an entry of compiler.builtins for its calls."""

    name: str
    parameters: tuple[Field, ...]
    result: Type
    linkage: int
    """As in BTF: 0 static, 1 global, 2 external."""


@dataclass(frozen=True, slots=True)
class CMap:
    """A map that the source defines."""

    name: str
    bpf_type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    is_static: bool


@dataclass(frozen=True, slots=True)
class CModule:
    """One source, compiled."""

    source: SourceFile
    imported: Span
    """The import that brought it."""
    ir: CIr
    functions: Mapping[str, CFunction]
    maps: Mapping[str, CMap]
    relocations: Mapping[str, CoreRelocation]
    """By symbol, as in `ir.core`."""

    def span(self, use: CoreUse) -> Span:
        """Where a relocation is used, or the import if that is in a header."""
        return self.source.word(use.line, use.column) or self.imported


@dataclass(frozen=True, slots=True)
class CoreRelocation:
    """A CO-RE relocation in terms of the source's types: members and indexes that lead from the structure `root`."""

    kind: int
    root: Struct | Enum
    steps: tuple[Field | int, ...]
    use: CoreUse
    enumerator: str = ""
    """Of the kinds that ask about an enumeration's value."""


def read(source: SourceFile, imported: Span, ir: CIr, btf: bytes, kernel: TypeSource) -> CModule:
    """Describes a source by its BTF. `kernel` gives structures that it knows too, so that the script can follow
    pointers to them. Raises UnsupportedError and BtfError.
    """
    if not btf:  # there is no function in it
        return CModule(source, imported, ir, {}, {}, {})
    reader = _Reader(BtfSource(Btf(btf), source.name), kernel)
    relocations = {symbol: reader.relocation(use) for symbol, use in ir.core.items()}
    return CModule(source, imported, ir, reader.functions(), reader.maps(), relocations)


@dataclass(slots=True, eq=False)
class _Types:
    """The types of a source that the kernel does not have: a TypeSource whose members are where the source has them."""

    source: BtfSource
    kernel: TypeSource
    _layouts: dict[int, StructLayout] = field(default_factory=dict)

    def adopt(self, type_: Type) -> Type:
        """The type with the kernel's structures in place of the source's, and its other ones made our own."""
        match type_:
            case Pointer(to):
                return dataclasses.replace(type_, to=self.adopt(to))
            case Array(element):
                return dataclasses.replace(type_, element=self.adopt(element))
            case Struct():
                known = self.kernel.union(type_.name) if type_.is_union else self.kernel.struct(type_.name)
                return known or dataclasses.replace(type_, source=self)
            case _:
                return type_

    def struct(self, name: str) -> Struct | None:
        found = self.source.struct(name)
        return found and dataclasses.replace(found, source=self)

    def union(self, name: str) -> Struct | None:
        found = self.source.union(name)
        return found and dataclasses.replace(found, source=self)

    def enum(self, name: str) -> Enum | None:
        return self.source.enum(name)

    def typedef(self, name: str) -> Type | None:
        found = self.source.typedef(name)
        return found and self.adopt(found)

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        return self.source.enumerator(name)

    def layout(self, struct: Struct) -> StructLayout:
        layout = self._layouts.get(struct.key)
        if layout is None:
            own = self.source.layout(struct)
            fields = tuple(dataclasses.replace(item, type=self.adopt(item.type)) for item in own.fields)
            layout = self._layouts[struct.key] = dataclasses.replace(own, fields=fields)
        return layout

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        return self.source.enumerators(enum)


class _Reader:
    def __init__(self, source: BtfSource, kernel: TypeSource) -> None:
        self.source = source
        self.btf = source.btf
        self.types = _Types(source, kernel)

    def functions(self) -> dict[str, CFunction]:
        found = {}
        for type_id, name in self.btf.named(Kind.FUNC):
            prototype = self.btf.target(type_id)
            parameters = tuple(
                Field(parameter, self.types.adopt(self.source.type(parameter_type)), 0)
                for parameter, parameter_type in self.btf.parameters(prototype)
            )
            result = self.types.adopt(self.source.type(self.btf.target(prototype)))
            if isinstance(result, Pointer):
                # It may point into a map of ours as well, which is the kernel's memory, too.
                result = in_space(result, AddressSpace.KERNEL)
            found[name] = CFunction(name, parameters, result, self.btf.linkage(type_id))
        return found

    # --------------------------------------------------------------------------------------------------------- maps

    def maps(self) -> dict[str, CMap]:
        found = {}
        for section_id in self.btf.find(_MAPS_SECTION, Kind.DATASEC):
            for variable_id in self.btf.section_variables(section_id):
                name = self.btf.name(variable_id)
                is_static = self.btf.linkage(variable_id) == LINKAGE_STATIC
                found[name] = self.map(name, self.btf.strip(self.btf.target(variable_id)), is_static)
        return found

    def map(self, name: str, definition: int, is_static: bool) -> CMap:
        """A map from the structure that defines it: numbers are the lengths of arrays that its members point to."""
        numbers: dict[str, int] = {}
        for member in self.btf.members(definition):
            pointee = self.btf.strip(self.btf.target(self.btf.strip(member.type)))
            if member.name in _NUMBERS:
                numbers[member.name] = self.btf.array(pointee)[1]
            elif member.name in ("key", "value"):
                numbers[f"{member.name}_size"] = self.source.type(pointee).size
            else:
                raise UnsupportedError(f"map '{name}': '{member.name}' is not supported")
        bpf_type = numbers.get("type", 0)
        if bpf_type not in _PLAIN_MAP_TYPES:
            raise UnsupportedError(f"map '{name}': maps of type {bpf_type} are not supported")
        return CMap(
            name,
            bpf_type,
            numbers.get("key_size", 0),
            numbers.get("value_size", 0),
            numbers.get("max_entries", 0),
            numbers.get("map_flags", 0),
            is_static,
        )

    # --------------------------------------------------------------------------------------------------------- CO-RE

    def relocation(self, use: CoreUse) -> CoreRelocation:
        first, *indexes = map(int, use.access.split(":")) if use.access else (0,)
        if use.kind in _ENUMERATION_KINDS:
            enum = self.source.enum(use.type_name)
            names = list(enum.enumerators) if enum else []
            if enum is None or first >= len(names):
                raise _unsupported(use)
            return CoreRelocation(use.kind, enum, (), use, names[first])
        root = self.source.struct(use.type_name) or self.source.union(use.type_name)
        if root is None or first or use.kind not in _KINDS:
            raise _unsupported(use)
        return CoreRelocation(use.kind, root, self._steps(use, root, indexes), use)

    def _steps(self, use: CoreUse, root: Struct, indexes: list[int]) -> tuple[Field | int, ...]:
        """The way that an access string leads; anonymous members on it count as part of the structure around them."""
        steps: list[Field | int] = []
        current: Type = root
        pending: tuple[int, ...] = ()
        for index in indexes:
            match current:
                case Struct():
                    pending = (*pending, index)
                    member = next((item for item in current.layout.fields if item.path == pending), None)
                    if member is not None:
                        steps.append(member)
                        current, pending = member.type, ()
                case Array(element):
                    steps.append(index)
                    current = element
                case String():
                    steps.append(index)
                    current = INT8
                case _:
                    raise _unsupported(use)
        if pending:
            raise _unsupported(use)
        return tuple(steps)


_ENUMERATION_KINDS = frozenset({10, 11})
_KINDS = frozenset({0, 1, 2, 3, 4, 5, 8, 9})
"""enum bpf_core_relo_kind: what is asked about members and structures."""


def _unsupported(use: CoreUse) -> UnsupportedError:
    what = f"of '{use.type_name}' " if use.type_name else ""
    return UnsupportedError(f"the CO-RE relocation {what}(kind {use.kind}, access {use.access}) is not supported")
