"""Reads the relocatable BPF ELF that LLVM writes.

Importing pyelftools takes 0.07 s, which is why only the process that runs LLVM reads the file.
"""

from __future__ import annotations

import io
from collections import Counter

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from compiler.object.sections import ObjectError, Reference, Section

SHF_EXECINSTR = 0x4


def read(data: bytes) -> dict[str, Section]:
    """The sections with contents by name, each with the relocations that apply to it, ordered by offset.

    LLVM makes several sections of one name for constants that linkers may merge in different ways; all but the first
    get a number behind their name.
    """
    elf = ELFFile(io.BytesIO(data))
    if elf["e_machine"] != "EM_BPF" or elf["e_type"] != "ET_REL" or not elf.little_endian:
        raise ObjectError("not a relocatable little-endian BPF object")
    sections = list(elf.iter_sections())
    names = _unique([section.name for section in sections])
    references: dict[int, list[Reference]] = {}
    for section in sections:
        if not isinstance(section, RelocationSection):
            continue
        symbols = elf.get_section(section["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        found = references.setdefault(section["sh_info"], [])
        for entry in section.iter_relocations():
            symbol = symbols.get_symbol(entry["r_info_sym"])
            index = symbol["st_shndx"]
            home = names[index] if isinstance(index, int) else None
            found.append(
                Reference(entry["r_offset"], entry["r_info_type"], symbol.name or home or "", home, symbol["st_value"])
            )
    return {
        names[index]: Section(
            names[index],
            bytes(section["sh_size"]) if section["sh_type"] == "SHT_NOBITS" else section.data(),
            bool(section["sh_flags"] & SHF_EXECINSTR),
            tuple(sorted(references.get(index, ()), key=lambda reference: reference.offset)),
        )
        for index, section in enumerate(sections)
        if section["sh_type"] in ("SHT_PROGBITS", "SHT_NOBITS") and section["sh_size"]
    }


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique
