"""What analysis hands to code generation: a typed program in which every name is resolved and every size known.

What holds of the syntax tree inside it:

* Every reachable expression has a `type` of the lattice, with its final size. A call that yields nothing has VOID.
* Conversions are explicit: wherever a value's type differs from the one its place wants there is an implicit
  `ast.Cast`, whose own `type` is the target; `Cast.to` need not be looked at.
* Every builtin variable is an `ast.Builtin` and every function an `ast.Call`, both with `builtin` set to their entry of
  `compiler.builtins`, or a call's to the CFunction of one of `c_modules`. Macros, identifiers and named constants are
  gone: an enumerator is an `ast.Integer` typed as its Enum.
* A map's value is always read and written through `ast.MapAccess`; that of a map without keys has the key `Integer 0`
  of type INT64. A plain `ast.Map` is only the argument of a function that takes a map, what `for` iterates over, or
  the operand of `&`.
* There are no compound assignments (`@x += 1` is `@x = @x + 1`); `++` and `--` remain.
* An aggregation is `Assign(MapAccess, None, Call)`, whose call's builtin has the kind AGGREGATION.
* Scratch variables have a VariableSymbol each; two of the same name in different blocks have two.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compiler.arch import Architecture
from compiler.interop.module import CModule
from compiler.probe_types import ProbeType
from compiler.syntax import ast
from compiler.syntax.source import SourceFile, Span
from compiler.types.kernel import Kernel
from compiler.types.lattice import Field, Type

if TYPE_CHECKING:
    from compiler.types.binary.binary import Binary

TARGET_NAME_SIZE = 128
"""Bytes of a target's name in a program that has many: what the builtins `probe` and `func` yield there."""
COOKIE_PROBES = frozenset(
    {"kprobe", "kretprobe", "tracepoint", "rawtracepoint", "fentry", "fexit", "uprobe", "uretprobe", "usdt"}
)
"""Probe types of which a program has many targets, and learns by a cookie which of them runs it."""

BPF_PROGRAMS = "bpf"
"""Instead of a module, for fentry and fexit: functions of BPF programs that are in the kernel."""

USDT_ARGUMENTS = 12
"""How many arguments a USDT probe can have."""

EVENT_HEADER_SIZE = 8
"""Bytes before the arguments of an event: u32 action, u32 zero."""


# ------------------------------------------------------------------------------------------------------- symbols


@dataclass(slots=True, eq=False)
class VariableSymbol:
    """One declaration of a scratch variable: all accesses to it share this object."""

    name: str
    """As written, `$x`."""
    type: Type
    span: Span
    scope: int
    """Number of the block that declares it, unique in the program."""


class MapType(enum.IntEnum):
    """Kernel map types that a script's map can have (enum bpf_map_type of linux/bpf.h)."""

    HASH = 1
    ARRAY = 2
    PERCPU_HASH = 5
    PERCPU_ARRAY = 6
    STACK_TRACE = 7
    LRU_HASH = 9
    LRU_PERCPU_HASH = 10

    @property
    def is_percpu(self) -> bool:
        return self in (MapType.PERCPU_HASH, MapType.PERCPU_ARRAY, MapType.LRU_PERCPU_HASH)

    @property
    def is_array(self) -> bool:
        return self in (MapType.ARRAY, MapType.PERCPU_ARRAY)


@dataclass(slots=True, eq=False)
class MapSymbol:
    """One map of the script."""

    name: str
    """As written, `@x`."""
    span: Span
    """The first place that mentions it."""
    key_type: Type | None
    """None for a map without keys. Of a histogram the key proper, without the bucket that the kernel's key ends
    with."""
    value_type: Type
    map_type: MapType
    max_entries: int


class FieldOrigin(enum.Enum):
    """Where a field's place is decided."""

    KERNEL_BTF = "kernel"  # CO-RE: relocated on the target, by `field.owner` and `field.path`
    TRACEPOINT = "tracepoint"  # a load-time constant, from the target's format of `BpfProgram.tracepoint`
    CONTEXT = "context"  # of a perf event: `field.offset` counts from the start of the context
    ARGUMENT = "argument"  # the probe's argument number `index`
    FIXED = "fixed"  # C definitions, tuples, records: `field.offset` holds everywhere


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """What a `FieldAccess` or `TupleAccess` names: `ast.FieldAccess.field`."""

    origin: FieldOrigin
    field: Field
    container: Type | None = None
    """The Struct, Tuple or Record that has the field; None for ARGUMENT and TRACEPOINT."""
    index: int = 0
    """Of ARGUMENT: which u64 of the context; of a tuple or record: which element."""


MAX_PLAIN_ITERATIONS = 256
"""Rounds of a loop that the verifier is asked to follow one by one."""


def string_literal(node: ast.Expression) -> ast.String | None:
    """The string literal behind conversions."""
    while isinstance(node, ast.Cast):
        node = node.operand
    return node if isinstance(node, ast.String) else None


def plain_iterations(node: ast.Range) -> int | None:
    """How many rounds a loop over a range has, None if that is not known or too much for a plain loop."""
    match node:
        case ast.Range(ast.Integer(start), ast.Integer(end)) if end - start <= MAX_PLAIN_ITERATIONS:
            return max(end - start, 0)
        case _:
            return None


# -------------------------------------------------------------------------------------------------------- probes


class Session(enum.Enum):
    """Of kprobes and kretprobes at the same functions."""

    NONE = 0
    PAIRED = 1
    """A session does its work where the kernel has sessions."""
    SESSION = 2


@dataclass(frozen=True, slots=True)
class AttachPoint:
    """One resolved attach point; of the fields after `span`, those that its probe type has are set."""

    probe_type: ProbeType
    name: str
    """What the builtin `probe` gives: `tracepoint:syscalls:sys_enter_openat`."""
    span: Span
    target: str = ""
    """Tracepoint category, kernel module or binary; empty for the binary of the process that is traced."""
    event: str = ""
    """Tracepoint, function, perf event or special probe."""
    offset: int = 0
    """Bytes from the function's start."""
    address: int = 0
    """Instead of a function, where the script gives an address."""
    period_ns: int = 0
    """Of interval and profile: nanoseconds between two hits (for `hz`, rounded down)."""
    frequency: int = 0
    """Of profile and interval in `hz`."""
    count: int = 0
    """Of software and hardware: how many events make one hit; 0 if the script does not say it."""
    length: int = 0
    """Of watchpoint: bytes."""
    mode: str = ""
    """Of watchpoint: letters of `rwx`."""
    namespace: str = ""
    """Of usdt: the provider of the binary's probe."""
    pin: str = ""
    """Of iter: the file that the iterator is pinned to, below /sys/fs/bpf if it is relative."""
    language: str = ""
    """Of uprobe and uretprobe: `cpp` if `event` is a demangled name."""
    bpf_program: int = 0
    """Of fentry and fexit of BPF programs: the id of the program, 0 for any."""
    session: Session = Session.NONE
    is_match: bool = False
    """One of the places that a wildcard matches: the target need not have it."""
    unsafe: bool = False
    """Whether the place need not be known as a safe one (--unsafe)."""
    source_file: str = ""
    """Of uprobe: the place is a line of the source, whose address is `address`."""
    source_line: int = 0
    source_column: int = 0
    """0 for any."""
    binary: Binary | None = None
    """The target, where the compiler knows it."""
    late: tuple[tuple[str | int, ...], ...] = ()
    """Of one that positional parameters complete when the tracer starts: its parts, texts and parameters' numbers."""

    @property
    def has_late_name(self) -> bool:
        """Whether only the target knows what `probe` and `func` are in its program."""
        return self.has_wildcard or self.is_of_process or bool(self.late)

    @property
    def is_of_process(self) -> bool:
        """Whether its binary is what the process has that is traced."""
        return not self.target and not self.late and self.probe_type.name in ("uprobe", "uretprobe", "usdt")

    @property
    def has_wildcard(self) -> bool:
        """Whether it stands for all places on the target whose names match."""
        if self.target == BPF_PROGRAMS and not self.bpf_program and self.probe_type.name in ("fentry", "fexit"):
            return True
        if self.is_of_process and self.probe_type.name == "usdt":
            return True
        if self.language:  # functions of one name have different parameters
            return True
        return "*" in self.target or "*" in self.event or "*" in self.namespace

    def at(self, target: str, event: str) -> AttachPoint:
        """The same in another place, also in the name unless the script gave one."""
        own = ":".join(text for text in (self.probe_type.name, self.target, self.event) if text)
        name = f"{self.probe_type}:{target}:{event}" if self.name == own else self.name
        return dataclasses.replace(self, target=target, event=event, name=name)

    def in_module(self, module: str) -> AttachPoint:
        """The same with the module that the kernel has it in, also in the name unless the script gave one."""
        return self.at(module, self.event)


@dataclass(slots=True, eq=False)
class BpfProgram:
    """One BPF program to generate. Attach points share one only if the body means the same for all of them."""

    name: str
    """Unique in the tracer: letters, digits and `_`, at most 15 bytes."""
    probe: ast.Probe
    attach_points: list[AttachPoint]
    argument_types: tuple[Field, ...] = ()
    """Of `args` (function parameters, tracepoint record), in order; the return value of an fexit is `retval`."""
    halves: tuple[BpfProgram, BpfProgram] | None = None
    """Of a session: the programs of entry and return whose work it does."""
    symbol_types: dict[ast.Node, Type] = field(default_factory=dict)
    """What the pointers that calls of `uaddr` yield point to; see compiler.analysis.user_symbols."""

    @property
    def probe_type(self) -> ProbeType:
        return self.attach_points[0].probe_type

    def types(self, kernel: Kernel) -> Kernel:
        """Where the program's body looks up names of types: its binary goes before the kernel."""
        binary = self.attach_points[0].binary
        return kernel if binary is None else kernel.with_binary(binary)


# ------------------------------------------------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class EventField:
    """One value that an event carries: the type that it is stored as, and where (from the start of the event)."""

    expression: ast.Expression
    type: Type
    offset: int


@dataclass(frozen=True, slots=True)
class FormatPiece:
    """Literal text, then one conversion (see FormatPiece of actions.proto). Its argument is a position in
    the action's `fields`.
    """

    literal: str
    conversion: str = ""
    length: str = ""
    left_align: bool = False
    show_sign: bool = False
    space_sign: bool = False
    alternate: bool = False
    zero_pad: bool = False
    width: int | None = None
    precision: int | None = None
    argument: int | None = None


class Severity(enum.Enum):
    """Of printf, warnf and errorf."""

    OUTPUT = "printf"
    WARNING = "warnf"
    ERROR = "errorf"


@dataclass(frozen=True, slots=True)
class Action:
    """What the tracer does for one call site. `size` is that of the event, header included."""

    span: Span
    fields: tuple[EventField, ...]
    size: int


@dataclass(frozen=True, slots=True)
class PrintfAction(Action):
    format: tuple[FormatPiece, ...]
    severity: Severity


@dataclass(frozen=True, slots=True)
class SystemAction(Action):
    """system(): the format makes the command."""

    format: tuple[FormatPiece, ...]


@dataclass(frozen=True, slots=True)
class CatAction(Action):
    """cat(): the format makes the path."""

    format: tuple[FormatPiece, ...]


@dataclass(frozen=True, slots=True)
class PrintMapAction(Action):
    """print(@map, top, div): the event has u32 top at 8 and u32 div at 12."""

    map: MapSymbol


@dataclass(frozen=True, slots=True)
class PrintValueAction(Action):
    """print(value): one field."""


@dataclass(frozen=True, slots=True)
class ClearAction(Action):
    map: MapSymbol


@dataclass(frozen=True, slots=True)
class ZeroAction(Action):
    map: MapSymbol


@dataclass(frozen=True, slots=True)
class ExitAction(Action):
    """exit(code): one field of type UINT8, or none."""


@dataclass(frozen=True, slots=True)
class UnwatchAction(Action):
    """unwatch(address): one field of type UINT64."""


@dataclass(frozen=True, slots=True)
class TimeAction(Action):
    format: str


@dataclass(frozen=True, slots=True)
class JoinAction(Action):
    """join(argv, delimiter): the event has `count` strings of `length` bytes each from EVENT_HEADER_SIZE on; a string
    that is empty ends the list. `fields` is empty: code generation reads the array itself.
    """

    delimiter: str
    count: int
    length: int


LARGEST_PACKET = 0xFF04
"""So much of a packet goes into an event: the size of a perf event's record has 16 bits. (Its header and ours are there
too, and the kernel rounds the whole up to 8 bytes; this needs no rounding.)"""


@dataclass(frozen=True, slots=True)
class SkbOutputAction(Action):
    """skboutput(): the event has the u64 time of CLOCK_BOOTTIME at 8, the u32 number of bytes of the packet that follow
    at 16, and the u32 length that the script asked for at 20; then the kernel appends the packet.
    """

    path: str
    offset: int


class RuntimeErrorKind(enum.Enum):
    """What a program can meet; see RuntimeError of actions.proto."""

    HELPER = "helper"
    DIVIDE_BY_ZERO = "divide by zero"
    ARRAY_OUT_OF_BOUNDS = "array out of bounds"
    KSTACK = "kstack"
    USTACK = "ustack"
    USTACK_NO_DWARF = "ustack no dwarf"
    LAYOUT = "layout"


@dataclass(frozen=True, slots=True)
class RuntimeErrorAction(Action):
    """Of HELPER: the helper's name without `bpf_`, and its result as s32 at offset 8."""

    kind: RuntimeErrorKind
    helper: str = ""


@dataclass(frozen=True, slots=True)
class UnwindRefreshAction(Action):
    """dw_ustack met an address of which nothing is known: the event has the u32 process id at 8."""


# ------------------------------------------------------------------------------------------------------ the whole


class ParameterKind(enum.Enum):
    INTEGER = "integer"
    STRING = "string"
    BOOL = "bool"
    WORD = "word"
    """Positional: as the command line has it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A command line parameter of the tracer, in one of the ways that the script uses it."""

    kind: ParameterKind
    span: Span
    position: int = 0
    """From 1; 0 for a named one."""
    name: str = ""
    default_integer: int = 0
    default_string: str = ""
    description: str = ""
    size: int = 0
    """Bytes of the place for a STRING."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A kernel feature that the script needs, and where. `least_kernel` is (major, minor)."""

    feature: str
    least_kernel: tuple[int, int]
    span: Span


@dataclass(slots=True, eq=False)
class AnalyzedProgram:
    """The result of analysis; see the module's docstring."""

    source: SourceFile
    arch: Architecture
    config: Any
    """The script's settings: compiler.analysis.config.Config."""
    programs: list[BpfProgram] = field(default_factory=list)
    min_kernel: tuple[int, int] = (5, 10)
    """The oldest kernel that the tracer has to run on: what it has may be used."""
    maps: list[MapSymbol] = field(default_factory=list)
    """In order of first mention."""
    actions: list[Action] = field(default_factory=list)
    """An event's first u32 is an index into these; code generation may append RuntimeErrorActions for helpers."""
    action_of: dict[ast.Node, int] = field(default_factory=dict)
    """Index of the action of a Call, of a `/` or `%` whose divisor is not a constant, and of an ArrayAccess whose index
    is not one."""
    parameters: list[Parameter] = field(default_factory=list)
    parameter_of: dict[ast.Node, int] = field(default_factory=dict)
    """Index of the parameter that a PositionalParameter (or a getopt call) stands for."""
    time_formats: list[str] = field(default_factory=list)
    time_format_of: dict[ast.Node, int] = field(default_factory=dict)
    """Index of a strftime call's format in `time_formats`."""
    cgroup_filters: list[str] = field(default_factory=list)
    cgroup_filter_of: dict[ast.Node, int] = field(default_factory=dict)
    """Index of a cgroup_path call's filter in `cgroup_filters`."""
    requirements: list[Requirement] = field(default_factory=list)
    is_recursive: bool = False
    """Whether no program may run on a CPU while another one, or itself, does there."""
    clock_map: MapSymbol | None = None
    """A map without keys that stands for all clocks, so that tests can say what time it is."""
    any_build: bool = False
    """Whether the tracer runs with other builds of its binaries too."""
    c_modules: list[CModule] = field(default_factory=list)
    """C sources that are linked to the programs."""
