"""ELF files of programs and libraries: machine, build id, symbols, sections."""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from compiler.types.binary.reading import reading
from compiler.types.errors import BinaryError

_ARCHITECTURES: Mapping[str, str] = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
_SYMBOL = struct.Struct("<IBBHQQ")  # Elf64_Sym
_FUNCTIONS = frozenset({2, 10})  # STT_FUNC, STT_GNU_IFUNC
_PLACES = _FUNCTIONS | {0, 1}  # STT_NOTYPE, STT_OBJECT
_UNDEFINED = 0  # SHN_UNDEF
_NT_GNU_BUILD_ID = 3
_NT_STAPSDT = 3


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function or variable that the file defines; `address` is the one that its program headers count with."""

    name: str
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class DebugLink:
    """Section .gnu_debuglink: the name of the file that has the debug information, and that file's CRC-32."""

    name: str
    crc: int


class Elf:
    """A 64-bit little-endian ELF file. What cannot be read raises BinaryError, which names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.file = ELFFile(cast(IO[bytes], mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        except OSError as error:
            raise BinaryError(f"{path}: {error.strerror}") from None
        except (ELFError, ValueError):  # an empty file cannot be mapped
            raise BinaryError(f"{path}: not an ELF file") from None
        if self.file.elfclass != 64 or not self.file.little_endian:
            raise BinaryError(f"{path}: not a 64-bit little-endian ELF file")

    @property
    def arch(self) -> str:
        """As the compiler's tables name it, or "" for a machine that they do not have."""
        return _ARCHITECTURES.get(self.file["e_machine"], "")

    @property
    def machine(self) -> str:
        """As the ELF specification names it: "EM_RISCV"."""
        return str(self.file["e_machine"])

    def section(self, name: str) -> bytes | None:
        """A section's data, decompressed; None if there is none."""
        with reading(self.path):
            section = self.file.get_section_by_name(name)
            return None if section is None or section["sh_type"] == "SHT_NOBITS" else section.data()

    @cached_property
    def build_id(self) -> bytes:
        """The linker's identification of the file (`--build-id`); empty if there is none."""
        for owner, kind, description in self._notes(".note.gnu.build-id"):
            if owner == b"GNU" and kind == _NT_GNU_BUILD_ID:
                return description
        return b""

    @cached_property
    def usdt_probes(self) -> frozenset[tuple[str, str]]:
        """Provider and name of the file's USDT probes.

        A note's description is three addresses, then provider, name and arguments as texts that end with NUL.
        """
        found = set()
        with reading(self.path):
            for owner, kind, description in self._notes(".note.stapsdt"):
                if owner == b"stapsdt" and kind == _NT_STAPSDT:
                    provider, name = description[24:].split(b"\0")[:2]
                    found.add((provider.decode(), name.decode()))
        return frozenset(found)

    def _notes(self, section: str) -> Iterator[tuple[bytes, int, bytes]]:
        """Owner, type and description of the notes of a section; each part is padded to 4 bytes."""
        data, at = self.section(section) or b"", 0
        while at + 12 <= len(data):
            name_size, size, kind = struct.unpack_from("<III", data, at)
            name, at = data[at + 12 : at + 12 + name_size], at + 12 + name_size + -name_size % 4
            yield name.rstrip(b"\0"), kind, data[at : at + size]
            at += size + -size % 4

    def function(self, name: str) -> Symbol | None:
        """The first function of that name, in the order in which a tracer searches: .symtab, then .dynsym."""
        return next((symbol for symbol in self._symbols(name, _FUNCTIONS) if symbol.address), None)

    def symbol(self, name: str) -> Symbol | None:
        """The first function or variable of that name, in the same order."""
        return next(self._symbols(name, _PLACES), None)

    def _symbols(self, name: str, types: frozenset[int]) -> Iterator[Symbol]:
        wanted = name.encode(errors="surrogateescape")
        for table, strings in self._symbol_tables():
            # Texts may share their ends, so the name can be anywhere in the table of strings.
            places = {match.start() for match in re.finditer(re.escape(wanted + b"\0"), strings)}
            for text, info, _, section, address, size in _SYMBOL.iter_unpack(table):
                if text in places and section != _UNDEFINED and info & 15 in types:
                    yield Symbol(name, address, size)

    def functions(self) -> Iterator[Symbol]:
        """All functions, in the same order; those of .dynsym may repeat others."""
        with reading(self.path):
            for table, strings in self._symbol_tables():
                for text, info, _, section, address, size in _SYMBOL.iter_unpack(table):
                    if section != _UNDEFINED and info & 15 in _FUNCTIONS and address:
                        name = strings[text : strings.index(b"\0", text)]
                        yield Symbol(name.decode(errors="surrogateescape"), address, size)

    def _symbol_tables(self) -> Iterator[tuple[bytes, bytes]]:
        """Entries and strings of each table."""
        with reading(self.path):
            for name in (".symtab", ".dynsym"):
                section: Any = self.file.get_section_by_name(name)
                if section is not None and section["sh_type"] != "SHT_NOBITS":
                    data = section.data()
                    yield data[: len(data) // _SYMBOL.size * _SYMBOL.size], section.stringtable.data()

    @property
    def debug_link(self) -> DebugLink | None:
        data = self.section(".gnu_debuglink")
        if not data:
            return None
        name, _, _ = data.partition(b"\0")
        return DebugLink(name.decode(errors="surrogateescape"), int.from_bytes(data[-4:], "little"))

    @property
    def has_debug_info(self) -> bool:
        with reading(self.path):
            return bool(self.file.has_dwarf_info(strict=True))
