"""What the image of a kernel tells without being booted: its release and its types.

An image is a `vmlinux` or an x86 `bzImage` (a distribution's `vmlinuz`), whose header says where the compressed vmlinux
is: Documentation/arch/x86/boot.rst in the kernel's sources. Tracepoints and symbols are not in it in a form that this
file could read.
"""

from __future__ import annotations

import importlib
import io
import lzma
import re
import struct
import subprocess
import zlib
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from compiler.types.errors import SnapshotError

_SETUP_SECTORS = 0x1F1
_MAGIC = 0x202
_VERSION = 0x206
_PAYLOAD = 0x248  # offset from the end of the setup code, and length
_LEAST_VERSION = 0x208  # of the boot protocol that knows the payload
_RELEASE = re.compile(rb"Linux version (\S+) ")


@dataclass(frozen=True, slots=True)
class Image:
    release: str
    btf: bytes


def read(data: bytes) -> Image:
    """Reads an image; SnapshotError if it is none, is packed in a way that is not known, or has no BTF."""
    vmlinux = data if data.startswith(b"\x7fELF") else _unpack(_payload(data))
    try:
        section = ELFFile(io.BytesIO(vmlinux)).get_section_by_name(".BTF")
        btf = section.data() if section else b""
    except ELFError as error:
        raise SnapshotError(f"the kernel in the image is no ELF file: {error}") from error
    if not btf:
        raise SnapshotError("the kernel has no BTF: it was built without CONFIG_DEBUG_INFO_BTF")
    release = _RELEASE.search(vmlinux)
    if not release:
        raise SnapshotError("the kernel does not say its release")
    return Image(release[1].decode(), btf)


def _payload(data: bytes) -> bytes:
    if len(data) < _PAYLOAD + 8 or data[_MAGIC : _MAGIC + 4] != b"HdrS":
        raise SnapshotError("neither a vmlinux nor an x86 kernel image")
    if struct.unpack_from("<H", data, _VERSION)[0] < _LEAST_VERSION:
        raise SnapshotError("an image of a kernel that is too old to have BTF")
    offset, length = struct.unpack_from("<II", data, _PAYLOAD)
    start = ((data[_SETUP_SECTORS] or 4) + 1) * 512 + offset
    return data[start : start + length]


def _unpack(payload: bytes) -> bytes:
    try:
        if payload.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(payload)
        # The length of the unpacked kernel follows what the compressor wrote.
        if payload.startswith(b"\xfd7zXZ\0"):
            return lzma.decompress(payload[:-4])
        if payload.startswith(b"\x28\xb5\x2f\xfd"):
            return _unpack_zstd(payload[:-4])
    except (lzma.LZMAError, zlib.error) as error:
        raise SnapshotError(f"the kernel in the image cannot be unpacked: {error}") from error
    raise SnapshotError(f"the kernel in the image is packed in an unknown way (it begins with {payload[:4].hex()})")


def _unpack_zstd(packed: bytes) -> bytes:
    """With Python's own module, which it has from 3.14 on, or with the program."""
    try:
        zstd = importlib.import_module("compression.zstd")
    except ImportError:
        try:
            command = ["zstd", "--decompress", "--stdout", "--quiet", "--long=31"]
            return subprocess.run(command, input=packed, stdout=subprocess.PIPE, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise SnapshotError(
                f"the kernel in the image is packed with zstd, which this Python lacks: {error}"
            ) from error
    try:
        options = {zstd.DecompressionParameter.window_log_max: 31}
        unpacked: bytes = zstd.decompress(packed, options=options)
    except zstd.ZstdError as error:
        raise SnapshotError(f"the kernel in the image cannot be unpacked: {error}") from error
    return unpacked
