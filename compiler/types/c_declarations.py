"""What a C text declares, as types of the language: a `TypeSource` that C definitions fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compiler.types.lattice import Enum, Integer, Struct, StructLayout, Type

_INCOMPLETE = StructLayout(0, (), complete=False)


@dataclass(frozen=True, slots=True)
class CDiagnostic:
    """What libclang says of the C text, or of the file that it includes, `file`.

    `line` and `column` count from 1; both are 0 where libclang names no place. Columns count bytes.
    """

    message: str
    file: str
    line: int
    column: int
    is_error: bool


@dataclass(slots=True, eq=False)
class CDeclarations:
    """Structures, unions, enumerations, typedefs and macros by name. The `key` of a type is its number here."""

    diagnostics: Sequence[CDiagnostic] = ()
    macros: dict[str, str] = field(default_factory=dict)
    """Object-like macros with their text, those of included files too."""
    structs: dict[str, Struct] = field(default_factory=dict)
    unions: dict[str, Struct] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    typedefs: dict[str, Type] = field(default_factory=dict)
    constants: dict[str, tuple[Integer, int]] = field(default_factory=dict)
    layouts: list[StructLayout] = field(default_factory=list)
    values: list[Mapping[str, int]] = field(default_factory=list)

    def struct(self, name: str) -> Struct | None:
        return self.structs.get(name)

    def union(self, name: str) -> Struct | None:
        return self.unions.get(name)

    def enum(self, name: str) -> Enum | None:
        return self.enums.get(name)

    def typedef(self, name: str) -> Type | None:
        return self.typedefs.get(name)

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        return self.constants.get(name)

    def layout(self, struct: Struct) -> StructLayout:
        return self.layouts[struct.key]

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        return self.values[enum.key]

    def add_struct(self, name: str, is_union: bool) -> Struct:
        """A new structure, incomplete until its layout is set; "" makes an anonymous one."""
        key = len(self.layouts)
        struct = Struct(name or f"(anonymous C {key})", is_union, source=self, key=key)
        self.layouts.append(_INCOMPLETE)
        if name:
            (self.unions if is_union else self.structs)[name] = struct
        return struct

    def add_enum(self, name: str, bits: int, values: Mapping[str, int]) -> Enum:
        """A new enumeration; "" makes an anonymous one, whose constants print as numbers' names all the same."""
        key = len(self.values)
        signed = any(value < 0 for value in values.values())
        enum = Enum(bits, signed, name or f"<anon_{key + 1}>", source=self, key=key)
        self.values.append(values)
        if name:
            self.enums[name] = enum
        self.constants.update((constant, (enum, value)) for constant, value in values.items())
        return enum
