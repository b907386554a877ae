"""The few bpf(2) calls that the benchmark needs: maps, BTF, programs, and what the kernel says of a program.

x86_64 only: the number of the system call is written here. Layouts: union bpf_attr of linux/bpf.h.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

_SYS_BPF = 321
_MAP_CREATE, _PROG_LOAD, _GET_INFO, _BTF_LOAD = 0, 5, 15, 18
_LOG_SIZE = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel does not take it; the message is the verifier's, if it has one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Instructions: of the bytecode, of what the verifier made of it, and how many the verifier walked through."""

    bytecode: int
    translated: int
    processed: int


def _bpf(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result: int = _libc.syscall(_SYS_BPF, command, buffer, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def create_map(kind: int, key_size: int, value_size: int, entries: int, flags: int) -> int:
    return _bpf(_MAP_CREATE, struct.pack("<5I", kind, key_size, value_size, entries, flags).ljust(72, b"\0"))


def load_btf(data: bytes) -> int:
    buffer = ctypes.create_string_buffer(data, len(data))
    return _bpf(_BTF_LOAD, struct.pack("<QQIIII", ctypes.addressof(buffer), 0, len(data), 0, 0, 0))


def load_program(kind: int, instructions: bytes, btf: int, functions: list[tuple[int, int]]) -> Cost:
    """Loads a program and unloads it again; `functions` has first instruction and BTF type of each."""
    code = ctypes.create_string_buffer(instructions, len(instructions))
    licence = ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(_LOG_SIZE)
    info = b"".join(struct.pack("<II", *function) for function in functions)
    info_buffer = ctypes.create_string_buffer(info, len(info))
    attributes = struct.pack("<IIQQ", kind, len(instructions) // 8, ctypes.addressof(code), ctypes.addressof(licence))
    attributes += struct.pack("<IIQII16sII", 1, _LOG_SIZE, ctypes.addressof(log), 0, 0, b"bench", 0, 0)
    attributes += struct.pack("<IIQI", btf, 8, ctypes.addressof(info_buffer), len(functions))
    try:
        program = _bpf(_PROG_LOAD, attributes.ljust(120, b"\0"))
    except OSError as error:
        raise Refused(f"{error.strerror}\n{log.value.decode(errors='replace')[-2000:]}") from None
    processed = int(log.value.decode(errors="replace").rpartition("processed ")[2].split(" ")[0])
    # struct bpf_prog_info: the length of the translated program is 20 bytes in.
    answer = ctypes.create_string_buffer(256)
    _bpf(_GET_INFO, struct.pack("<IIQ", program, len(answer), ctypes.addressof(answer)))
    os.close(program)
    (translated,) = struct.unpack_from("<I", answer, 20)
    return Cost(len(instructions) // 8, translated // 8, processed)
