"""Where the debug information of a binary is: in itself, in a separate file, in split units.

The places are those of GDB and elfutils: by build id below a folder's `.build-id`, or by the name in .gnu_debuglink
(NAME.debug where there is none) beside the binary and in the folders of the search path.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.types.binary.elf import Elf
from compiler.types.errors import BinaryError

STANDARD_FOLDERS = (".debug", "/usr/lib/debug")
"""Relative ones count from the binary's folder."""


@dataclass(frozen=True, slots=True)
class Search:
    """`folders` are searched in their order, then the standard ones; absolute ones are below `root`."""

    folders: Sequence[str] = ()
    root: Path | None = None

    def absolute(self, path: str) -> Path | None:
        """An absolute path of the target, None if the target's files are not there to be read."""
        return None if self.root is None else self.root / path.lstrip("/")

    def debug_file(self, elf: Elf) -> Elf | None:
        """The file with the binary's debug information: itself, or a separate one that belongs to it."""
        if elf.has_debug_info:
            return elf
        link = elf.debug_link
        for path in self._candidates(elf, link.name if link else f"{elf.path.name}.debug"):
            if path == elf.path or not path.is_file():
                continue
            try:
                found = Elf(path)
            except BinaryError:
                continue
            if found.has_debug_info and _belongs(found, elf, link.crc if link else None):
                return found
        return None

    def _candidates(self, elf: Elf, name: str) -> Iterator[Path]:
        here = elf.path.parent
        build_id = elf.build_id.hex()
        folders = ["", *self.folders, *STANDARD_FOLDERS]
        bases = [self.absolute(folder) if folder.startswith("/") else here / folder for folder in folders]
        for base in bases:
            if base is not None and build_id:
                yield base / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
        for folder, base in zip(folders, bases, strict=True):
            if base is None:
                continue
            if folder.startswith("/") and self.root is not None and here.is_relative_to(self.root):
                yield base / here.relative_to(self.root) / name
            yield base / name


def _belongs(debug: Elf, elf: Elf, crc: int | None) -> bool:
    """Whether a debug file is the binary's: by build id, else by the checksum of the link to it."""
    if elf.build_id and debug.build_id:
        return elf.build_id == debug.build_id
    return crc is not None and zlib.crc32(debug.path.read_bytes()) == crc
