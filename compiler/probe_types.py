"""The table of probe types: what parser, analysis, code generation and docs know about each of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


class ProgramType(enum.IntEnum):
    """enum bpf_prog_type of linux/bpf.h, as far as probes use it."""

    KPROBE = 2
    TRACEPOINT = 5
    XDP = 6
    PERF_EVENT = 7
    RAW_TRACEPOINT = 17
    TRACING = 26
    SYSCALL = 31


class AttachType(enum.IntEnum):
    """enum bpf_attach_type, as far as BPF_PROG_LOAD needs it."""

    NONE = 0
    TRACE_RAW_TP = 23
    TRACE_FENTRY = 24
    TRACE_FEXIT = 25
    TRACE_ITER = 28


class Context(enum.Enum):
    """What a program's context argument points to."""

    UNKNOWN = "unknown"  # the tracer's command line tells
    NOTHING = "nothing"  # the tracer runs it itself: no context to read
    REGISTERS = "registers"  # struct pt_regs
    RECORD = "record"  # a tracepoint's record
    ARGUMENTS = "arguments"  # one u64 for each argument (for fexit the return value after them)
    PERF_EVENT = "perf event"  # struct bpf_perf_event_data: registers first
    ITERATOR = "iterator"  # one pointer for each of the iterator's members


@dataclass(frozen=True, slots=True)
class ProbeType:
    """One probe type. `syntax` shows its parts."""

    name: str
    aliases: tuple[str, ...]
    syntax: tuple[str, ...]
    program_type: ProgramType
    context: Context
    doc: str
    attach_type: AttachType = AttachType.NONE
    least_kernel: tuple[int, int] = (4, 1)
    is_return: bool = False
    has_typed_args: bool = False
    """Whether `args` is there."""

    def __str__(self) -> str:
        return self.name


PROBE_TYPES: tuple[ProbeType, ...] = (
    ProbeType(
        "begin", ("BEGIN",), ("begin",), ProgramType.RAW_TRACEPOINT, Context.NOTHING,
        "Runs once, before the other probes attach", least_kernel=(5, 10),
    ),
    ProbeType(
        "end", ("END",), ("end",), ProgramType.RAW_TRACEPOINT, Context.NOTHING,
        "Runs once, after the other probes are detached", least_kernel=(5, 10),
    ),
    ProbeType(
        "self", (), ("self:signal:SIGNAL",), ProgramType.RAW_TRACEPOINT, Context.NOTHING,
        "Runs when the tracer gets a signal", least_kernel=(5, 10),
    ),
    ProbeType(
        "test", (), ("test:NAME",), ProgramType.XDP, Context.NOTHING,
        "A test of the script itself, run by the tracer's option --test", least_kernel=(5, 10),
    ),
    ProbeType(
        "bench", (), ("bench:NAME",), ProgramType.XDP, Context.NOTHING,
        "A benchmark of the script itself, run by the tracer's option --bench", least_kernel=(5, 10),
    ),
    ProbeType(
        "interval", ("i",), ("interval:COUNT", "interval:UNIT:COUNT"), ProgramType.PERF_EVENT, Context.PERF_EVENT,
        "A timer on one CPU", least_kernel=(4, 9),
    ),
    ProbeType(
        "profile", ("p",), ("profile:COUNT", "profile:UNIT:COUNT"), ProgramType.PERF_EVENT, Context.PERF_EVENT,
        "A timer on every CPU", least_kernel=(4, 9),
    ),
    ProbeType(
        "software", ("s",), ("software:EVENT:", "software:EVENT:COUNT"), ProgramType.PERF_EVENT, Context.PERF_EVENT,
        "An event that the kernel counts", least_kernel=(4, 9),
    ),
    ProbeType(
        "hardware", ("h",), ("hardware:EVENT:", "hardware:EVENT:COUNT"), ProgramType.PERF_EVENT, Context.PERF_EVENT,
        "An event that the processor counts", least_kernel=(4, 9),
    ),
    ProbeType(
        "tracepoint", ("t",), ("tracepoint:CATEGORY:EVENT",), ProgramType.TRACEPOINT, Context.RECORD,
        "A static place in the kernel", least_kernel=(4, 7), has_typed_args=True,
    ),
    ProbeType(
        "rawtracepoint", ("rt",), ("rawtracepoint:EVENT", "rawtracepoint:MODULE:EVENT"), ProgramType.RAW_TRACEPOINT,
        Context.ARGUMENTS, "A static place in the kernel, with the arguments that the kernel itself passes",
        least_kernel=(4, 17), has_typed_args=True,
    ),
    ProbeType(
        "kprobe", ("k",), ("kprobe:[MODULE:]FUNCTION[+OFFSET]", "kprobe:ADDRESS"), ProgramType.KPROBE,
        Context.REGISTERS, "An instruction of the kernel",
    ),
    ProbeType(
        "kretprobe", ("kr",), ("kretprobe:[MODULE:]FUNCTION",), ProgramType.KPROBE, Context.REGISTERS,
        "The return of a kernel function", is_return=True,
    ),
    ProbeType(
        "fentry", ("f", "kfunc"), ("fentry:[MODULE:]FUNCTION", "fentry:bpf:[PROG_ID:]PROG_NAME"),
        ProgramType.TRACING, Context.ARGUMENTS, "The entry of a kernel function, with typed arguments",
        attach_type=AttachType.TRACE_FENTRY, least_kernel=(5, 5), has_typed_args=True,
    ),
    ProbeType(
        "fexit", ("fr", "kretfunc"), ("fexit:[MODULE:]FUNCTION", "fexit:bpf:[PROG_ID:]PROG_NAME"),
        ProgramType.TRACING, Context.ARGUMENTS, "The return of a kernel function, with its arguments and result",
        attach_type=AttachType.TRACE_FEXIT, least_kernel=(5, 5), is_return=True, has_typed_args=True,
    ),
    ProbeType(
        "iter", ("it",), ("iter:OBJECT[:PIN]",), ProgramType.TRACING, Context.ITERATOR,
        "Each object of a kind that the kernel has", attach_type=AttachType.TRACE_ITER, least_kernel=(5, 8),
    ),
    ProbeType(
        "uprobe", ("u",), ("uprobe:[BINARY:][cpp:]FUNCTION[+OFFSET]", "uprobe:BINARY:ADDRESS"), ProgramType.KPROBE,
        Context.REGISTERS, "An instruction of a program or library", has_typed_args=True,
    ),
    ProbeType(
        "uretprobe", ("ur",), ("uretprobe:[BINARY:][cpp:]FUNCTION",), ProgramType.KPROBE, Context.REGISTERS,
        "The return of a function of a program or library", is_return=True,
    ),
    ProbeType(
        "usdt", ("U",), ("usdt:[[BINARY]:[PROVIDER:]]NAME",), ProgramType.KPROBE, Context.REGISTERS,
        "A static place in a program or library",
    ),
    ProbeType(
        "watchpoint", ("w",), ("watchpoint:ADDRESS:LENGTH:MODE",), ProgramType.PERF_EVENT, Context.PERF_EVENT,
        "Accesses to a place in memory", least_kernel=(4, 9),
    ),
)  # fmt: skip

UNKNOWN = ProbeType(
    "unknown", (), (), ProgramType.KPROBE, Context.UNKNOWN, "What a positional parameter says that it is"
)  # fmt: skip
"""Of an attach point like `$1`; no script can name it."""

_IN_KERNEL = frozenset({"kprobe", "tracepoint", "software", "hardware", "fentry", "iter", "rawtracepoint"})
_IN_USER_SPACE = frozenset({"uprobe", "usdt"})

_BY_NAME: Mapping[str, ProbeType] = {
    name: probe_type for probe_type in PROBE_TYPES for name in (probe_type.name, *probe_type.aliases)
}


def find(provider: str) -> ProbeType | None:
    """The probe type of a provider as a script writes it, by name or short name; full names in any case."""
    return _BY_NAME.get(provider) or _BY_NAME.get(provider.lower())


def matching(pattern: str, *, in_user_space: bool) -> list[ProbeType]:
    """The probe types that a pattern of a provider's name stands for, in the order of their names: of those in the
    kernel or of those in programs, and none of them for returns, as upstream has it.
    """
    among = _IN_USER_SPACE if in_user_space else _IN_KERNEL
    return [_BY_NAME[name] for name in sorted(among) if fnmatchcase(name, pattern)]


def names() -> list[str]:
    """All full names, in the order of the table."""
    return [probe_type.name for probe_type in PROBE_TYPES]
