"""How binaries are found by the names that scripts have for them."""

from __future__ import annotations

import struct
from pathlib import Path

from compiler.types.binary.binaries import Binaries


def target(folder: Path, root: Path) -> Path:
    """A file system with a program, a link to it and a library."""
    data = (folder / "bare.so").read_bytes()
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/lib").mkdir()
    (root / "etc").mkdir()
    (root / "usr/bin/tool").write_bytes(data)
    (root / "bin").symlink_to("/usr/bin")
    (root / "usr/lib/libthing.so.2").write_bytes(data)
    texts = b"libthing.so.2\0/usr/lib/libthing.so.2\0libthin.so\0/usr/lib/absent\0"
    start = 48 + 2 * 24
    entries = b"".join(
        struct.pack("<i2I12x", 0x0303, start + texts.index(name), start + texts.index(path))
        for name, path in ((b"libthin.so", b"/usr/lib/absent"), (b"libthing.so.2", b"/usr/lib/libthing"))
    )
    header = struct.pack("<20s2I20x", b"glibc-ld.so.cache1.1", 2, len(texts))
    (root / "etc/ld.so.cache").write_bytes(header + entries + texts)
    return root


def test_names(folder: Path, tmp_path: Path) -> None:
    binaries = Binaries(root=target(folder, tmp_path))

    def path(name: str) -> str | None:
        found = binaries.find(name)
        return None if found is None else str(found.elf.path.relative_to(tmp_path))

    assert path("/usr/bin/tool") == "usr/bin/tool"
    assert path("/bin/tool") == "usr/bin/tool"
    assert path("tool") == "usr/bin/tool"
    assert path("libthing") == "usr/lib/libthing.so.2"
    assert path("libthing.so.2") == "usr/lib/libthing.so.2"
    assert path("libthin") is None
    assert path("/bin/absent") is None


def test_only_what_is_named_without_a_root(folder: Path) -> None:
    binaries = Binaries({"/usr/bin/tool": folder / "whole.so"})
    found = binaries.find("/usr/bin/tool")
    assert found is not None and found.is_required and found.matters
    assert binaries.find(str(folder / "whole.so")) is None
    assert binaries.find("/bin/sh") is None
