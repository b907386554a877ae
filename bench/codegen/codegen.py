"""Compares the code of six typical probes with what clang makes of the same in C: `bazel run //bench/codegen`.

Both are loaded into this kernel (which takes root), with the same maps and the same values of load-time constants, but
not attached. Prints instructions of the bytecode, instructions that remain after the verifier has taken out what never
runs, and how many it processed on its way through all paths. Fails if either of the latter two of ours is more than
LIMIT of clang's.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.codegen.kernel import Cost, create_map, load_btf, load_program
from compiler import back, pipeline
from compiler.arch import X86_64
from compiler.backend import Backend
from compiler.object import elf
from compiler.object.btf import BtfWriter, Linkage
from compiler.object.flatten import INSTRUCTION_SIZE, flatten
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel
from proto import required_resources_pb2 as pb

LIMIT = 1.15
_PROBES = ("count", "histogram", "string_key", "path", "walk", "iteration")
_FOLDER = Path(__file__).parent / "probes"
_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"
_MIN_KERNEL = (5, 13)  # iteration over a map
_PSEUDO_MAP_FD, _PSEUDO_MAP_VALUE = 1, 2
_HOST = {pb.HostValue.IN_INITIAL_PID_NAMESPACE: 1}


def compiled(script: Path, kernel: Kernel) -> pb.RequiredResources:
    sink = DiagnosticSink()
    backend = Backend()
    source = SourceFile.read(script, script.name)
    try:
        _, program = pipeline.front(source, kernel, pipeline.Options(X86_64, _MIN_KERNEL), sink)
        return back.compile_program(program, backend, sink, pipeline.Timings()).resources
    except pipeline.CompileError:
        raise SystemExit(sink.render()) from None
    finally:
        backend.close()


def maps_of(resources: pb.RequiredResources) -> dict[str, int]:
    """Creates the maps; returns their descriptors by name."""
    return {
        entry.name: create_map(entry.bpf_type, entry.key_size, entry.value_size, entry.max_entries, entry.flags)
        for entry in resources.maps
    }


def set_immediate(code: bytearray, index: int, value: int, pseudo: int = 0, second: int | None = None) -> None:
    at = index * INSTRUCTION_SIZE
    code[at + 1] = code[at + 1] & 0xF | pseudo << 4
    high = value >> 32 if second is None else second
    struct.pack_into("<I", code, at + 4, value & 0xFFFFFFFF)
    struct.pack_into("<I", code, at + INSTRUCTION_SIZE + 4, high & 0xFFFFFFFF)


def ours(resources: pb.RequiredResources, maps: dict[str, int], kernel: Kernel) -> Cost:
    program = resources.programs[0]
    code = bytearray(program.instructions)
    for relocation in program.relocations:
        constant = resources.constants[relocation.constant]
        match constant.WhichOneof("kind"):
            case "map":
                name = resources.maps[constant.map.map].name
                set_immediate(code, relocation.instruction, maps[name], _PSEUDO_MAP_FD)
            case "map_value":
                name = resources.maps[constant.map_value.map].name
                set_immediate(code, relocation.instruction, maps[name], _PSEUDO_MAP_VALUE, constant.map_value.offset)
            case "host":
                set_immediate(code, relocation.instruction, _HOST.get(constant.host.kind, 0))
            case "tracepoint_field":
                wanted = constant.tracepoint_field
                point = kernel.tracepoint(wanted.category, wanted.event)
                member = point.member(wanted.field) if point is not None else None
                assert member is not None
                set_immediate(code, relocation.instruction, member.byte_offset)
            case "core":
                pass  # the code holds this kernel's or another's offset: the verifier does not mind
            case other:
                raise SystemExit(f"no value for a constant of kind {other}")
    functions = [(info.instruction, info.btf_type) for info in program.functions]
    return load_program(program.bpf_type, bytes(code), load_btf(resources.btf), functions)


def clang(source: Path, maps: dict[str, int], bpf_type: int) -> Cost:
    names = ("clang", *(f"clang-{version}" for version in range(24, 13, -1)))
    compiler = next((path for name in names if (path := shutil.which(name))), None)
    if compiler is None:
        raise SystemExit("the comparison needs clang, such as Debian's package of that name")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "probe.o"
        flags = ["-O2", "-g", "--target=bpf", "-mcpu=v3"]
        subprocess.run([compiler, *flags, "-c", str(source), "-o", str(output)], check=True)
        sections = elf.read(output.read_bytes())
    flat = flatten(sections, {f"map:{name}" for name in maps})["probe"]
    code = bytearray(flat.instructions)
    for use in flat.uses:
        set_immediate(code, use.instruction, maps[use.symbol.removeprefix("map:")], _PSEUDO_MAP_FD)
    types = BtfWriter()
    functions = [
        (function.start, types.function(function.name, Linkage.STATIC if index else Linkage.GLOBAL))
        for index, function in enumerate(flat.functions)
    ]
    return load_program(bpf_type, bytes(code), load_btf(types.finish()), functions)


def main() -> int:
    kernel = Kernel.load(_SNAPSHOT)
    print(f"{'':12} {'bytecode':>15} {'after verifier':>23} {'processed':>23}")
    print(f"{'probe':12}" + f" {'ours':>7} {'clang':>7}" + f" {'ours':>7} {'clang':>7} {'ratio':>7}" * 2)
    worst = 0.0
    for name in _PROBES:
        resources = compiled(_FOLDER / f"{name}.bt", kernel)
        maps = maps_of(resources)
        own = ours(resources, maps, kernel)
        other = clang(_FOLDER / f"{name}.c", maps, resources.programs[0].bpf_type)
        ratios = (own.translated / other.translated, own.processed / other.processed)
        worst = max(worst, *ratios)
        print(
            f"{name:12} {own.bytecode:7} {other.bytecode:7}"
            f" {own.translated:7} {other.translated:7} {ratios[0]:7.2f}"
            f" {own.processed:7} {other.processed:7} {ratios[1]:7.2f}"
        )
    print(f"worst ratio {worst:.2f}, limit {LIMIT}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
