"""Writes the tracer object: the host's ELF object that carries the payload to the linker, and from there to the shim.

Layout of the payload: see proto/required_resources.proto.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from proto import required_resources_pb2 as pb

FORMAT_VERSION = 1
MAGIC = b"BPFTRACE"
SECTION = ".bpftrace"
SYMBOL = "bpftrace_payload"
END_SYMBOL = "bpftrace_payload_end"

EM_X86_64 = 62
EM_AARCH64 = 183
_MACHINES = {pb.Architecture.X86_64: EM_X86_64, pb.Architecture.ARM64: EM_AARCH64}

_SHT_PROGBITS, _SHT_SYMTAB, _SHT_STRTAB = 1, 2, 3
_SHF_ALLOC = 2
_STT_OBJECT = 1
_STB_GLOBAL = 1
_ELF_HEADER_SIZE, _SECTION_HEADER_SIZE, _SYMBOL_SIZE = 64, 64, 24


def payload(resources: pb.RequiredResources) -> bytes:
    """The header and the message, as they lie in the tracer."""
    message = resources.SerializeToString(deterministic=True)
    header = struct.pack("<8sIIII", MAGIC, resources.format_version, len(message), zlib.crc32(message), 0)
    return header + message


def tracer_object(resources: pb.RequiredResources, features: Iterable[str]) -> bytes:
    """A relocatable object for `resources.arch` that defines the payload and refers to the `features` of the shim."""
    data = payload(resources)
    strings, string_at = _string_table([SYMBOL, END_SYMBOL, *sorted(features)])
    home = 1  # index of the payload's section

    def symbol(name: str, kind: int, section: int, value: int, size: int) -> bytes:
        return struct.pack("<IBBHQQ", string_at[name], _STB_GLOBAL << 4 | kind, 0, section, value, size)

    symbols = bytes(_SYMBOL_SIZE)
    symbols += symbol(SYMBOL, _STT_OBJECT, home, 0, len(data))
    # The end is a symbol of the section, not an absolute one, which a position-independent link refuses.
    symbols += symbol(END_SYMBOL, 0, home, len(data), 0)
    for feature in sorted(features):
        symbols += symbol(feature, 0, 0, 0, 0)

    return _elf_object(
        _MACHINES[resources.arch],
        [
            _Section(SECTION, data, _SHT_PROGBITS, flags=_SHF_ALLOC, alignment=16),
            _Section(".note.GNU-stack", b"", _SHT_PROGBITS),  # without it the linker assumes an executable stack
            _Section(".symtab", symbols, _SHT_SYMTAB, link=4, info=1, alignment=8, entry_size=_SYMBOL_SIZE),
            _Section(".strtab", strings, _SHT_STRTAB),
        ],
    )


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    data: bytes
    kind: int
    flags: int = 0
    link: int = 0
    info: int = 0
    alignment: int = 1
    entry_size: int = 0


def _elf_object(machine: int, contents: list[_Section]) -> bytes:
    names = [section.name for section in contents] + [".shstrtab"]
    strings, string_at = _string_table(names)
    sections = [*contents, _Section(".shstrtab", strings, _SHT_STRTAB)]
    out = bytearray(_ELF_HEADER_SIZE)
    headers = bytearray(_SECTION_HEADER_SIZE)
    for section in sections:
        out += bytes(-len(out) % section.alignment)
        headers += struct.pack(
            "<IIQQQQIIQQ",
            string_at[section.name],
            section.kind,
            section.flags,
            0,
            len(out),
            len(section.data),
            section.link,
            section.info,
            section.alignment,
            section.entry_size,
        )
        out += section.data
    out += bytes(-len(out) % 8)
    count = len(sections) + 1
    identification = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little-endian, version 1
    fixed = (1, machine, 1, 0, 0, len(out), 0, _ELF_HEADER_SIZE, 0, 0, _SECTION_HEADER_SIZE, count, count - 1)
    out[:_ELF_HEADER_SIZE] = identification + struct.pack("<HHIQQQIHHHHHH", *fixed)
    return bytes(out + headers)


def _string_table(names: list[str]) -> tuple[bytes, dict[str, int]]:
    table, at = b"\0", {}
    for name in names:
        at[name] = len(table)
        table += name.encode() + b"\0"
    return table, at
