"""Split DWARF: units whose contents are in files of their own (.dwo), or packed into one file (.dwp).

The executable keeps a skeleton of each unit: its addresses, its lines and the id of the unit that it stands for
(DWARF 5, sections 3.1.2, 3.1.3 and 7.3.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import cached_property
from io import BytesIO
from pathlib import Path

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE, AttributeValue
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DWARFInfo

from compiler.types.binary.debug_files import Search
from compiler.types.binary.elf import Elf
from compiler.types.errors import BinaryError

_INFO = ".debug_info.dwo"
_SECTIONS = (_INFO, ".debug_abbrev.dwo", ".debug_str.dwo", ".debug_str_offsets.dwo")
_COLUMNS: Mapping[int, str] = {1: _INFO, 3: ".debug_abbrev.dwo", 6: ".debug_str_offsets.dwo"}
"""Sections of which a unit has a part of its own in a package: DW_SECT_* of DWARF 5."""
_INDEX_VERSION = 5
_STRING_OFFSETS_HEADER = 8  # of 32-bit DWARF: length, version, padding


class SplitUnits:
    """The split units of one binary."""

    def __init__(self, binary: Path, debug_file: Path, search: Search) -> None:
        self._folders = list(dict.fromkeys((binary.parent, debug_file.parent)))
        self._packages = [path.with_name(f"{path.name}.dwp") for path in dict.fromkeys((debug_file, binary))]
        self._search = search

    def find(self, skeleton: CompileUnit) -> CompileUnit | None:
        """The unit that a skeleton stands for, None if its file cannot be found."""
        unit_id = skeleton["dwo_id"]
        for package in self._opened_packages:
            sections = _of_package(package, unit_id)
            if sections is not None:
                return _unit(sections, skeleton, unit_id)
        for path in self._object_files(skeleton.get_top_DIE()):
            elf = Elf(path)
            sections = {name: elf.section(name) or b"" for name in _SECTIONS}
            unit = _unit(sections, skeleton, unit_id)
            if unit is not None:
                return unit
        return None

    @cached_property
    def _opened_packages(self) -> list[Elf]:
        return [Elf(path) for path in self._packages if path.is_file()]

    def _object_files(self, top: DIE) -> Iterator[Path]:
        name = _text(top, "DW_AT_dwo_name")
        folder = _text(top, "DW_AT_comp_dir")
        whole = f"{folder}/{name}" if folder and not name.startswith("/") else name
        candidates = [here / text for here in self._folders for text in (name, Path(name).name)]
        absolute = self._search.absolute(whole) if whole.startswith("/") else None
        for path in (absolute, *candidates):
            if path is not None and name and path.is_file():
                yield path


def _text(die: DIE, name: str) -> str:
    attribute = die.attributes.get(name)
    return "" if attribute is None else attribute.value.decode(errors="surrogateescape")


def _of_package(package: Elf, unit_id: int) -> dict[str, bytes] | None:
    """The unit's parts of a package's sections, None if it does not have the unit (DWARF 5, section 7.3.5.3)."""
    index = package.section(".debug_cu_index") or b""
    if len(index) < 16:
        return None
    version, _, columns, units, slots = struct.unpack_from("<HHIII", index)
    if version != _INDEX_VERSION:
        raise BinaryError(f"{package.path}: index of version {version}; DWARF 5 packages have {_INDEX_VERSION}")
    ids = struct.unpack_from(f"<{slots}Q", index, 16)
    rows = struct.unpack_from(f"<{slots}I", index, 16 + 8 * slots)
    row = next((row for id_, row in zip(ids, rows, strict=True) if row and id_ == unit_id), None)
    if row is None:
        return None
    table = 16 + 12 * slots
    kinds = struct.unpack_from(f"<{columns}I", index, table)
    offsets = struct.unpack_from(f"<{columns}I", index, table + 4 * columns * row)
    sizes = struct.unpack_from(f"<{columns}I", index, table + 4 * columns * (row + units))
    sections = {name: package.section(name) or b"" for name in _SECTIONS}
    for kind, offset, size in zip(kinds, offsets, sizes, strict=True):
        if kind in _COLUMNS:
            sections[_COLUMNS[kind]] = sections[_COLUMNS[kind]][offset : offset + size]
    return sections


def _unit(sections: Mapping[str, bytes], skeleton: CompileUnit, unit_id: int) -> CompileUnit | None:
    """The unit of that id in the sections."""

    def section(name: str) -> DebugSectionDescriptor:
        return DebugSectionDescriptor(BytesIO(sections[name]), name, None, len(sections[name]), 0)

    info = DWARFInfo(
        config=skeleton.dwarfinfo.config,
        debug_info_sec=section(_INFO), debug_aranges_sec=None, debug_abbrev_sec=section(".debug_abbrev.dwo"),
        debug_frame_sec=None, eh_frame_sec=None, debug_str_sec=section(".debug_str.dwo"), debug_loc_sec=None,
        debug_ranges_sec=None, debug_line_sec=None, debug_pubtypes_sec=None, debug_pubnames_sec=None,
        debug_addr_sec=skeleton.dwarfinfo.debug_addr_sec, debug_str_offsets_sec=section(".debug_str_offsets.dwo"),
        debug_line_str_sec=None, debug_loclists_sec=None, debug_rnglists_sec=None, debug_sup_sec=None,
        gnu_debugaltlink_sec=None, debug_types_sec=None,
    )  # fmt: skip
    for unit in info.iter_CUs():
        if unit.header.get("dwo_id") == unit_id:
            give_bases(unit, skeleton)
            return unit
    return None


def give_bases(unit: CompileUnit, skeleton: CompileUnit | None = None) -> None:
    """Says where the unit's strings and addresses begin. pyelftools looks for that in the unit's own first entry, but
    in split DWARF strings begin behind the header of their section, and addresses where the skeleton has them.
    """
    if unit.has_top_DIE():
        return
    assert unit.dwarfinfo.debug_info_sec is not None
    top = DIE(unit, unit.dwarfinfo.debug_info_sec.stream, unit.cu_die_offset)
    bases = {"DW_AT_str_offsets_base": _STRING_OFFSETS_HEADER}
    address_base = None if skeleton is None else skeleton.get_top_DIE().attributes.get("DW_AT_addr_base")
    if address_base is not None:
        bases["DW_AT_addr_base"] = address_base.value
    for name, value in bases.items():
        top.attributes.setdefault(name, AttributeValue(name, "DW_FORM_sec_offset", value, value, 0, 0))
    unit._dielist.append(top)
    unit._diemap.append(top.offset)
    top._translate_indirect_attributes()
