"""Kernel images: what is found in them, however they are packed."""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path

import pytest

from compiler.types.errors import SnapshotError
from kernels import image

BTF = b"the types"
BANNER = b"Linux version 7.2.1-test (who@where) #1\0"


def vmlinux(section: bytes = b".BTF") -> bytes:
    """An ELF file with a section of types and the kernel's banner."""
    names = b"\0" + section + b"\0.shstrtab\0"
    contents = BTF + BANNER + names
    start = 64
    sections = [
        (0, 0, 0, 0),
        (1, 1, start, len(BTF)),
        (2 + len(section), 3, start + len(BTF) + len(BANNER), len(names)),
    ]
    headers = b"".join(
        struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, size, 0, 0, 1, 0) for name, kind, at, size in sections
    )
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    table = start + len(contents)
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, len(sections), 2)
    return ident + header + contents + headers


def boot_image(payload: bytes, version: int = 0x20F) -> bytes:
    """An x86 image with one sector of setup code, and some code before the payload."""
    setup = bytearray(1024)
    setup[0x1F1] = 1
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, version)
    struct.pack_into("<II", setup, 0x248, 16, len(payload))
    return bytes(setup) + bytes(16) + payload + b"trailing"


LENGTH = struct.pack("<I", len(vmlinux()))
PACKED = {
    "plain": vmlinux(),
    "gzip": boot_image(gzip.compress(vmlinux())),
    "xz": boot_image(lzma.compress(vmlinux()) + LENGTH),
}


@pytest.mark.parametrize("form", PACKED)
def test_image(form: str) -> None:
    assert image.read(PACKED[form]) == image.Image("7.2.1-test", BTF)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "neither a vmlinux nor an x86 kernel image"),
        (bytes(4096), "neither a vmlinux nor an x86 kernel image"),
        (boot_image(b"", 0x207), "too old to have BTF"),
        (boot_image(b"\x04\x22\x4d\x18lz4"), "packed in an unknown way (it begins with 04224d18)"),
        (boot_image(b"\x1f\x8bnot gzip"), "cannot be unpacked"),
        (boot_image(lzma.compress(vmlinux())[:40] + LENGTH), "cannot be unpacked"),
        (boot_image(gzip.compress(b"not ELF")), "is no ELF file"),
        (vmlinux(b".dat"), "the kernel has no BTF"),
        (vmlinux().replace(b"Linux version", b"Other version"), "does not say its release"),
    ],
)
def test_unusable_image(data: bytes, message: str) -> None:
    with pytest.raises(SnapshotError) as raised:
        image.read(data)
    assert message in str(raised.value)


def test_image_of_a_distribution_is_read_whole(tmp_path: Path) -> None:
    """What stands behind the payload in the file does not matter."""
    path = tmp_path / "vmlinuz"
    path.write_bytes(PACKED["xz"] + bytes(4096))
    assert image.read(path.read_bytes()).btf == BTF
