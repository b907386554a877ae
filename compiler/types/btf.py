"""Reader of BTF, the kernel's compact debug information (`Documentation/bpf/btf.rst` of the kernel).

A BTF blob is a header, an array of variable-length type records and a string table. `Btf` finds the start of every
record once (about 30 ms for the 126,000 types of a distribution kernel) and decodes everything else when asked. Type
ids count from 1; id 0 is void. A module's BTF is *split*: its ids and string offsets go on where vmlinux's end.

The blob comes from a snapshot, but nothing in it is trusted: whatever is wrong with it ends in a `BtfError`.
"""

from __future__ import annotations

import enum
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from compiler.types.errors import SnapshotError

MAGIC = 0xEB9F
_HEADER = struct.Struct("=HBBIIIII")  # magic, version, flags, header length, types offset and length, strings ditto


class BtfError(SnapshotError):
    """The BTF is damaged or of a form that this reader does not know."""


class Kind(enum.IntEnum):
    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


QUALIFIERS = frozenset({Kind.VOLATILE, Kind.CONST, Kind.RESTRICT, Kind.TYPE_TAG})
COMPOSITES = frozenset({Kind.STRUCT, Kind.UNION})
ENUMS = frozenset({Kind.ENUM, Kind.ENUM64})
_KINDS = tuple(Kind)

_SEARCHES = 256
"""After so many names that were searched for, an index of all of them is made: it takes as long."""

# Words that follow the three of every record (name, info, size or type): so many, and so many for each of its entries.
_FIXED_WORDS = {Kind.INT: 1, Kind.ARRAY: 3, Kind.VAR: 1, Kind.DECL_TAG: 1}
_ENTRY_WORDS = {
    Kind.STRUCT: 3,
    Kind.UNION: 3,
    Kind.ENUM: 2,
    Kind.FUNC_PROTO: 2,
    Kind.DATASEC: 3,
    Kind.ENUM64: 3,
}


class _RecordLengths(dict[int, int]):
    """Info word → length of its record in words. Distinct info words are few, so the loop over all types is lookups."""

    def __missing__(self, info: int) -> int:
        kind = info >> 24 & 0x1F
        if not Kind.VOID < kind < len(_KINDS):
            raise BtfError(f"unknown kind {kind} of BTF type")
        entries = info & 0xFFFF
        length = 3 + _FIXED_WORDS.get(_KINDS[kind], 0) + _ENTRY_WORDS.get(_KINDS[kind], 0) * entries
        self[info] = length
        return length


@dataclass(frozen=True, slots=True)
class Member:
    """A direct member of a structure or union. `offset` and `bitfield` in bits; `bitfield` 0 where it is none."""

    name: str
    type: int
    offset: int
    bitfield: int


class Btf:
    """One BTF blob; `base` is vmlinux's for a module's."""

    def __init__(self, data: bytes, base: Btf | None = None) -> None:
        """Index `data`. Raises BtfError."""
        if len(data) < _HEADER.size:
            raise BtfError("BTF is shorter than its header")
        magic, version, _, header, types, types_length, strings, strings_length = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise BtfError("BTF has the wrong byte order" if magic == 0x9FEB else "this is not BTF (wrong magic)")
        if version != 1:
            raise BtfError(f"BTF version {version} is not known")
        types, strings = header + types, header + strings
        if types < 4 or types % 4 or types_length % 4 or types + types_length > len(data):
            raise BtfError("BTF type section lies outside of the file")
        if strings + strings_length > len(data):
            raise BtfError("BTF string section lies outside of the file")

        self.data = data
        self.base = base
        self._first = len(base) if base else 1
        self._first_string = base.strings_end if base else 0
        self._strings = data[strings : strings + strings_length]
        if self._strings and self._strings[-1]:
            raise BtfError("BTF string section does not end in NUL")
        view = memoryview(data)
        self._words = view[types : types + types_length].cast("I")
        self._infos = self._index()  # where each record's info word is
        # The name is the word before the info word: one view shifted by a word gathers all names at C speed.
        before = view[types - 4 : types + types_length].cast("I")
        self._names = _gather(before, self._infos)
        self._found: dict[str, list[int]] = {}
        self._offsets: dict[str, int] = {}

    def _index(self) -> array[int]:
        words, lengths = self._words, _RecordLengths()
        infos = array("I")
        add, position = infos.append, 1
        try:
            while True:
                info = words[position]
                add(position)
                position += lengths[info]
        except IndexError:
            pass
        if position != len(words) + 1:
            raise BtfError("last type of BTF is cut off")
        return infos

    def __len__(self) -> int:
        """Number of type ids, void and the base's included: one more than the largest id."""
        return self._first + len(self._infos)

    @property
    def strings_end(self) -> int:
        return self._first_string + len(self._strings)

    @property
    def own_ids(self) -> range:
        """Ids of the types of this blob itself."""
        return range(self._first, len(self))

    # Records

    def _record(self, type_id: int) -> int:
        """Index of the info word of a type of this blob itself."""
        index = type_id - self._first
        if not 0 <= index < len(self._infos):
            raise BtfError(f"BTF type {type_id} does not exist")
        return self._infos[index]

    def _owner(self, type_id: int) -> Btf:
        return self.base if self.base and type_id < self._first else self

    def _info(self, type_id: int) -> int:
        if type_id == 0:
            return 0
        owner = self._owner(type_id)
        return owner._words[owner._record(type_id)]

    def kind(self, type_id: int) -> Kind:
        return _KINDS[self._info(type_id) >> 24 & 0x1F]

    def flag(self, type_id: int) -> bool:
        """The record's kind flag: bitfield encoding of a structure, signedness of an enum, union of a forward."""
        return bool(self._info(type_id) >> 31)

    def name(self, type_id: int) -> str:
        """Name of the type, "" for anonymous ones."""
        if type_id == 0:
            return "void"
        owner = self._owner(type_id)
        return owner.string(owner._words[owner._record(type_id) - 1])

    def string(self, offset: int) -> str:
        if self.base and offset < self._first_string:
            return self.base.string(offset)
        start = offset - self._first_string
        if not 0 <= start < len(self._strings):
            raise BtfError(f"string {offset} of BTF does not exist")
        return self._strings[start : self._strings.index(0, start)].decode("utf-8", "replace")

    def _extra(self, type_id: int, *kinds: Kind) -> tuple[memoryview[int], int, int]:
        """Words of the blob, index of the word after the info word, number of entries; the kind must be as said."""
        owner = self._owner(type_id)
        position = owner._record(type_id)
        info = owner._words[position]
        if info >> 24 & 0x1F not in kinds:
            raise BtfError(f"BTF type {type_id} is of kind {self.kind(type_id).name}, not {kinds[0].name}")
        return owner._words, position + 1, info & 0xFFFF

    def size(self, type_id: int) -> int:
        """Bytes of an int, float, structure, union, enum or data section."""
        words, at, _ = self._extra(
            type_id, Kind.INT, Kind.FLOAT, Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64, Kind.DATASEC
        )
        return words[at]

    def target(self, type_id: int) -> int:
        """What a pointer, typedef, qualifier, tag, function or variable refers to (a function: to its prototype).

        For a function prototype it is the type that is returned.
        """
        words, at, _ = self._extra(
            type_id,
            Kind.PTR,
            Kind.TYPEDEF,
            *QUALIFIERS,
            Kind.FUNC,
            Kind.FUNC_PROTO,
            Kind.VAR,
            Kind.DECL_TAG,
        )
        return words[at]

    def integer(self, type_id: int) -> tuple[int, int, bool, bool]:
        """Of an int: width in bits, bit offset in its bytes, is it signed, is it a bool."""
        words, at, _ = self._extra(type_id, Kind.INT)
        data = words[at + 1]
        encoding = data >> 24
        return data & 0xFF, data >> 16 & 0xFF, bool(encoding & 1), bool(encoding & 4)

    def array(self, type_id: int) -> tuple[int, int]:
        """Type of the elements and their number."""
        words, at, _ = self._extra(type_id, Kind.ARRAY)
        return words[at + 1], words[at + 3]

    def members(self, type_id: int) -> list[Member]:
        """Direct members of a structure or union."""
        words, at, count = self._extra(type_id, Kind.STRUCT, Kind.UNION)
        entries = words[at + 1 : at + 1 + 3 * count].tolist()
        with_widths = self.flag(type_id)
        members = []
        for name, member_type, offset in zip(entries[0::3], entries[1::3], entries[2::3], strict=True):
            if with_widths:
                offset, bitfield = offset & 0xFFFFFF, offset >> 24
            else:
                offset, bitfield = self._old_bitfield(member_type, offset)
            members.append(Member(self.string(name), member_type, offset, bitfield))
        return members

    def _old_bitfield(self, member_type: int, offset: int) -> tuple[int, int]:
        """Offset and width where the structure does not say: a bitfield is then an int narrower than its bytes."""
        base = self.strip(member_type)
        if self.kind(base) is not Kind.INT:
            return offset, 0
        bits, shift, _, _ = self.integer(base)
        return offset + shift, bits if bits != 8 * self.size(base) else 0

    def enumerators(self, type_id: int) -> list[tuple[str, int]]:
        """Names and values of an enumeration."""
        words, at, count = self._extra(type_id, Kind.ENUM, Kind.ENUM64)
        signed = self.flag(type_id)
        if self.kind(type_id) is Kind.ENUM64:
            entries = words[at + 1 : at + 1 + 3 * count].tolist()
            values = [low | high << 32 for low, high in zip(entries[1::3], entries[2::3], strict=True)]
            names, bits = entries[0::3], 64
        else:
            entries = words[at + 1 : at + 1 + 2 * count].tolist()
            names, values, bits = entries[0::2], entries[1::2], 32
        if signed:
            values = [value - (1 << bits) if value >> bits - 1 else value for value in values]
        return [(self.string(name), value) for name, value in zip(names, values, strict=True)]

    def parameters(self, type_id: int) -> list[tuple[str, int]]:
        """Names and types of the parameters of a function prototype; a last one of type 0 without name is `...`."""
        words, at, count = self._extra(type_id, Kind.FUNC_PROTO)
        entries = words[at + 1 : at + 1 + 2 * count].tolist()
        return [(self.string(name), kind) for name, kind in zip(entries[0::2], entries[1::2], strict=True)]

    def linkage(self, type_id: int) -> int:
        """Of a function or a variable: 0 static, 1 global, 2 external."""
        words, at, linkage = self._extra(type_id, Kind.FUNC, Kind.VAR)
        return words[at + 1] if self.kind(type_id) is Kind.VAR else linkage

    def section_variables(self, type_id: int) -> list[int]:
        """Ids of the variables in a data section."""
        words, at, count = self._extra(type_id, Kind.DATASEC)
        return words[at + 1 : at + 1 + 3 * count : 3].tolist()

    def strip(self, type_id: int, tags: set[str] | None = None) -> int:
        """Follow qualifiers and typedefs to the type behind them; names of type tags on the way go into `tags`."""
        for _ in range(64):
            kind = self.kind(type_id)
            if kind is not Kind.TYPEDEF and kind not in QUALIFIERS:
                return type_id
            if kind is Kind.TYPE_TAG and tags is not None:
                tags.add(self.name(type_id))
            type_id = self.target(type_id)
        raise BtfError(f"BTF type {type_id} is a typedef or qualifier of itself")

    # Lookups

    def _string_offsets(self, name: str) -> Iterator[int]:
        """Where `name` is in the string tables that this blob's types may use (a table holds a string once)."""
        if not name:
            return
        if self.base:
            yield from self.base._string_offsets(name)
        # Remembered, because each module asks vmlinux.
        if name not in self._offsets:
            self._offsets[name] = self._strings.find(b"\0" + name.encode("utf-8", "surrogateescape") + b"\0")
        found = self._offsets[name]
        if found >= 0:
            yield self._first_string + found + 1

    def find(self, name: str, *kinds: Kind) -> Iterator[int]:
        """Ids of this blob's own types (not the base's) of that name and one of the kinds, in order."""
        if name not in self._found:
            many = len(self._found) >= _SEARCHES
            self._found[name] = self._by_name.get(name, []) if many else list(self._search(name))
        return (type_id for type_id in self._found[name] if self.kind(type_id) in kinds)

    def _search(self, name: str) -> Iterator[int]:
        for offset in self._string_offsets(name):
            for index in _occurrences(self._name_bytes, offset):
                yield self._first + index

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        """All names that types have: for patterns, which ask for as many names as there are functions."""
        found: dict[str, list[int]] = {}
        for type_id, offset in enumerate(self._names, self._first):
            found.setdefault(self.string(offset), []).append(type_id)
        return found

    def find_enumerator(self, name: str) -> tuple[int, int] | None:
        """The enumeration of this blob that declares `name`, and the value."""
        for offset in self._string_offsets(name):
            for type_id in self._types_with_word(offset):
                if self.kind(type_id) in ENUMS:
                    for enumerator, value in self.enumerators(type_id):
                        if enumerator == name:
                            return type_id, value
        return None

    def _types_with_word(self, word: int) -> Iterator[int]:
        """Ids of the types that have `word` anywhere in their record."""
        for position in _occurrences(self._type_bytes, word):
            # A record starts one word before its info word.
            yield self._first + bisect_right(self._infos, position + 1) - 1

    @cached_property
    def _name_bytes(self) -> bytes:
        return self._names.tobytes()

    @cached_property
    def _type_bytes(self) -> bytes:
        return self._words.tobytes()

    def named(self, kind: Kind) -> Iterator[tuple[int, str]]:
        """Id and name of each of this blob's own types of a kind, in order of their ids."""
        infos = _gather(self._words, self._infos)
        for type_id, (name, info) in enumerate(zip(self._names, infos, strict=True), self._first):
            if info >> 24 & 0x1F == kind:
                yield type_id, self.string(name)


def _occurrences(words: bytes, word: int) -> Iterator[int]:
    """Where `word` is among 32-bit words. A search of bytes is 30 times faster than one of an array."""
    pattern, position = struct.pack("=I", word), -1
    while (position := words.find(pattern, position + 1)) >= 0:
        if position % 4 == 0:
            yield position // 4


def _gather(words: memoryview[int], positions: Sequence[int]) -> array[int]:
    """The words at `positions`."""
    match len(positions):
        case 0:
            return array("I")
        case 1:
            return array("I", [words[positions[0]]])
        case _:
            return array("I", itemgetter(*positions)(words))
