"""Writes BTF (Documentation/bpf/btf.rst): the little of it that CO-RE relocations and func_info need.

Only kinds that every kernel since 5.2 knows are written, so that nothing has to be taken out for older ones.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass

MAGIC = 0xEB9F
VERSION = 1
VOID = 0


class Kind(enum.IntEnum):
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FUNC = 12
    FUNC_PROTO = 13


class Linkage(enum.IntEnum):
    STATIC = 0
    GLOBAL = 1


_INT_SIGNED = 1 << 24
_KIND_FLAG = 1 << 31


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct or union: offsets and widths in bits, `bitfield` 0 for an ordinary member."""

    name: str
    type_id: int
    offset: int
    bitfield: int = 0


class BtfWriter:
    """Collects types and gives them ids from 1; equal types get one id. Ids may be used before the type is complete."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._strings_size = 1
        self._records: list[bytes] = []
        self._ids: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._records)

    def integer(self, size: int, *, signed: bool) -> int:
        name = f"{'' if signed else 'unsigned '}int{size * 8}"
        encoding = _INT_SIGNED if signed else 0
        return self._add(self._header(name, Kind.INT, 0, size) + struct.pack("<I", encoding | size * 8))

    def pointer(self, to: int = VOID) -> int:
        return self._add(self._header("", Kind.PTR, 0, to))

    def array(self, element: int, count: int) -> int:
        index = self.integer(4, signed=False)
        return self._add(self._header("", Kind.ARRAY, 0, 0) + struct.pack("<III", element, index, count))

    def reserve(self) -> int:
        """An id for a type that is written later by `composite`."""
        self._records.append(b"")
        return len(self._records)

    def composite(self, type_id: int, name: str, size: int, members: Sequence[Member], *, union: bool) -> None:
        """Writes the struct or union of a reserved id; `members` in order of offset."""
        flags = _KIND_FLAG if any(member.bitfield for member in members) else 0
        record = self._header(name, Kind.UNION if union else Kind.STRUCT, len(members), size, flags)
        for member in members:
            offset = member.offset | (member.bitfield << 24 if flags else 0)
            record += struct.pack("<III", self._string(member.name), member.type_id, offset)
        self._records[type_id - 1] = record

    def enumeration(self, name: str, enumerators: Sequence[tuple[str, int]], size: int = 4) -> int:
        record = self._header(name, Kind.ENUM, len(enumerators), size)
        for enumerator, value in enumerators:
            record += struct.pack("<II", self._string(enumerator), value & 0xFFFFFFFF)
        return self._add(record)

    def function(self, name: str, linkage: Linkage, arguments: int = 0) -> int:
        """`int name(u64 argument0, ...)`: the kernel wants a FUNC for each function, but looks at arguments of global
        ones only.
        """
        record = self._header("", Kind.FUNC_PROTO, arguments, self.integer(4, signed=True))
        for index in range(arguments):
            record += struct.pack("<II", self._string(f"argument{index}"), self.integer(8, signed=False))
        return self._add(self._header(name, Kind.FUNC, linkage, self._add(record)))

    def finish(self) -> bytes:
        """The BTF blob; empty if there is no type."""
        if not self._records:
            return b""
        types = b"".join(self._records)
        strings = b"".join(text.encode() + b"\0" for text in self._strings)
        header = struct.pack("<HBBIIIII", MAGIC, VERSION, 0, 24, 0, len(types), len(types), len(strings))
        return header + types + strings

    def _header(self, name: str, kind: Kind, count: int, size_or_type: int, flags: int = 0) -> bytes:
        return struct.pack("<III", self._string(name), flags | kind << 24 | count, size_or_type)

    def _add(self, record: bytes) -> int:
        type_id = self._ids.get(record)
        if type_id is None:
            self._records.append(record)
            type_id = self._ids[record] = len(self._records)
        return type_id

    def _string(self, text: str) -> int:
        offset = self._strings.get(text)
        if offset is None:
            offset = self._strings[text] = self._strings_size
            self._strings_size += len(text.encode()) + 1
        return offset
