"""The tracer object, read back with pyelftools."""

import io
import struct
import zlib

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from compiler.object.features import features
from compiler.object.tracer import payload, tracer_object
from proto import required_resources_pb2 as pb


def resources(arch: pb.Architecture) -> pb.RequiredResources:
    message = pb.RequiredResources(format_version=1, arch=arch)
    message.script.name = "x.bt"
    return message


@pytest.mark.parametrize(("arch", "machine"), [(pb.X86_64, "EM_X86_64"), (pb.ARM64, "EM_AARCH64")])
def test_object(arch: pb.Architecture, machine: str) -> None:
    message = resources(arch)
    elf = ELFFile(io.BytesIO(tracer_object(message, ["shim_b", "shim_a"])))
    assert (elf["e_type"], elf["e_machine"], elf.elfclass, elf.little_endian) == ("ET_REL", machine, 64, True)
    section, table = elf.get_section_by_name(".bpftrace"), elf.get_section_by_name(".symtab")
    assert section is not None
    assert isinstance(table, SymbolTableSection)
    data = section.data()
    assert data == payload(message)
    assert section["sh_flags"] == 2  # SHF_ALLOC: read-only
    assert section["sh_addralign"] == 16
    symbols = {symbol.name: symbol for symbol in table.iter_symbols()}
    index = elf.get_section_index(".bpftrace")
    for name, value in (("bpftrace_payload", 0), ("bpftrace_payload_end", len(data))):
        symbol = symbols[name]
        assert (symbol["st_shndx"], symbol["st_value"], symbol["st_info"]["bind"]) == (index, value, "STB_GLOBAL")
    undefined = [name for name, symbol in symbols.items() if name and symbol["st_shndx"] == "SHN_UNDEF"]
    assert undefined == ["shim_a", "shim_b"]
    assert elf.get_section_by_name(".note.GNU-stack") is not None


def test_payload() -> None:
    message = resources(pb.X86_64)
    data = payload(message)
    magic, version, size, checksum, zero = struct.unpack_from("<8sIIII", data)
    assert (magic, version, zero) == (b"BPFTRACE", 1, 0)
    body = data[24:]
    assert (size, checksum) == (len(body), zlib.crc32(body))
    assert pb.RequiredResources.FromString(body) == message


def test_same_message_same_bytes() -> None:
    assert tracer_object(resources(pb.X86_64), ["b", "a"]) == tracer_object(resources(pb.X86_64), ["a", "b"])


def test_features_follow_the_message() -> None:
    message = resources(pb.X86_64)
    message.probes.add().kprobe.function = "f"
    message.probes.add().special.kind = pb.Special.BEGIN
    message.constants.add().map.map = 0
    message.actions.add().exit.SetInParent()
    message.types.add(kind=pb.Type.INTEGER)
    message.types.add(kind=pb.Type.KSYM)
    message.types.add(kind=pb.Type.HIST)
    message.maps.add(role=pb.Map.RING_BUFFER)
    expected = [
        "shim_action_exit", "shim_attach_kprobe", "shim_attach_special", "shim_constant_map", "shim_print_hist",
        "shim_print_ksym",
    ]  # fmt: skip
    assert features(message) == expected
    message.maps.add(role=pb.Map.USER)
    assert features(message) == expected
    message.config.print_maps_on_exit = True
    assert features(message) == sorted([*expected, "shim_print_map"])


@pytest.mark.parametrize(
    ("type_", "is_named"),
    [
        (pb.Type(kind=pb.Type.USYM), True),
        (pb.Type(kind=pb.Type.USTACK, stack_mode=pb.Type.BPFTRACE), True),
        (pb.Type(kind=pb.Type.USTACK, stack_mode=pb.Type.PERF), True),
        (pb.Type(kind=pb.Type.USTACK, stack_mode=pb.Type.RAW), False),
        (pb.Type(kind=pb.Type.USTACK, stack_mode=pb.Type.BUILD_ID), False),
        (pb.Type(kind=pb.Type.KSTACK), False),
    ],
)
def test_features_for_user_symbols(type_: pb.Type, is_named: bool) -> None:
    message = resources(pb.X86_64)
    message.types.append(type_)
    assert "shim_demangle" not in features(message)
    message.config.cpp_demangle = True
    needed = features(message)
    assert ("shim_demangle" in needed) == is_named
    assert ("shim_mappings_open" in needed) == is_named
    is_stack_of_names = is_named and type_.kind == pb.Type.USTACK
    assert ("shim_print_ustack_names" in needed) == is_stack_of_names
    assert "shim_source_lines" not in needed
    message.config.show_debug_info = True
    assert ("shim_source_lines" in features(message)) == is_stack_of_names


def test_features_for_archives() -> None:
    message = resources(pb.X86_64)
    message.probes.add().uprobe.path = "/bin/sh"
    late = message.probes.add().late
    late.probe_type = "kprobe"
    assert "shim_zip_find" not in features(message)
    for name in ("usdt", "uretprobe", ""):
        late.probe_type = name
        assert "shim_zip_find" in features(message)
    late.probe_type = "profile"
    message.probes[0].uprobe.path = "/app.apk!/lib/x.so"
    assert "shim_zip_find" in features(message)
