"""A kernel's BTF as C: the `vmlinux.h` of C sources.

All types of vmlinux, each with the size and the offsets that BTF says, and with the attribute that makes clang record
CO-RE relocations for accesses to them. Qualifiers and type tags are left out: they change no access.

BTF does not say what was packed or aligned. A structure that C would lay out in another way is written packed, with
padding in its gaps. Names that a kernel uses twice get the ending `___2`, `___3`, ..., which CO-RE looks through.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.types.btf import COMPOSITES, ENUMS, QUALIFIERS, Btf, Kind, Member

_HEAD = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

"""
_TAIL = """
#pragma clang attribute pop

#endif
"""
_POINTER_SIZE = 8
_LARGEST_ALIGNMENT = 8
_COMPILERS_OWN = frozenset({"__builtin_va_list", "__gnuc_va_list", "_Bool"})
"""Typedefs that clang has itself; what they stand for is written instead."""
_RECURSION_LIMIT = 10_000


def vmlinux_header(btf: Btf) -> str:
    """The text of the header. Raises BtfError."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))  # types contain types
    try:
        return _Writer(btf).text()
    finally:
        sys.setrecursionlimit(limit)


@dataclass(slots=True)
class _Writer:
    btf: Btf
    kinds: list[Kind] = field(init=False)
    """Of every type: it is asked for all the time."""
    sizes: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    """Name in C of each type that has one."""
    defined: set[int] = field(default_factory=set)
    alignments: dict[int, int] = field(default_factory=dict)
    """Of each structure as it is written."""
    bodies: dict[int, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kinds = [self.btf.kind(type_id) for type_id in range(len(self.btf))]

    def text(self) -> str:
        self._name_types()
        btf = self.btf
        for type_id, name in self.names.items():
            match self.kinds[type_id]:
                case Kind.STRUCT | Kind.UNION | Kind.FWD:
                    self.lines.append(f"{self._tag(type_id)} {name};")
        self._write_enumerations()
        for type_id in btf.own_ids:
            self._define(type_id)
        return _HEAD + "\n".join(self.lines) + _TAIL

    def _name_types(self) -> None:
        """C has one space of names for tags, one for the rest."""
        tags: Counter[str] = Counter()
        others: Counter[str] = Counter()
        btf = self.btf
        declared: dict[tuple[Kind, str], int] = {}
        for type_id in btf.own_ids:
            kind, name = self.kinds[type_id], btf.name(type_id)
            if not name or name in _COMPILERS_OWN:
                continue
            if kind in COMPOSITES or kind in ENUMS:
                self.names[type_id] = _unique(name, tags)
                declared.setdefault((Kind.ENUM if kind in ENUMS else kind, name), type_id)
            elif kind is Kind.TYPEDEF:
                self.names[type_id] = _unique(name, others)
        # A forward declaration means the structure of that name, if there is one.
        for type_id in btf.own_ids:
            if self.kinds[type_id] is Kind.FWD:
                name = btf.name(type_id)
                own = Kind.UNION if btf.flag(type_id) else Kind.STRUCT
                if (own, name) in declared:
                    self.names[type_id] = self.names[declared[own, name]]
                else:
                    self.names[type_id] = name if not tags[name] else _unique(name, tags)
                    declared[own, name] = type_id
                    tags[name] += 1

    def _write_enumerations(self) -> None:
        """All of them first: nothing in them depends on another type."""
        seen: Counter[str] = Counter(name for type_id, name in self.names.items() if self._is_typedef(type_id))
        for type_id in self.btf.own_ids:
            if self.kinds[type_id] not in ENUMS:
                continue
            values = [f"\t{_unique(name, seen)} = {_literal(value)}," for name, value in self.btf.enumerators(type_id)]
            if values:
                name = self.names.get(type_id, "")
                attribute = _ENUM_ATTRIBUTES.get(self.btf.size(type_id), "")
                self.lines += [f"enum {name} {{" if name else "enum {", *values, f"}}{attribute};"]

    def _is_typedef(self, type_id: int) -> bool:
        return self.kinds[type_id] is Kind.TYPEDEF

    # ------------------------------------------------------------------------------------------------ order of types

    def _define(self, type_id: int) -> None:
        """Writes a named structure or a typedef after all that it needs."""
        if type_id in self.defined:
            return
        kind = self.kinds[type_id]
        if type_id not in self.names or not (kind in COMPOSITES or kind is Kind.TYPEDEF):
            return
        self.defined.add(type_id)
        if kind is Kind.TYPEDEF:
            target = self.btf.target(type_id)
            self._mention(target)
            self.lines.append(f"typedef {self._declare(target, self.names[type_id])};")
        else:
            self._require_members(type_id)
            self.lines.append(f"{self._tag(type_id)} {self.names[type_id]} {self._body(type_id)};")

    def _require_members(self, type_id: int) -> None:
        for member in self.btf.members(type_id):
            self._require(member.type)

    def _require(self, type_id: int) -> None:
        """Writes what has to stand before a member of the type: its definition, and the typedefs in it."""
        btf = self.btf
        while True:
            match self.kinds[type_id]:
                case Kind.STRUCT | Kind.UNION if type_id in self.names:
                    self._define(type_id)
                    return
                case Kind.STRUCT | Kind.UNION:
                    self._require_members(type_id)
                    return
                case Kind.ARRAY:
                    type_id, _ = btf.array(type_id)
                case Kind.TYPEDEF:
                    self._define(type_id)
                    type_id = btf.target(type_id)
                case kind if kind in QUALIFIERS:
                    type_id = btf.target(type_id)
                case _:
                    self._mention(type_id)
                    return

    def _mention(self, type_id: int) -> None:
        """Writes the typedefs and anonymous structures that a declaration of the type names."""
        btf = self.btf
        match self.kinds[type_id]:
            case Kind.STRUCT | Kind.UNION if type_id not in self.names:
                self._require_members(type_id)
            case Kind.TYPEDEF if type_id in self.names:
                self._define(type_id)
            case Kind.TYPEDEF | Kind.PTR:
                self._mention(btf.target(type_id))
            case Kind.ARRAY:
                self._require(btf.array(type_id)[0])
            case Kind.FUNC_PROTO:
                self._mention(btf.target(type_id))
                for _, parameter in btf.parameters(type_id):
                    self._mention(parameter)
            case kind if kind in QUALIFIERS:
                self._mention(btf.target(type_id))

    # ------------------------------------------------------------------------------------------------- declarations

    def _tag(self, type_id: int) -> str:
        kind = self.kinds[type_id]
        return "union" if kind is Kind.UNION or (kind is Kind.FWD and self.btf.flag(type_id)) else "struct"

    def _declare(self, type_id: int, inner: str) -> str:
        """The declaration of `inner` (a name with what belongs to it) with the type."""
        btf = self.btf
        match self.kinds[type_id]:
            case Kind.VOID:
                return f"void {inner}".rstrip()
            case Kind.INT | Kind.FLOAT:
                return f"{btf.name(type_id)} {inner}".rstrip()
            case Kind.STRUCT | Kind.UNION:
                name = self.names.get(type_id)
                return f"{self._tag(type_id)} {name or self._body(type_id)} {inner}".rstrip()
            case Kind.FWD:
                return f"{self._tag(type_id)} {self.names[type_id]} {inner}".rstrip()
            case Kind.ENUM | Kind.ENUM64:
                enum_name = self.names.get(type_id)
                if enum_name and btf.enumerators(type_id):
                    return f"enum {enum_name} {inner}".rstrip()
                return f"{_INTEGERS[btf.size(type_id), btf.flag(type_id)]} {inner}".rstrip()
            case Kind.TYPEDEF if type_id in self.names:
                return f"{self.names[type_id]} {inner}".rstrip()
            case Kind.PTR:
                target = btf.target(type_id)
                while self.kinds[target] in QUALIFIERS:
                    target = btf.target(target)
                pointer = f"*{inner}"
                return self._declare(target, f"({pointer})" if self.kinds[target] in _POSTFIX else pointer)
            case Kind.ARRAY:
                element, count = btf.array(type_id)
                return self._declare(element, f"{inner}[{count}]")
            case Kind.FUNC_PROTO:
                parameters = [
                    "..." if (name, parameter) == ("", 0) else self._declare(parameter, "")
                    for name, parameter in btf.parameters(type_id)
                ]
                return self._declare(btf.target(type_id), f"{inner}({', '.join(parameters) or 'void'})")
            case kind if kind in QUALIFIERS or kind is Kind.TYPEDEF:
                return self._declare(btf.target(type_id), inner)
            case kind:
                raise AssertionError(f"BTF kind {kind.name} in a declaration")

    # ------------------------------------------------------------------------------------------------------- layout

    def _body(self, type_id: int) -> str:
        """The members in braces, with the attributes that give them their places."""
        body = self.bodies.get(type_id)
        if body is None:
            members = self.btf.members(type_id)
            plain = self._plain_alignment(type_id, members)
            if plain is not None:
                self.alignments[type_id] = plain
                lines = [f"\t{self._member(member)};" for member in members]
                body = "\n".join(["{", *lines, "}"])
            else:
                body = self._packed(type_id, members)
            self.bodies[type_id] = body
        return body

    def _member(self, member: Member) -> str:
        text = self._declare(member.type, member.name)
        return f"{text} : {member.bitfield}" if member.bitfield else text

    def _plain_alignment(self, type_id: int, members: list[Member]) -> int | None:
        """The structure's alignment, if the rules of C give its members the offsets that they have."""
        at, largest, alignment = 0, 0, 1
        is_union = self.kinds[type_id] is Kind.UNION
        for member in members:
            size, own = self._size(member.type), self._alignment(member.type)
            if is_union:
                at = 0
            if member.bitfield:
                unit = 8 * size
                if at // unit != (at + member.bitfield - 1) // unit:
                    at += -at % unit
                own = min(own, size)
            else:
                at += -at % (8 * own)
            if at != member.offset:
                return None
            alignment = max(alignment, own)
            at += member.bitfield or 8 * size
            largest = max(largest, at)
        total = -(-largest // 8)
        total += -total % alignment
        return alignment if total == self.btf.size(type_id) else None

    def _packed(self, type_id: int, members: list[Member]) -> str:
        size = self.btf.size(type_id)
        alignment = min((size & -size) or 1, _LARGEST_ALIGNMENT)
        self.alignments[type_id] = alignment
        is_union = self.kinds[type_id] is Kind.UNION
        lines: list[str] = []
        at = 0
        for member in members:
            if is_union:
                at = 0
            if member.offset < at:
                continue  # what BTF itself has twice
            lines += _padding(at, member.offset)
            lines.append(f"\t{self._member(member)};")
            at = member.offset + (member.bitfield or 8 * self._size(member.type))
        if is_union:
            lines.append(f"\tunsigned char __size[{size}];")
        else:
            lines += _padding(at, 8 * size)
        return "\n".join(["{", *lines, f"}} __attribute__((packed, aligned({alignment})))"])

    def _size(self, type_id: int) -> int:
        size = self.sizes.get(type_id)
        if size is None:
            size = self.sizes[type_id] = self._new_size(type_id)
        return size

    def _new_size(self, type_id: int) -> int:
        btf = self.btf
        type_id = btf.strip(type_id)
        match self.kinds[type_id]:
            case Kind.PTR:
                return _POINTER_SIZE
            case Kind.ARRAY:
                element, count = btf.array(type_id)
                return count * self._size(element)
            case Kind.VOID | Kind.FWD | Kind.FUNC_PROTO:
                return 0
            case _:
                return btf.size(type_id)

    def _alignment(self, type_id: int) -> int:
        btf = self.btf
        type_id = btf.strip(type_id)
        match self.kinds[type_id]:
            case Kind.STRUCT | Kind.UNION:
                self._body(type_id)
                return self.alignments[type_id]
            case Kind.ARRAY:
                return self._alignment(btf.array(type_id)[0])
            case _:
                # Of the BPF target: __int128 has 16 bytes and is aligned to them, all else up to 8.
                return max(self._size(type_id), 1)


_POSTFIX = frozenset({Kind.ARRAY, Kind.FUNC_PROTO})
_INTEGERS = {
    (size, signed): f"{'' if signed else 'unsigned '}{name}"
    for size, name in ((1, "char"), (2, "short"), (4, "int"), (8, "long long"))
    for signed in (False, True)
}
_ENUM_ATTRIBUTES = {1: " __attribute__((mode(byte)))", 2: " __attribute__((mode(HI)))", 8: " __attribute__((mode(DI)))"}


def _padding(start: int, end: int) -> Iterator[str]:
    """Unnamed members from one bit to another."""
    while start < end:
        width = min(8 - start % 8 if start % 8 else 64, end - start)
        yield f"\tunsigned long long : {width};"
        start += width


def _unique(name: str, seen: Counter[str]) -> str:
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}___{seen[name]}"


def _literal(value: int) -> str:
    return f"{value}ULL" if value > 0x7FFFFFFFFFFFFFFF else f"(-{-value}LL)" if value < 0 else str(value)
