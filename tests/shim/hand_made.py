"""Tracers made by hand: resources with bytecode written out here, so that the shim is tested without the compiler.

`python hand_made.py NAME OUT.o` writes the tracer object of one of TRACERS; `--payload` writes the bare payload.
"""

import argparse
import struct
from collections.abc import Callable
from pathlib import Path

from compiler.object.btf import BtfWriter, Linkage
from compiler.object.tracer import payload, tracer_object
from proto import required_resources_pb2 as pb

R0, R1, R2, R3, R4, R5, R6, R10 = 0, 1, 2, 3, 4, 5, 6, 10
"""Registers of BPF."""

MAP_HASH, MAP_ARRAY, MAP_PERCPU_HASH, MAP_PERCPU_ARRAY, MAP_RINGBUF = 1, 2, 5, 6, 27
PROG_TRACEPOINT, PROG_PERF_EVENT, PROG_RAW_TRACEPOINT = 5, 7, 17
HELPER_MAP_LOOKUP, HELPER_MAP_UPDATE, HELPER_GET_CURRENT_PID_TGID, HELPER_GET_CURRENT_TASK = 1, 2, 14, 35
HELPER_PROBE_READ_KERNEL, HELPER_RINGBUF_OUTPUT = 113, 130


def insn(code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> bytes:
    """One struct bpf_insn."""
    return struct.pack("<BBhi", code, dst | src << 4, off, imm)


def mov(dst: int, imm: int) -> bytes:
    return insn(0xB7, dst, imm=imm)


def mov_reg(dst: int, src: int) -> bytes:
    return insn(0xBF, dst, src)


def add(dst: int, imm: int) -> bytes:
    return insn(0x07, dst, imm=imm)


def add_reg(dst: int, src: int) -> bytes:
    return insn(0x0F, dst, src)


def store64(base: int, off: int, imm: int) -> bytes:
    return insn(0x7A, base, off=off, imm=imm)


def store64_reg(base: int, off: int, src: int) -> bytes:
    return insn(0x7B, base, src, off)


def call(helper: int) -> bytes:
    return insn(0x85, imm=helper)


EXIT = mov(R0, 0) + insn(0x95)


class Script:
    """Builds resources. Every program may use the ring buffer (map 0) and the loss counter (map 1)."""

    def __init__(self, name: str, ring_buffer_size: int = 4096) -> None:
        self.resources = pb.RequiredResources(format_version=1, compiler_version="0.0", arch=pb.X86_64)
        self.resources.script.name = name
        self.resources.script.sha256 = bytes(32)
        self.resources.config.license = "GPL"
        self.resources.config.print_maps_on_exit = True
        for table in (self.resources.spans, self.resources.types, self.resources.enums):
            table.add()
        self._btf = BtfWriter()
        self.resources.maps.add(
            role=pb.Map.RING_BUFFER, name="ringbuf", bpf_type=MAP_RINGBUF, max_entries=ring_buffer_size
        )
        self.resources.maps.add(
            role=pb.Map.EVENT_LOSS, name="loss", bpf_type=MAP_PERCPU_ARRAY, key_size=4, value_size=8, max_entries=1
        )
        self.features: set[str] = set()

    def span(self, line: int, text: str, column: int = 1) -> int:
        self.resources.spans.add(
            file=self.resources.script.name,
            line=line,
            column=column,
            end_line=line,
            end_column=len(text) + 1,
            text=text.encode(),
        )
        return len(self.resources.spans) - 1

    def type(self, **fields: object) -> int:
        self.resources.types.add(**fields)
        return len(self.resources.types) - 1

    def map(self, **fields: object) -> int:
        self.resources.maps.add(**fields)
        return len(self.resources.maps) - 1

    def constant(self, sort: str, span: int = 0, **fields: object) -> int:
        """Adds a constant of one kind (a field of Constant) and asks for the feature."""
        constant = self.resources.constants.add(span=span)
        getattr(constant, sort).SetInParent()
        for name, value in fields.items():
            setattr(getattr(constant, sort), name, value)
        self.features.add(f"shim_constant_{sort}")
        return len(self.resources.constants) - 1

    def action(self, kind: str) -> pb.Action:
        """Adds an action of one kind and asks for the feature. Its index is `len(actions) - 1`."""
        action = self.resources.actions.add()
        getattr(action, kind).SetInParent()
        self.features.add(f"shim_action_{kind}")
        return action

    def printf(self, text: str) -> int:
        """An action that prints a text. Returns its index."""
        self.action("printf").printf.format.pieces.add(literal=text.encode())
        return len(self.resources.actions) - 1

    def exit(self) -> int:
        self.action("exit")
        return len(self.resources.actions) - 1

    def send(self, action: int, size: int = 8) -> list[bytes | int]:
        """Code that sends `size` bytes below the frame pointer as an event; an action's arguments are stored already."""
        ring = self.constant("map", map=0)
        return [
            store64(R10, -size, action),
            ring,
            mov_reg(R2, R10),
            add(R2, -size),
            mov(R3, size),
            mov(R4, 0),
            call(HELPER_RINGBUF_OUTPUT),
        ]

    def program(self, bpf_type: int, code: list[bytes | int], span: int = 0, **fields: object) -> int:
        """Adds a program. An integer in `code` is a constant, loaded into R1."""
        name = f"program{len(self.resources.programs)}"
        program = self.resources.programs.add(name=name, bpf_type=bpf_type, span=span, **fields)
        instructions = b""
        for part in code:
            if isinstance(part, int):
                program.relocations.add(instruction=len(instructions) // 8, constant=part)
                local = self.resources.constants[part]
                value = local.core.local_value if local.WhichOneof("kind") == "core" else 0
                part = insn(0x18, R1, imm=value) + insn(0)
            instructions += part
        program.instructions = instructions
        program.functions.add(instruction=0, btf_type=self._btf.function(name, Linkage.GLOBAL))
        return len(self.resources.programs) - 1

    def probe(self, attach: str, name: str, program: int, span: int = 0, **fields: object) -> None:
        """Adds a probe of one sort (a field of Probe.attach) and asks for the feature."""
        probe = self.resources.probes.add(name=name, program=program, span=span)
        getattr(probe, attach).SetInParent()
        for field, value in fields.items():
            setattr(getattr(probe, attach), field, value)
        self.features.add(f"shim_attach_{attach}")

    @property
    def btf(self) -> BtfWriter:
        return self._btf

    def finish(self) -> pb.RequiredResources:
        self.resources.btf = self._btf.finish()
        if any(entry.role == pb.Map.USER for entry in self.resources.maps):
            self.features.add("shim_print_map")
        return self.resources


def hello() -> Script:
    """BEGIN { printf("hello\\n"); exit(); }"""
    script = Script("hello.bt")
    code = [*script.send(script.printf("hello\n")), *script.send(script.exit()), EXIT]
    script.probe("special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, code), kind=pb.Special.BEGIN)
    return script


def ticks() -> Script:
    """interval:ms:20 { printf("tick\\n"); @ticks = count(); } END { printf("end\\n"); }, until a signal comes."""
    script = Script("ticks.bt")
    count = script.type(kind=pb.Type.COUNT, size=8)
    ticks = script.map(
        role=pb.Map.USER,
        name="@ticks",
        bpf_type=MAP_PERCPU_HASH,
        key_size=8,
        value_size=8,
        max_entries=16,
        value_type=count,
    )
    the_map = script.constant("map", map=ticks)
    code = [
        store64(R10, -8, 0),
        the_map,
        mov_reg(R2, R10),
        add(R2, -8),
        call(HELPER_MAP_LOOKUP),
        insn(0x15, R0, off=4),  # if r0 == 0 goto +4
        insn(0x79, R1, R0),
        add(R1, 1),
        store64_reg(R0, 0, R1),
        insn(0x05, off=8),
        store64(R10, -16, 1),
        the_map,
        mov_reg(R2, R10),
        add(R2, -8),
        mov_reg(R3, R10),
        add(R3, -16),
        mov(R4, 0),
        call(HELPER_MAP_UPDATE),
    ]
    # The jump of 8 skips: store64 (1), map load (2 slots), 5 moves, call: 9 instructions, hence:
    code[9] = insn(0x05, off=9)
    code += [*script.send(script.printf("tick\n")), EXIT]
    script.probe("interval", "interval:ms:20", script.program(PROG_PERF_EVENT, code), period_ns=20_000_000)
    end = script.program(PROG_RAW_TRACEPOINT, [*script.send(script.printf("end\n")), EXIT])
    script.probe("special", "END", end, kind=pb.Special.END)
    return script


TRACERS: dict[str, Callable[[], Script]] = {"hello": hello, "ticks": ticks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=TRACERS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--payload", action="store_true")
    args = parser.parse_args()
    script = TRACERS[args.name]()
    resources = script.finish()
    args.out.write_bytes(payload(resources) if args.payload else tracer_object(resources, script.features))


if __name__ == "__main__":
    main()
