"""Builds the RequiredResources message: tables while code is generated, programs when LLVM is done."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from compiler.analysis.program import (
    TARGET_NAME_SIZE,
    USDT_ARGUMENTS,
    AnalyzedProgram,
    BpfProgram,
    MapSymbol,
    ParameterKind,
)
from compiler.interop.module import CMap
from compiler.object import actions, probes
from compiler.object.constants import Constants
from compiler.object.core import CoreTypes
from compiler.object.flatten import INSTRUCTION_SIZE, FlatProgram
from compiler.object.sections import ObjectError, Section
from compiler.object.tables import Tables, stored_size
from compiler.object.tracer import FORMAT_VERSION
from compiler.syntax.source import encode
from compiler.types import lattice
from compiler.types.lattice import Type
from proto import required_resources_pb2 as pb

_BPF_MAP_TYPE_ARRAY = 2
_BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4
_BPF_MAP_TYPE_PERCPU_ARRAY = 6
_BPF_MAP_TYPE_ARRAY_OF_MAPS = 12
_BPF_MAP_TYPE_HASH_OF_MAPS = 13
_BPF_MAP_TYPE_RINGBUF = 27
_BPF_F_RDONLY_PROG = 1 << 7

PAGE_SIZE = 4096
SMALLEST_RING_BUFFER = 64 * 1024
LARGEST_RING_BUFFER = 4 * 1024 * 1024
EVENTS_IN_RING_BUFFER = 128
PACKET_RINGS_SIZE = 16 * 1024 * 1024

# The kernel's PCPU_MIN_UNIT_SIZE: the largest value of a per-CPU map.
LARGEST_PERCPU_VALUE = 32 * 1024

ARRAY_KEY = lattice.UINT32

_ARCHITECTURES = {"x86_64": pb.Architecture.X86_64, "arm64": pb.Architecture.ARM64}


_MISSING_PROBES = {
    "error": pb.MISSING_PROBES_ERROR,
    "warn": pb.MISSING_PROBES_WARN,
    "ignore": pb.MISSING_PROBES_IGNORE,
}
_SYMBOL_CACHES = {
    "none": pb.SYMBOL_CACHE_NONE,
    "per_pid": pb.SYMBOL_CACHE_PER_PID,
    "per_program": pb.SYMBOL_CACHE_PER_PROGRAM,
}


_PARAMETER_KINDS = {
    ParameterKind.INTEGER: pb.Parameter.INTEGER,
    ParameterKind.STRING: pb.Parameter.STRING,
    ParameterKind.BOOL: pb.Parameter.BOOL,
    ParameterKind.WORD: pb.Parameter.WORD,
}
_LAST_POSITION = (1 << 32) - 1  # of a positional parameter: no command line has as many words
_USDT_RECORD_SIZE = 16


_UNWIND_PROCESSES = 64
_UNWIND_FILES = 1024
_UNWIND_MAPS = (
    ("processes", pb.Map.UNWIND_PROCESSES, _BPF_MAP_TYPE_HASH_OF_MAPS, _UNWIND_PROCESSES, 32),
    ("rows", pb.Map.UNWIND_ROWS, _BPF_MAP_TYPE_ARRAY_OF_MAPS, _UNWIND_FILES, 8),
    ("rules", pb.Map.UNWIND_RULES, _BPF_MAP_TYPE_ARRAY_OF_MAPS, _UNWIND_FILES, 88),
)
"""Name, role, type, number of arrays, bytes of their values."""


class CapacityError(Exception):
    """A value does not fit where it has to go; the message names sizes."""


@dataclass(slots=True)
class ScratchMap:
    """A per-CPU array of one entry: `used` bytes are taken."""

    index: int
    symbol: str
    used: int = 0


@dataclass(frozen=True, slots=True)
class UnwindMaps:
    """The symbols of the maps that dw_ustack needs; `memory` is working memory, an entry for each program."""

    processes: str
    rows: str
    rules: str
    memory: str


class ResourcesBuilder:
    """What code generation registers (constants, scratch memory), and the message that comes of it."""

    def __init__(self, program: AnalyzedProgram, compiler_version: str) -> None:
        self.program = program
        self.message = message = pb.RequiredResources(
            format_version=FORMAT_VERSION, compiler_version=compiler_version, arch=_ARCHITECTURES[program.arch.name]
        )
        self.tables = Tables(message)
        self.core = CoreTypes()
        self.constants = Constants(self.tables, self.core)
        self._map_index: dict[str, int] = {}
        self._scratch: list[ScratchMap] = []
        self._target_names = ""
        self._usdt_arguments = ""
        self._running: tuple[ScratchMap, int] | None = None
        self._target_places = ""
        self._packets = ""
        self._unwind_maps: UnwindMaps | None = None
        self._unwind_slots: dict[str, int] = {}
        self._unwind_memory = 0
        self._c_maps: dict[tuple[str, CMap], str] = {}
        self._cookie_users: set[str] = set()
        for symbol in sorted(program.maps, key=lambda symbol: symbol.name):
            self._add_user_map(symbol)
        self.ring_buffer = self._internal_map("ringbuf", pb.Map.RING_BUFFER, _BPF_MAP_TYPE_RINGBUF, 0, 0)
        self.event_loss = self._internal_map("event_loss", pb.Map.EVENT_LOSS, _BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8)
        self._parameter_symbols: dict[int, str] = {}
        self._describe_parameters()

    # ------------------------------------------------------------------------------------- while code is generated

    def map_symbol(self, name: str) -> str:
        """The symbol of one of the script's maps, `@x`."""
        return self.constants.map(self._map_index[name], name)

    def parameter_text(self, index: int) -> str:
        """The symbol of the bytes of a STRING parameter."""
        return self._parameter_symbols[index]

    def running_mark(self) -> tuple[ScratchMap, int]:
        """Working memory of this CPU, one u64 for all programs: whether one of them runs."""
        if self._running is None:
            self._running = self.scratch(8)
        return self._running

    def scratch(self, size: int, alignment: int = 8) -> tuple[ScratchMap, int]:
        """Takes working memory of this CPU; returns its map and offset. Raises CapacityError."""
        if size > LARGEST_PERCPU_VALUE:
            raise CapacityError(
                f"a value of {size} bytes is larger than the working memory of a program, {LARGEST_PERCPU_VALUE} bytes"
            )
        current = self._scratch[-1] if self._scratch else None
        offset = current.used + -current.used % alignment if current else 0
        if current is None or offset + size > LARGEST_PERCPU_VALUE:
            name = f"scratch{len(self._scratch)}"
            index = len(self.message.maps)
            symbol = self._internal_map(name, pb.Map.SCRATCH, _BPF_MAP_TYPE_PERCPU_ARRAY, 4, 0)
            current = ScratchMap(index, symbol)
            self._scratch.append(current)
            offset = 0
        current.used = offset + size
        self.message.maps[current.index].value_size = current.used + -current.used % 8
        return current, offset

    def target_names(self, program: BpfProgram) -> str:
        """The symbol of the map with the names of all targets; the program is attached with cookies."""
        self._cookie_users.add(program.name)
        if not self._target_names:
            size = 2 * TARGET_NAME_SIZE
            self._target_names = self._internal_map("target_names", pb.Map.TARGET_NAMES, _BPF_MAP_TYPE_ARRAY, 4, size)
        return self._target_names

    def c_map(self, source: str, map_: CMap) -> str:
        """The symbol of a map that a C source defines: working memory like ours. One that is not static belongs to
        every source which defines it so.
        """
        key = (source if map_.is_static else "", map_)
        if key not in self._c_maps:
            index = len(self.message.maps)
            self.message.maps.add(
                role=pb.Map.SCRATCH,
                name=map_.name,
                bpf_type=map_.bpf_type,
                key_size=map_.key_size,
                value_size=map_.value_size,
                max_entries=map_.max_entries,
                flags=map_.flags,
            )
            self._c_maps[key] = self.constants.map(index, f"{map_.name}.{index}")
        return self._c_maps[key]

    def usdt_arguments(self, program: BpfProgram) -> str:
        """The symbol of the map that says where the arguments of each USDT probe are."""
        self._cookie_users.add(program.name)
        if not self._usdt_arguments:
            size = USDT_ARGUMENTS * _USDT_RECORD_SIZE
            self._usdt_arguments = self._internal_map(
                "usdt_arguments", pb.Map.USDT_ARGUMENTS, _BPF_MAP_TYPE_ARRAY, 4, size
            )
        return self._usdt_arguments

    def target_places(self, program: BpfProgram) -> str:
        """The symbol of the map that says where in their files the targets are."""
        self._cookie_users.add(program.name)
        if not self._target_places:
            self._target_places = self._internal_map("target_places", pb.Map.TARGET_PLACES, _BPF_MAP_TYPE_ARRAY, 4, 8)
        return self._target_places

    def packets(self) -> str:
        """The symbol of the perf event array that packets go through."""
        if not self._packets:
            index = len(self.message.maps)
            self._packets = self._internal_map("packets", pb.Map.PACKETS, _BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4)
            pages: int = self.program.config.perf_rb_pages
            self.message.maps[index].max_entries = pages * PAGE_SIZE or PACKET_RINGS_SIZE
        return self._packets

    def unwinding(self, program: BpfProgram, memory_size: int) -> tuple[UnwindMaps, int]:
        """The maps for dw_ustack, and which entry of the working memory is the program's."""
        if self._unwind_maps is None:
            self._unwind_memory = len(self.message.maps)
            memory = self._internal_map("unwind_memory", pb.Map.SCRATCH, _BPF_MAP_TYPE_PERCPU_ARRAY, 4, memory_size)
            processes, rows, rules = (
                self._map_of_arrays(f"unwind_{name}", role, bpf_type, entries, size)
                for name, role, bpf_type, entries, size in _UNWIND_MAPS
            )
            self._unwind_maps = UnwindMaps(processes, rows, rules, memory)
        slot = self._unwind_slots.setdefault(program.name, len(self._unwind_slots))
        self.message.maps[self._unwind_memory].max_entries = len(self._unwind_slots)
        return self._unwind_maps, slot

    def _map_of_arrays(self, name: str, role: pb.Map.Role, bpf_type: int, entries: int, value_size: int) -> str:
        index = len(self.message.maps)
        symbol = self._internal_map(name, role, bpf_type, 4, 4)
        self.message.maps[index].max_entries = entries
        self.message.maps[index].inner_value_size = value_size
        return symbol

    # --------------------------------------------------------------------------------------------- when LLVM is done

    def finish(self, programs: Mapping[str, FlatProgram], sections: Mapping[str, Section]) -> pb.RequiredResources:
        """Completes the message with the programs and the sections of data that they refer to."""
        message, program = self.message, self.program
        message.script.name = program.source.name.rpartition("/")[2]
        message.script.sha256 = hashlib.sha256(encode(program.source.text)).digest()
        self._describe_config()
        for action in program.actions:
            message.actions.append(actions.describe(action, self.tables, self._map_index))
        message.time_formats.extend(program.time_formats)
        message.cgroup_filters.extend(program.cgroup_filters)
        for requirement in program.requirements:
            major, minor = requirement.least_kernel
            message.requirements.add(
                feature=requirement.feature,
                least_kernel=major << 16 | minor << 8,
                span=self.tables.span(requirement.span),
            )
        self._add_programs(programs, self._data_symbols(sections, programs))
        message.btf = self.core.finish()
        self._store_local_values()
        message.maps[0 + len(self._map_index)].max_entries = self._ring_buffer_size()
        return message

    # ------------------------------------------------------------------------------------------------------- parts

    def _internal_map(self, name: str, role: pb.Map.Role, bpf_type: int, key_size: int, value_size: int) -> str:
        index = len(self.message.maps)
        self.message.maps.add(
            role=role, name=name, bpf_type=bpf_type, key_size=key_size, value_size=value_size, max_entries=1
        )
        return self.constants.map(index, name)

    def _add_user_map(self, symbol: MapSymbol) -> None:
        self._map_index[symbol.name] = len(self.message.maps)
        self.message.maps.add(
            role=pb.Map.USER,
            name=symbol.name,
            bpf_type=symbol.map_type,
            key_size=key_size(symbol),
            value_size=stored_size(symbol.value_type),
            max_entries=symbol.max_entries,
            key_type=0 if symbol.key_type is None else self.tables.type(key_type(symbol)),
            value_type=self.tables.type(symbol.value_type),
            span=self.tables.span(symbol.span),
        )

    def _describe_parameters(self) -> None:
        texts = [parameter for parameter in self.program.parameters if parameter.kind is ParameterKind.STRING]
        text_map, initial = len(self.message.maps), bytearray()
        for index, parameter in enumerate(self.program.parameters):
            entry = self.message.parameters.add(
                position=min(parameter.position, _LAST_POSITION),
                name=parameter.name,
                kind=_PARAMETER_KINDS[parameter.kind],
                default_integer=parameter.default_integer,
                default_string=encode(parameter.default_string),
                description=parameter.description,
                span=self.tables.span(parameter.span),
            )
            if parameter.kind is ParameterKind.STRING:
                entry.map, entry.offset, entry.size = text_map, len(initial), parameter.size
                self._parameter_symbols[index] = self.constants.map_value(text_map, "parameters", len(initial))
                text = encode(parameter.default_string)[: parameter.size - 1]
                initial += text.ljust(parameter.size + -parameter.size % 8, b"\0")
        if texts:
            self._add_data("parameters", bytes(initial))

    def _add_data(self, name: str, data: bytes, *, writable: bool = False) -> int:
        index = len(self.message.maps)
        self.message.maps.add(
            role=pb.Map.GLOBAL_DATA,
            name=name,
            bpf_type=_BPF_MAP_TYPE_ARRAY,
            key_size=4,
            value_size=len(data),
            max_entries=1,
            flags=0 if writable else _BPF_F_RDONLY_PROG,
            initial_value=data,
            frozen=not writable,
        )
        return index

    def _describe_config(self) -> None:
        config, source = self.message.config, self.program.config
        config.print_maps_on_exit = source.print_maps_on_exit
        config.str_trunc_trailer = source.str_trunc_trailer
        config.max_cat_bytes = source.max_cat_bytes
        config.max_probes = source.max_probes
        config.missing_probes = _MISSING_PROBES[source.missing_probes]
        config.cpp_demangle = source.cpp_demangle
        config.lazy_symbolication = source.lazy_symbolication
        config.cache_user_symbols = _SYMBOL_CACHES[source.cache_user_symbols]
        config.license = source.license
        config.log_size = source.log_size
        config.show_debug_info = source.show_debug_info
        config.any_build = self.program.any_build

    def _data_symbols(self, sections: Mapping[str, Section], programs: Mapping[str, FlatProgram]) -> dict[str, int]:
        """Makes a map of each section of data that is used; returns the maps by section."""
        used = {use.symbol for program in programs.values() for use in program.uses} & set(sections)
        for name in used:
            if sections[name].references:
                raise ObjectError(f"data in {name} has addresses in it")
        return {
            name: self._add_data(name.strip("."), _padded(sections[name].data), writable=not _is_read_only(name))
            for name in sorted(used)
        }

    def _add_programs(self, programs: Mapping[str, FlatProgram], data: Mapping[str, int]) -> None:
        indexes: dict[str, int] = {}
        words = {
            parameter.position: number
            for number, parameter in enumerate(self.program.parameters)
            if parameter.kind is ParameterKind.WORD
        }
        for index, source in enumerate(self.program.programs):
            flat = programs[source.name]
            type_ = source.probe_type
            entry = self.message.programs.add(
                name=source.name,
                bpf_type=type_.program_type,
                expected_attach_type=type_.attach_type,
                instructions=flat.instructions,
                span=self.tables.span(source.probe.span),
                uses_cookie=source.name in self._cookie_users,
            )
            for use in flat.uses:
                symbol = use.symbol
                if symbol in data:
                    symbol = self.constants.map_value(data[symbol], symbol.strip("."), use.addend)
                if symbol not in indexes:
                    indexes[symbol] = len(self.message.constants)
                    self.message.constants.append(self.constants.by_symbol[symbol])
                entry.relocations.add(instruction=use.instruction, constant=indexes[symbol])
            # The kernel ignores CO-RE records of a program without func_info, silently.
            for function in flat.functions:
                type_id = self.core.function(function.name, function.arguments)
                entry.functions.add(instruction=function.start, btf_type=type_id)
            for point in source.attach_points:
                self.message.probes.append(probes.describe(point, index, self.tables, words))
        # CO-RE constants are completed last; the message holds copies of them.
        self._core_constants = [
            (self.message.constants[index], self.constants.by_symbol[symbol])
            for symbol, index in indexes.items()
            if self.constants.by_symbol[symbol].HasField("core")
        ]

    def _store_local_values(self) -> None:
        """Completes the CO-RE constants, and puts into each instruction the value that the kernel expects there."""
        for entry, constant in self._core_constants:
            entry.core.CopyFrom(constant.core)
        for program in self.message.programs:
            instructions = bytearray(program.instructions)
            for relocation in program.relocations:
                constant = self.message.constants[relocation.constant]
                if constant.HasField("core"):
                    _set_immediate(instructions, relocation.instruction, constant.core.local_value)
            program.instructions = bytes(instructions)

    def _ring_buffer_size(self) -> int:
        """Small, because its pages are mapped twice and count as resident memory; large enough for a burst."""
        pages: int = self.program.config.perf_rb_pages
        largest = max((action.size for action in self.program.actions), default=0)
        wanted = max(SMALLEST_RING_BUFFER, EVENTS_IN_RING_BUFFER * largest)
        size = pages * PAGE_SIZE if pages else min(wanted, LARGEST_RING_BUFFER)
        return 1 << (size - 1).bit_length()


def key_type(symbol: MapSymbol) -> Type:
    """The type of keys as they lie in the map."""
    return ARRAY_KEY if symbol.map_type.is_array or symbol.key_type is None else symbol.key_type


def key_size(symbol: MapSymbol) -> int:
    """Bytes of the kernel's key: a map without keys has one of 8 bytes, a histogram's bucket comes last."""
    if symbol.map_type.is_array:
        return ARRAY_KEY.size
    size = symbol.key_type.size if symbol.key_type is not None else 0
    if symbol.value_type.is_multi_key_map_value:
        return size + 8
    return size or 8


def _is_read_only(section: str) -> bool:
    """Of sections of data: the script's constants, and those of C sources."""
    return section.startswith(".rodata")


def _padded(data: bytes) -> bytes:
    return data.ljust(len(data) + -len(data) % 8, b"\0")


def _set_immediate(instructions: bytearray, index: int, value: int) -> None:
    """Sets the 64-bit immediate of an ld_imm64, whose halves are in two slots."""
    at = index * INSTRUCTION_SIZE + 4
    struct.pack_into("<I", instructions, at, value & 0xFFFFFFFF)
    struct.pack_into("<I", instructions, at + INSTRUCTION_SIZE, value >> 32)
