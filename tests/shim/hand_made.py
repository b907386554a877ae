"""Tracers made by hand: resources with bytecode that is written out here, to test the shim without the compiler.

`python hand_made.py NAME OUT.o` writes the tracer object of one of TRACERS; `--payload` writes the bare payload.
"""

import argparse
import struct
from collections.abc import Callable
from pathlib import Path

from compiler.object.btf import BtfWriter, Linkage, Member
from compiler.object.tracer import payload, tracer_object
from proto import required_resources_pb2 as pb

R0, R1, R2, R3, R4, R5, R6, R10 = 0, 1, 2, 3, 4, 5, 6, 10
"""Registers of BPF."""

Code = list[bytes | int]
"""Instructions; an integer stands for a constant, which is loaded into R1."""

MAP_HASH, MAP_ARRAY, MAP_PERCPU_HASH, MAP_PERCPU_ARRAY, MAP_RINGBUF = 1, 2, 5, 6, 27
PROG_KPROBE, PROG_TRACEPOINT, PROG_PERF_EVENT, PROG_RAW_TRACEPOINT, PROG_TRACING = 2, 5, 7, 17, 26
TRACE_FENTRY = 24
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


LATE_FAMILIES = (
    "interval", "perf_event", "tracepoint", "raw_tracepoint", "kprobe", "fentry", "uprobe", "usdt", "watchpoint",
)  # fmt: skip


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

    def send(self, action: int, size: int = 8) -> Code:
        """Code that sends the `size` bytes below the frame pointer as an event; arguments are stored already."""
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

    def program(self, bpf_type: int, code: Code, span: int = 0, **fields: object) -> int:
        """Adds a program and returns its index."""
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
    code: Code = [*script.send(script.printf("hello\n")), *script.send(script.exit()), EXIT]
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
    code: Code = [
        store64(R10, -8, 0),
        the_map,
        mov_reg(R2, R10),
        add(R2, -8),
        call(HELPER_MAP_LOOKUP),
        insn(0x15, R0, off=4),  # if r0 == 0 goto +4
        insn(0x79, R1, R0),
        add(R1, 1),
        store64_reg(R0, 0, R1),
        insn(0x05, off=9),  # goto behind the update
        store64(R10, -16, 1),
        the_map,
        mov_reg(R2, R10),
        add(R2, -8),
        mov_reg(R3, R10),
        add(R3, -16),
        mov(R4, 0),
        call(HELPER_MAP_UPDATE),
    ]
    code += [*script.send(script.printf("tick\n")), EXIT]
    script.probe("interval", "interval:ms:20", script.program(PROG_PERF_EVENT, code), period_ns=20_000_000)
    end = script.program(PROG_RAW_TRACEPOINT, [*script.send(script.printf("end\n")), EXIT])
    script.probe("special", "END", end, kind=pb.Special.END)
    return script


def _print_u64(script: Script, code: Code, conversion: str = "d") -> Code:
    """Appends what prints the u64 in R6 on a line and exits."""
    action = script.action("printf").printf
    integer = script.type(kind=pb.Type.INTEGER, size=8, is_signed=conversion == "d")
    action.format.pieces.add(conversion=conversion, argument=pb.Argument(type=integer, offset=8))
    action.format.pieces.add(literal=b"\n")
    sent = script.send(len(script.resources.actions) - 1, 16)
    return [*code, store64_reg(R10, -8, R6), *sent, *script.send(script.exit()), EXIT]


def _core_field(script: Script, member: str, kind: "pb.CoreRelocation.Kind", local_value: int = 8) -> int:
    """A CO-RE constant about a member of a task_struct that looks quite different from the kernel's."""
    btf = script.btf
    task = btf.reserve()
    btf.composite(task, "task_struct", 16, [Member(member, btf.integer(4, signed=True), 64)], union=False)
    span = script.span(1, f"BEGIN {{ print(curtask->{member}); }}", 16)
    return script.constant(
        "core",
        span,
        kind=kind,
        btf_type=task,
        access="0:0",
        local_value=local_value,
        description=f"struct task_struct.{member}",
    )


def core_field() -> Script:
    """BEGIN { printf("%d\n", curtask->tgid); exit(); }, with the offset by CO-RE."""
    script = Script("core_field.bt")
    offset = _core_field(script, "tgid", pb.CoreRelocation.FIELD_BYTE_OFFSET)
    code: Code = [
        store64(R10, -8, 0),
        call(HELPER_GET_CURRENT_TASK),
        offset,
        mov_reg(R3, R0),
        add_reg(R3, R1),
        mov(R2, 4),
        mov_reg(R1, R10),
        add(R1, -8),
        call(HELPER_PROBE_READ_KERNEL),
        insn(0x79, R6, R10, off=-8),
    ]
    script.probe(
        "special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, _print_u64(script, code)), kind=pb.Special.BEGIN
    )
    return script


def core_absent() -> Script:
    """The same for a member that no kernel has."""
    script = Script("core_absent.bt")
    offset = _core_field(script, "no_such_member", pb.CoreRelocation.FIELD_BYTE_OFFSET)
    program = script.program(PROG_RAW_TRACEPOINT, _print_u64(script, [offset, mov_reg(R6, R1)]))
    script.probe("special", "BEGIN", program, kind=pb.Special.BEGIN)
    return script


def core_guarded() -> Script:
    """The same behind a test whether the member exists: prints 0 and never reads it."""
    script = Script("core_guarded.bt")
    exists = _core_field(script, "no_such_member", pb.CoreRelocation.FIELD_EXISTS, 1)
    offset = _core_field(script, "no_such_member", pb.CoreRelocation.FIELD_BYTE_OFFSET)
    code: Code = [exists, mov_reg(R6, R1), insn(0x15, R1, off=3), offset, mov_reg(R6, R1)]
    script.probe(
        "special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, _print_u64(script, code)), kind=pb.Special.BEGIN
    )
    return script


def parameters() -> Script:
    """BEGIN { printf("%d %s\\n", $1 + $#, str($2)); exit(); }"""
    script = Script("parameters.bt")
    resources = script.resources
    data = script.map(
        role=pb.Map.GLOBAL_DATA,
        name=".data",
        bpf_type=MAP_ARRAY,
        key_size=4,
        value_size=16,
        max_entries=1,
        initial_value=b"default",
    )
    span = script.span(1, 'BEGIN { printf("%d %s\\n", $1 + $#, str($2)); exit(); }')
    resources.parameters.add(position=1, kind=pb.Parameter.INTEGER, span=span, default_integer=0)
    resources.parameters.add(
        position=2, kind=pb.Parameter.STRING, span=span, map=data, size=16, default_string=b"default"
    )
    number = script.constant("parameter", parameter=0)
    count = script.constant("host", kind=pb.HostValue.POSITIONAL_COUNT)
    text = script.constant("map_value", map=data)
    action = script.action("printf").printf.format
    integer = script.type(kind=pb.Type.INTEGER, size=8, is_signed=True)
    string = script.type(kind=pb.Type.STRING, size=16)
    action.pieces.add(conversion="d", argument=pb.Argument(type=integer, offset=8))
    action.pieces.add(literal=b" ", conversion="s", argument=pb.Argument(type=string, offset=16))
    action.pieces.add(literal=b"\n")
    code: Code = [
        number,
        mov_reg(R6, R1),
        count,
        add_reg(R6, R1),
        store64_reg(R10, -24, R6),
        text,
        insn(0x79, R2, R1),
        store64_reg(R10, -16, R2),
        insn(0x79, R2, R1, off=8),
        store64_reg(R10, -8, R2),
        *script.send(0, 32),
        *script.send(script.exit()),
        EXIT,
    ]
    script.probe("special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, code), kind=pb.Special.BEGIN)
    return script


def late() -> Script:
    """$1:$2 { printf("tick\\n"); exit(); }"""
    script = Script("late.bt")
    span = script.span(1, "$1:$2")
    for position in (1, 2):
        script.resources.parameters.add(position=position, kind=pb.Parameter.WORD, span=span)
    code: Code = [*script.send(script.printf("tick\n")), *script.send(script.exit()), EXIT]
    script.probe("late", "$1:$2", script.program(PROG_KPROBE, code, span), span, unsafe=False)
    for parameter in (0, 1):
        piece = script.resources.probes[0].late.parts.add().pieces.add()
        piece.is_parameter, piece.parameter = True, parameter
    script.features |= {f"shim_attach_{family}" for family in LATE_FAMILIES}
    return script


def losses() -> Script:
    """BEGIN sends 600 events of 16 bytes into 4096: it counts those that do not fit."""
    script = Script("losses.bt")
    text = script.printf("event\n")
    counter = script.constant("map", map=1)
    code: Code = []
    for _ in range(600):
        code += [
            *script.send(text),
            insn(0x15, R0, off=10),
            insn(0x62, R10, off=-16),
            counter,
            mov_reg(R2, R10),
            add(R2, -16),
            call(HELPER_MAP_LOOKUP),
            insn(0x15, R0, off=3),
            insn(0x79, R1, R0),
            add(R1, 1),
            store64_reg(R0, 0, R1),
        ]
    program = script.program(PROG_RAW_TRACEPOINT, [*code, EXIT])
    script.probe("special", "BEGIN", program, kind=pb.Special.BEGIN)
    return script


def exit_code() -> Script:
    """BEGIN { exit(3); } END { printf("end\\n"); }"""
    script = Script("exit_code.bt")
    action = script.action("exit").exit
    action.code.type = script.type(kind=pb.Type.INTEGER, size=8, is_signed=True)
    action.code.offset = 8
    dropped = script.printf("dropped\n")
    begin = script.program(PROG_RAW_TRACEPOINT, [store64(R10, -8, 3), *script.send(0, 16), *script.send(dropped), EXIT])
    end = script.program(PROG_RAW_TRACEPOINT, [*script.send(script.printf("end\n")), EXIT])
    script.probe("special", "BEGIN", begin, kind=pb.Special.BEGIN)
    script.probe("special", "END", end, kind=pb.Special.END)
    return script


def unwatch() -> Script:
    """BEGIN { unwatch(0xf00); exit(); }, without a watchpoint."""
    script = Script("unwatch.bt")
    action = script.action("unwatch")
    action.span = script.span(1, "BEGIN { unwatch(0xf00); exit(); }", 9)
    action.unwatch.address.type = script.type(kind=pb.Type.INTEGER, size=8)
    action.unwatch.address.offset = 8
    code = [store64(R10, -8, 0xF00), *script.send(0, 16), *script.send(script.exit()), EXIT]
    script.probe("special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, code), kind=pb.Special.BEGIN)
    return script


def getpgid() -> Script:
    """tracepoint:syscalls:sys_enter_getpgid /pid == $1/ { printf("%d\\n", args.pid); }"""
    script = Script("getpgid.bt")
    span = script.span(1, "tracepoint:syscalls:sys_enter_getpgid")
    script.resources.parameters.add(position=1, kind=pb.Parameter.INTEGER, span=span, required=True)
    wanted = script.constant("parameter", span, parameter=0)
    offset = script.constant("tracepoint_field", span, category="syscalls", event="sys_enter_getpgid", field="pid")
    integer = script.type(kind=pb.Type.INTEGER, size=8, is_signed=True)
    pieces = script.action("printf").printf.format.pieces
    pieces.add(conversion="d", argument=pb.Argument(type=integer, offset=8))
    pieces.add(literal=b"\n")
    code: Code = [
        mov_reg(R6, R1),
        call(HELPER_GET_CURRENT_PID_TGID),
        insn(0x77, R0, imm=32),
        wanted,
        insn(0x5D, R0, R1, off=17),  # if r0 != r1 goto the end
        mov_reg(R3, R6),
        offset,
        add_reg(R3, R1),
        mov_reg(R1, R10),
        add(R1, -8),
        mov(R2, 8),
        call(HELPER_PROBE_READ_KERNEL),
        *script.send(0, 16),
        EXIT,
    ]
    script.probe(
        "tracepoint",
        "tracepoint:syscalls:sys_enter_getpgid",
        script.program(PROG_TRACEPOINT, code, span),
        span,
        category="syscalls",
        event="sys_enter_getpgid",
    )
    return script


def absent_tracepoint() -> Script:
    """A tracepoint that no kernel has."""
    script = Script("absent_tracepoint.bt")
    span = script.span(1, "tracepoint:syscalls:sys_enter_nothing")
    script.probe(
        "tracepoint",
        "tracepoint:syscalls:sys_enter_nothing",
        script.program(PROG_TRACEPOINT, [EXIT], span),
        span,
        category="syscalls",
        event="sys_enter_nothing",
    )
    return script


def absent_allowed() -> Script:
    """BEGIN { printf("begun\\n"); exit(); } and a tracepoint that no kernel has, with missing_probes=warn."""
    script = absent_tracepoint()
    script.resources.script.name = "absent_allowed.bt"
    script.resources.config.missing_probes = pb.MISSING_PROBES_WARN
    code = [*script.send(script.printf("begun\n")), *script.send(script.exit()), EXIT]
    script.probe("special", "BEGIN", script.program(PROG_RAW_TRACEPOINT, code), kind=pb.Special.BEGIN)
    return script


def all_absent() -> Script:
    """Only a tracepoint that no kernel has, with missing_probes=ignore."""
    script = absent_tracepoint()
    script.resources.config.missing_probes = pb.MISSING_PROBES_IGNORE
    return script


def absent_field() -> Script:
    """A field that a tracepoint does not have."""
    script = Script("absent_field.bt")
    span = script.span(1, "tracepoint:syscalls:sys_enter_getpgid { print(args.nothing); }", 47)
    offset = script.constant("tracepoint_field", span, category="syscalls", event="sys_enter_getpgid", field="nothing")
    script.probe(
        "tracepoint",
        "tracepoint:syscalls:sys_enter_getpgid",
        script.program(PROG_TRACEPOINT, [offset, EXIT], span),
        span,
        category="syscalls",
        event="sys_enter_getpgid",
    )
    return script


def absent_function() -> Script:
    """fentry of a function that no kernel has."""
    script = Script("absent_function.bt")
    span = script.span(1, "fentry:no_such_function")
    program = script.program(PROG_TRACING, [EXIT], span, expected_attach_type=TRACE_FENTRY)
    script.probe("fentry", "fentry:no_such_function", program, span, function="no_such_function")
    return script


def refused() -> Script:
    """A program that the verifier refuses: it reads a register that nobody has written."""
    script = Script("refused.bt")
    span = script.span(1, "BEGIN { }")
    script.resources.requirements.add(feature="time travel", least_kernel=99 << 16, span=span)
    program = script.program(PROG_RAW_TRACEPOINT, [mov_reg(R0, R5), insn(0x95)], span)
    script.probe("special", "BEGIN", program, span, kind=pb.Special.BEGIN)
    return script


_ALL = (
    hello,
    ticks,
    core_field,
    core_absent,
    core_guarded,
    parameters,
    late,
    losses,
    exit_code,
    getpgid,
    absent_allowed,
    absent_tracepoint,
    all_absent,
    absent_field,
    absent_function,
    refused,
    unwatch,
)

TRACERS: dict[str, Callable[[], Script]] = {make.__name__: make for make in _ALL}


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
