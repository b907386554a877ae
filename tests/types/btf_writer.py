"""A tiny BTF writer: just enough to make the blobs that the reader's tests read."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from compiler.types.btf import MAGIC, Kind


@dataclass
class BtfWriter:
    """Types are numbered in the order in which they are added, from `first_id`. Every method answers the id.

    `first_string` is the length of the base's string table for the BTF of a module.
    """

    first_id: int = 1
    first_string: int = 0
    types: list[bytes] = field(default_factory=list)
    strings: bytearray = field(default_factory=lambda: bytearray(b"\0"))

    def string(self, text: str) -> int:
        if not text:
            return 0
        at = self.strings.find(b"\0" + text.encode() + b"\0")
        if at < 0:
            at = len(self.strings) - 1
            self.strings += text.encode() + b"\0"
        return self.first_string + at + 1

    def add(
        self, kind: int, name: str = "", size_or_type: int = 0, *extra: int, entries: int = 0, flag: bool = False
    ) -> int:
        info = kind << 24 | flag << 31 | entries
        words = [self.string(name), info, size_or_type, *extra]
        self.types.append(struct.pack(f"=3I{len(extra)}I", *(word & 0xFFFFFFFF for word in words)))
        return self.first_id + len(self.types) - 1

    def integer(
        self, name: str, bits: int, signed: bool = False, boolean: bool = False, shift: int = 0, size: int = 0
    ) -> int:
        encoding = signed | boolean << 2
        return self.add(Kind.INT, name, size or bits // 8, encoding << 24 | shift << 16 | bits)

    def pointer(self, to: int) -> int:
        return self.add(Kind.PTR, "", to)

    def array(self, element: int, count: int, index: int = 1) -> int:
        return self.add(Kind.ARRAY, "", 0, element, index, count)

    def struct(
        self, name: str, size: int, *members: tuple[str, int, int], union: bool = False, bits: bool = False
    ) -> int:
        """Members are name, type, bit offset; with `bits`, the offset has a bitfield's width in its upper 8 bits."""
        words = [word for own, kind, at in members for word in (self.string(own), kind, at)]
        kind = Kind.UNION if union else Kind.STRUCT
        return self.add(kind, name, size, *words, entries=len(members), flag=bits)

    def enum(self, name: str, *values: tuple[str, int], signed: bool = False) -> int:
        words = [word for own, value in values for word in (self.string(own), value)]
        return self.add(Kind.ENUM, name, 4, *words, entries=len(values), flag=signed)

    def enum64(self, name: str, *values: tuple[str, int], signed: bool = False) -> int:
        words = [word for own, value in values for word in (self.string(own), value, value >> 32)]
        return self.add(Kind.ENUM64, name, 8, *words, entries=len(values), flag=signed)

    def prototype(self, result: int, *parameters: tuple[str, int]) -> int:
        words = [word for own, kind in parameters for word in (self.string(own), kind)]
        return self.add(Kind.FUNC_PROTO, "", result, *words, entries=len(parameters))

    def function(self, name: str, result: int, *parameters: tuple[str, int]) -> int:
        return self.add(Kind.FUNC, name, self.prototype(result, *parameters))

    def bytes(self) -> bytes:
        types = b"".join(self.types)
        header = struct.pack("=HBBIIIII", MAGIC, 1, 0, 24, 0, len(types), len(types), len(self.strings))
        return header + types + bytes(self.strings)
