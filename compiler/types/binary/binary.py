"""A program or library that the build knows: what scripts ask about it."""

from __future__ import annotations

from functools import cached_property

from compiler.types.binary import lines
from compiler.types.binary.calling_convention import Argument
from compiler.types.binary.debug_files import Search
from compiler.types.binary.dwarf import Dwarf
from compiler.types.binary.elf import Elf, Symbol
from compiler.types.binary.reading import reading
from compiler.types.binary.source import DwarfSource
from compiler.types.binary.split import SplitUnits
from compiler.types.errors import NoDebugInfo

_CHANGED_CLONES = frozenset({"isra", "constprop", "part", "cold"})
"""Suffixes of functions that GCC makes of others and calls in ways of its own."""


class Binary:
    """Reading raises BinaryError."""

    def __init__(self, name: str, elf: Elf, search: Search, *, is_required: bool) -> None:
        self.name = name
        """As the script spells it."""
        self.elf = elf
        self.is_required = is_required
        """Whether the tracer is made for this very file."""
        self._is_used = False
        self._types: DwarfSource | None = None
        self._search = search

    @property
    def matters(self) -> bool:
        """Whether the tracer fits this very file alone: it was made for it, or depends on its debug information."""
        return self.is_required or self._is_used or (self._types is not None and self._types.is_used)

    @cached_property
    def _debug_file(self) -> Elf | None:
        with reading(self.elf.path):
            return self._search.debug_file(self.elf)

    @cached_property
    def _dwarf(self) -> Dwarf | None:
        debug = self._debug_file
        if debug is None:
            return None
        with reading(debug.path):
            info = debug.file.get_dwarf_info(follow_links=False)
            if info.gnu_debugaltlink_sec is not None:
                supplementary = self._supplementary(debug)
                if supplementary is None:
                    return None
                info.supplementary_dwarfinfo = supplementary.file.get_dwarf_info(follow_links=False)
            return Dwarf(info, SplitUnits(self.elf.path, debug.path, self._search))

    def _supplementary(self, debug: Elf) -> Elf | None:
        """The file that several debug files share (dwz), as section .gnu_debugaltlink names it."""
        name = (debug.section(".gnu_debugaltlink") or b"").partition(b"\0")[0].decode(errors="surrogateescape")
        path = self._search.absolute(name) if name.startswith("/") else debug.path.parent / name
        return Elf(path) if path is not None and path.is_file() else None

    @property
    def has_debug_info(self) -> bool:
        return self._dwarf is not None

    @property
    def types(self) -> DwarfSource | None:
        """The types of its debug information, None if there is none."""
        if self._types is None and self._dwarf is not None:
            self._types = DwarfSource(self._dwarf, self.elf.arch, self.elf.path)
        return self._types

    def missing_split_files(self) -> list[str]:
        """Files of split debug information that are nowhere to be found."""
        with reading(self.elf.path):
            return self._dwarf.missing_units() if self._dwarf else []

    def function(self, name: str) -> Symbol | None:
        """The function, also of a stripped binary whose symbols are in its debug file."""
        with reading(self.elf.path):
            found = self.elf.function(name)
            if found is None and self._debug_file is not None and self._debug_file is not self.elf:
                found = self._debug_file.function(name)
            return found

    def arguments(self, function: str) -> tuple[Argument, ...]:
        """The arguments of a function, see DwarfSource.arguments. Raises NoDebugInfo."""
        if self._dwarf is None or self.types is None:
            raise NoDebugInfo(f"no debuginfo found for {self.name}")
        symbol = self.function(function)
        if symbol is None:
            raise NoDebugInfo(f"{self.name} has no function {function}")
        with reading(self.elf.path):
            found = self._dwarf.function(function, symbol.address)
            if found is None:
                raise NoDebugInfo(f"the debug information of {self.name} does not have {function}")
            arguments = None if set(function.split(".")[1:]) & _CHANGED_CLONES else self.types.arguments(found)
        if arguments is None:
            raise NoDebugInfo(f"{function} is called in a way of its own, not by the platform's calling convention")
        self._is_used = True
        return arguments

    def line(self, file: str, line: int, column: int) -> int:
        """The address of a source line, see `lines.address`. Raises lines.NoLine and NoDebugInfo."""
        if self._dwarf is None:
            raise NoDebugInfo(f"No DWARF debug info found for '{self.name}'")
        with reading(self.elf.path):
            address = lines.address(self._dwarf, file, line, column)
        self._is_used = True
        return address
