"""Reads the relocatable BPF ELF that LLVM writes (System V ABI, chapter 4).

By hand, because pyelftools takes 30 ms to import and 4 ms for an object of an ordinary script, where this takes one.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import NamedTuple

from compiler.object.sections import ObjectError, Reference, Section

SHF_EXECINSTR = 0x4
_SHT_PROGBITS, _SHT_SYMTAB, _SHT_NOBITS, _SHT_REL = 1, 2, 8, 9
_SHN_UNDEF, _SHN_LORESERVE = 0, 0xFF00
_ET_REL, _EM_BPF = 1, 247
_IDENTIFICATION = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian, version 1

_FILE_HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQ")


class _Header(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


def read(data: bytes) -> dict[str, Section]:
    """The sections with contents by name, each with the relocations that apply to it, ordered by offset.

    LLVM makes several sections of one name for constants that linkers may merge in different ways; all but the first
    get a number behind their name.
    """
    if not data.startswith(_IDENTIFICATION):
        raise ObjectError("not a little-endian 64-bit ELF file")
    kind, machine, _, _, _, table, *_, count, names_index = _FILE_HEADER.unpack_from(data)
    if (kind, machine) != (_ET_REL, _EM_BPF):
        raise ObjectError("not a relocatable BPF object")
    headers = [_Header(*_SECTION_HEADER.unpack_from(data, table + i * _SECTION_HEADER.size)) for i in range(count)]
    strings = _contents(data, headers[names_index])
    names = _unique([_string(strings, header.name) for header in headers])
    references: dict[int, list[Reference]] = {}
    for header in headers:
        if header.type == _SHT_REL:
            found = references.setdefault(header.info, [])
            symbols = _symbols(data, headers, header.link, names)
            for offset, info in _RELOCATION.iter_unpack(_contents(data, header)):
                found.append(Reference(offset, info & 0xFFFFFFFF, *symbols[info >> 32]))
    return {
        names[index]: Section(
            names[index],
            _contents(data, header),
            bool(header.flags & SHF_EXECINSTR),
            tuple(sorted(references.get(index, ()), key=lambda reference: reference.offset)),
        )
        for index, header in enumerate(headers)
        if header.type in (_SHT_PROGBITS, _SHT_NOBITS) and header.size
    }


def _symbols(data: bytes, headers: list[_Header], index: int, names: list[str]) -> list[tuple[str, str | None, int]]:
    """Name, section and value of each symbol; a section's own symbol has the name of the section."""
    table = headers[index]
    if table.type != _SHT_SYMTAB:
        raise ObjectError("relocations without a symbol table")
    strings = _contents(data, headers[table.link])
    symbols = []
    for name, _, _, section, value, _ in _SYMBOL.iter_unpack(_contents(data, table)):
        home = names[section] if _SHN_UNDEF < section < _SHN_LORESERVE else None
        symbols.append((_string(strings, name) or home or "", home, value))
    return symbols


def _contents(data: bytes, header: _Header) -> bytes:
    return bytes(header.size) if header.type == _SHT_NOBITS else data[header.offset : header.offset + header.size]


def _string(table: bytes, offset: int) -> str:
    return table[offset : table.index(0, offset)].decode()


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique
