"""The binaries that a compilation can look at, by the names that scripts have for them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.types.errors import BinaryError

if TYPE_CHECKING:
    from compiler.types.binary.binary import Binary

_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_MAX_LINKS = 40

# ld.so.cache of glibc (sysdeps/generic/dl-cache.h): a header, entries, texts. Offsets count from the header's start.
_CACHE = "/etc/ld.so.cache"
_CACHE_MAGIC = b"glibc-ld.so.cache1.1"
_CACHE_HEADER = struct.Struct("<20s2I20x")
_CACHE_ENTRY = struct.Struct("<i2I12x")
_LIBRARY_FLAGS = frozenset({0x0303, 0x0A03})  # FLAG_ELF_LIBC6 with FLAG_X8664_LIB64, FLAG_AARCH64_LIB64


@dataclass(slots=True)
class Binaries:
    """What is known of binaries when compiling.

    `named` are those that the tracer is made for, by the name that a script's attach points have. Of others only those
    in `root`, the target's file system, are looked at, and files by relative paths; without `root` none: the files of
    the machine that compiles are not the target's. `debug_folders` are searched for separate debug files before the
    standard ones.
    """

    named: Mapping[str, Path] = field(default_factory=dict)
    root: Path | None = None
    debug_folders: Sequence[str] = ()
    _found: dict[str, Binary | None] = field(default_factory=dict)

    def find(self, name: str) -> Binary | None:
        """None for a binary that is not known. Raises BinaryError for a named one that cannot be read."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def symbol_size(self, path: str, name: str) -> int | None:
        """Bytes of a function or variable of the binary that a script calls `path`, None if either is not known."""
        binary = self.find(path)
        found = None if binary is None else binary.elf.symbol(name)
        return None if found is None else found.size

    def _find(self, name: str) -> Binary | None:
        path = self.named.get(name)
        if path is None and self.root is not None:
            path = self._path(name, self.root)
        if path is None:
            return None
        # Loading pyelftools costs time that only scripts need to pay which name such a binary.
        from compiler.types.binary.binary import Binary
        from compiler.types.binary.debug_files import Search
        from compiler.types.binary.elf import Elf

        search = Search(self.debug_folders, self.root)
        if name in self.named:
            return Binary(name, Elf(path), search, is_required=True)
        try:
            return Binary(name, Elf(path), search, is_required=False)
        except BinaryError:
            return None  # the target will say what is wrong with it

    def _path(self, name: str, root: Path) -> Path | None:
        if "/" in name:
            path = _inside(root, name) if name.startswith("/") else Path(os.path.abspath(name))
            return path if os.path.isfile(path) else None
        places = [f"{folder}/{name}" for folder in _FOLDERS]
        if name.startswith("lib"):
            places[:0] = _libraries(root, name)
        found = (_inside(root, place) for place in places)
        return next((path for path in found if os.path.isfile(path)), None)


def _inside(root: Path, path: str) -> Path:
    """The file of an absolute path on the target, whose symbolic links lead through the target's file system too."""
    at, rest = root, [part for part in reversed(path.split("/")) if part]
    links = 0
    while rest:
        part = rest.pop()
        if part in (".", ".."):
            at = at.parent if part == ".." and at != root else at
            continue
        if os.path.islink(at / part) and links < _MAX_LINKS:
            links += 1
            target = os.readlink(at / part)
            at = root if target.startswith("/") else at
            rest += [piece for piece in reversed(target.split("/")) if piece]
        else:
            at = at / part
    return at


def _libraries(root: Path, name: str) -> Iterator[str]:
    """Paths of a library by its name, with or without its version: "libc" is "libc.so" and "libc.so.6"."""
    try:
        data = _inside(root, _CACHE).read_bytes()
    except OSError:
        return
    data = data[max(data.find(_CACHE_MAGIC), 0) :]  # caches of old systems have an older format before it
    if len(data) < _CACHE_HEADER.size:
        return
    magic, count, _ = _CACHE_HEADER.unpack_from(data)
    end = _CACHE_HEADER.size + count * _CACHE_ENTRY.size
    if magic != _CACHE_MAGIC or end > len(data):
        return
    for flags, own, path in _CACHE_ENTRY.iter_unpack(data[_CACHE_HEADER.size : end]):
        file = _text(data, own)
        if flags in _LIBRARY_FLAGS and (file == name or file.startswith(f"{name}.so")):
            yield _text(data, path)


def _text(data: bytes, at: int) -> str:
    return data[at : max(data.find(b"\0", at), at)].decode(errors="surrogateescape")
