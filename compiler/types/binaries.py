"""Binaries that a script traces, where the compiler can see them: what their symbol tables say.

A target host may have other files than the machine that compiles, so the tracer checks what was taken from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_DATA = frozenset({"STT_OBJECT", "STT_FUNC", "STT_NOTYPE", "STT_LOOS"})


@dataclass(slots=True)
class Binaries:
    """Where the files are that scripts name. Without a `root` none are seen."""

    root: Path | None = None
    """The folder that holds the target's file system."""
    _sizes: dict[str, dict[str, int]] = field(default_factory=dict)

    def symbol_size(self, path: str, name: str) -> int | None:
        """Bytes of a symbol of a file, None if file or symbol are not known."""
        sizes = self._sizes.get(path)
        if sizes is None:
            sizes = self._sizes[path] = self._read_sizes(path)
        return sizes.get(name)

    def _read_sizes(self, path: str) -> dict[str, int]:
        from elftools.elf.sections import SymbolTableSection

        sizes: dict[str, int] = {}
        with self._open(path) as elf:
            for section in elf.iter_sections() if elf else ():
                if not isinstance(section, SymbolTableSection):
                    continue
                for symbol in section.iter_symbols():
                    if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["type"] in _DATA:
                        sizes.setdefault(symbol.name, symbol["st_size"])
        return sizes

    def find(self, path: str) -> Path | None:
        """The file here that a script names by the target's path."""
        if self.root is None or "/" not in path:
            return None
        found = self.root / path.lstrip("/") if path.startswith("/") else Path(path)
        return found if found.is_file() else None

    @contextmanager
    def _open(self, path: str) -> Iterator[ELFFile | None]:
        found = self.find(path)
        if found is None:
            yield None
            return
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        with found.open("rb") as file:
            try:
                elf = ELFFile(file)
            except ELFError:
                elf = None
            yield elf
