"""DWARF of a binary: its functions, types by name, and units, by pyelftools.

Debug information is large and reading it in Python is slow. So nothing is indexed ahead: a function is found through
the one unit whose addresses it lies in, and a name only in units whose bytes refer to that text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from functools import cached_property

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DWARFInfo
from elftools.dwarf.ranges import BaseAddressEntry, RangeEntry

from compiler.types.binary.split import SplitUnits, give_bases

STRUCTURES = frozenset({"DW_TAG_structure_type", "DW_TAG_class_type"})
UNIONS = frozenset({"DW_TAG_union_type"})
ENUMERATIONS = frozenset({"DW_TAG_enumeration_type"})
ALIASES = frozenset({"DW_TAG_typedef", "DW_TAG_base_type"})
_NAMESPACES = frozenset({"DW_TAG_namespace", "DW_TAG_module"})
_ORIGINS = ("DW_AT_abstract_origin", "DW_AT_specification")
_MAX_DEPTH = 8


class Unit:
    """One compilation unit. `skeleton` is what the binary has of it: addresses and lines."""

    def __init__(self, skeleton: CompileUnit, split: SplitUnits) -> None:
        self.skeleton = skeleton
        self._split = split

    @cached_property
    def top(self) -> DIE:
        """The unit's first entry; of the split unit, if its file is there."""
        if self.is_skeleton:
            whole = self._split.find(self.skeleton)
            if whole is not None:
                return whole.get_top_DIE()
        return self.skeleton.get_top_DIE()

    @property
    def is_skeleton(self) -> bool:
        return bool(self.skeleton.header.get("unit_type") == "DW_UT_skeleton")

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """First address and the one after the last, of each piece of the unit's code."""
        return _ranges(self.skeleton.get_top_DIE())

    def covers(self, address: int) -> bool:
        return any(start <= address < end for start, end in self.ranges)

    @cached_property
    def entries(self) -> list[DIE]:
        """Entries of the unit and of its namespaces."""
        return list(_entries(self.top, 0))

    @cached_property
    def names(self) -> Mapping[str, list[DIE]]:
        """The same by their own names."""
        result: dict[str, list[DIE]] = {}
        for die in self.entries:
            attribute = die.attributes.get("DW_AT_name")
            if attribute is not None:
                result.setdefault(_decoded(attribute.value), []).append(die)
        return result

    def mentions(self, text: bytes, places: Set[int]) -> bool:
        """Whether an entry may have the text, which ends with NUL; `places` are those where the strings have it."""
        unit = self.top.cu
        assert isinstance(unit, CompileUnit) and unit.dwarfinfo.debug_info_sec is not None
        stream = unit.dwarfinfo.debug_info_sec.stream
        stream.seek(unit.cu_offset)
        data = stream.read(unit.size)
        if text in data:
            return True
        if unit.dwarf_format() == 64 or "DW_AT_str_offsets_base" in self.top.attributes:
            return bool(places)  # what refers to them is no offset of 4 bytes
        return any(place.to_bytes(4, "little") in data for place in places)


class Dwarf:
    def __init__(self, info: DWARFInfo, split: SplitUnits) -> None:
        self._info = info
        self._split = split

    @cached_property
    def _all_units(self) -> list[Unit]:
        return [Unit(unit, self._split) for unit in self._info.iter_CUs()]

    @cached_property
    def units(self) -> list[Unit]:
        """Without those that hold a single type for others (type units)."""
        return [unit for unit in self._all_units if unit.skeleton.header.get("unit_type") != "DW_UT_type"]

    def function(self, name: str, address: int) -> DIE | None:
        """The function that begins at the address; `name` is its symbol, for units that do not say the address."""
        units = [unit for unit in self.units if unit.covers(address)]
        named: list[DIE] = []
        for unit in units or [unit for unit in self.units if not unit.ranges]:
            for die in unit.entries:
                if die.tag != "DW_TAG_subprogram" or "DW_AT_declaration" in die.attributes:
                    continue
                if any(start == address for start, _ in _ranges(die)):
                    return die
                if name in (text(die, "DW_AT_linkage_name"), text(die, "DW_AT_name")):
                    named.append(die)
        return next(iter(named), None)

    def missing_units(self) -> list[str]:
        """Names of the files of split units that are not there."""
        return [
            text(unit.skeleton.get_top_DIE(), "DW_AT_dwo_name")
            for unit in self.units
            if unit.is_skeleton and unit.top is unit.skeleton.get_top_DIE()
        ]

    def find(self, name: str, tags: frozenset[str]) -> DIE | None:
        """The first entry of that name which defines it."""
        for die in self._named(name):
            if die.tag in tags and "DW_AT_declaration" not in die.attributes:
                return die
        return None

    def _named(self, name: str) -> Iterator[DIE]:
        for unit in self._mentioning(name):
            yield from unit.names.get(name, ())

    def _mentioning(self, name: str) -> Iterator[Unit]:
        """The units that may have the name."""
        text = name.encode(errors="surrogateescape") + b"\0"
        known: dict[int, set[int]] = {}  # units share their strings
        for unit in self._all_units:
            info = unit.top.dwarfinfo
            if id(info) not in known:
                known[id(info)] = _places(info, text)
            if unit.mentions(text, known[id(info)]):
                yield unit

    def enumerator(self, name: str) -> tuple[DIE, DIE] | None:
        """An enumeration, and its entry of that name."""
        for unit in self._mentioning(name):
            for die in unit.entries:
                if die.tag in ENUMERATIONS:
                    for child in die.iter_children():
                        if text(child, "DW_AT_name") == name:
                            return die, child
        return None


def _entries(parent: DIE, depth: int) -> Iterator[DIE]:
    for die in parent.iter_children():
        if die.tag in _NAMESPACES and depth < _MAX_DEPTH:
            yield from _entries(die, depth + 1)
        else:
            yield die


def _ranges(die: DIE) -> list[tuple[int, int]]:
    """The code that an entry has (DWARF 5, section 2.17)."""
    low, high, ranges = (die.attributes.get(f"DW_AT_{name}") for name in ("low_pc", "high_pc", "ranges"))
    if ranges is None:
        if low is None:
            return []
        if high is None:
            return [(low.value, low.value + 1)]
        return [(low.value, high.value if high.form == "DW_FORM_addr" else low.value + high.value)]
    lists = die.dwarfinfo.range_lists()
    if lists is None:  # of a split unit; its skeleton has them
        return []
    base, found = low.value if low is not None else _base(die), []
    assert isinstance(die.cu, CompileUnit)
    for entry in lists.get_range_list_at_offset(ranges.value, cu=die.cu):
        if isinstance(entry, BaseAddressEntry):
            base = entry.base_address
        elif isinstance(entry, RangeEntry):
            start = 0 if entry.is_absolute else base
            found.append((start + entry.begin_offset, start + entry.end_offset))
    return found


def _base(die: DIE) -> int:
    low = die.cu.get_top_DIE().attributes.get("DW_AT_low_pc")
    return 0 if low is None else int(low.value)


def _places(info: DWARFInfo, text: bytes) -> set[int]:
    """Where the tables of strings have the text: alone, or as the end of a longer one."""
    found: set[int] = set()
    for one in (info, info.supplementary_dwarfinfo):
        section = None if one is None else one.debug_str_sec
        if section is not None:
            section.stream.seek(0)
            found |= {match.start() for match in re.finditer(re.escape(text), section.stream.read())}
    return found


def origin(die: DIE, name: str) -> DIE | None:
    """The entry that has the attribute: `die` itself, or the one that it completes or is an instance of."""
    for _ in range(_MAX_DEPTH):
        if name in die.attributes:
            return die
        link = next((link for link in _ORIGINS if link in die.attributes), None)
        if link is None:
            return None
        die = referred(die, link)
    return None


def referred(die: DIE, name: str) -> DIE:
    """The entry that an attribute refers to. Type units of DWARF 5 pyelftools does not know."""
    attribute = die.attributes[name]
    if attribute.form != "DW_FORM_ref_sig8":
        return die.get_DIE_from_attribute(name)
    for unit in die.dwarfinfo.iter_CUs():
        if unit.header.get("type_signature") == attribute.raw_value:
            if unit["unit_type"] == "DW_UT_split_type":
                give_bases(unit)
            return unit.get_DIE_from_refaddr(unit.cu_offset + unit["type_offset"])
    return die.get_DIE_from_attribute(name)


def text(die: DIE, name: str) -> str:
    """A textual attribute, "" if there is none."""
    found = origin(die, name)
    return "" if found is None else _decoded(found.attributes[name].value)


def _decoded(value: object) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else ""
