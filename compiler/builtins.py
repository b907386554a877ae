"""The one table of builtin variables and functions.

Type checker, code generator, capability check, docs (docs/builtins.md) and the support matrix read it. It lists all of
the language's standard library.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from compiler.types import lattice
from compiler.types.lattice import Type


class Kind(enum.Enum):
    VARIABLE = "variable"
    """Written without parentheses (`pid`), or with empty ones. Some take arguments too: `pid(init)`."""
    FUNCTION = "function"
    AGGREGATION = "map value function"
    """Only as the value that is assigned to a map."""


class Accept(enum.Enum):
    """What a parameter takes. The value is how messages call it."""

    ANY = "any"
    INTEGER = "int"
    STRING = "string"
    POINTER = "pointer"
    CLOCK = "timestamp_mode"
    STACK = "stack_mode"
    """The mode of a stack; or, where it is left out, what comes next."""
    MAP = "map"
    NAME = "name"
    """A word that means something to this function alone, such as `curr_ns`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    accept: Accept = Accept.ANY
    literal: bool = False
    """Must be known when compiling."""
    optional: bool = False
    repeated: bool = False
    """Any number of further arguments."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """One builtin.

    `result` is the type that it yields, or None where that depends on arguments, probe or target: then the type
    resolver has a rule of this name. `helpers` are names in compiler.helpers that every use needs. `probes` limits it
    to probe types of these names.
    """

    name: str
    kind: Kind
    doc: str
    parameters: tuple[Parameter, ...] = ()
    result: Type | None = None
    helpers: tuple[str, ...] = ()
    probes: frozenset[str] = frozenset()
    unsafe: bool = False
    """Changes the system or runs commands: only with --unsafe."""
    arch: str = ""
    """The only architecture that has it, by the name in compiler.arch; "" for all."""
    library: str = ""
    """The file of compiler/stdlib that has it as macros; "" for what the compiler itself knows how to do. Parameters
    and result of a macro are for documentation: later passes see only what it expands to."""

    @property
    def least_arguments(self) -> int:
        return sum(not parameter.optional and not parameter.repeated for parameter in self.parameters)

    @property
    def most_arguments(self) -> int:
        if any(parameter.repeated for parameter in self.parameters):
            return MAX_ARGUMENTS
        return len(self.parameters)

    @property
    def signature(self) -> str:
        """As documentation shows it."""
        if self.kind is Kind.VARIABLE and not self.parameters:
            return self.name
        required = [p.name for p in self.parameters if not p.optional and not p.repeated]
        text = ", ".join(required)
        for parameter in self.parameters[len(required) :]:
            separator = ", " if text else ""
            text += f"{separator}..." if parameter.repeated else f"[{separator}{parameter.name}]"
        return f"{self.name}({text})"


MAX_ARGUMENTS = 128

_TYPED_PROBES = "tracepoint rawtracepoint fentry fexit uprobe"
_CALL_PROBES = "kprobe uprobe usdt rawtracepoint"
_RETURN_PROBES = "kretprobe uretprobe fentry fexit"
_FUNCTION_PROBES = "kprobe kretprobe uprobe uretprobe fentry fexit"
_CONTEXT_PROBES = "iter kprobe kretprobe uprobe uretprobe usdt profile software hardware interval watchpoint"
_USER_FUNCTION_PROBES = "uprobe uretprobe usdt"
_REGISTER_PROBES = "kprobe kretprobe uprobe uretprobe usdt profile software hardware interval watchpoint"

_PARAMETER = re.compile(r"(?P<optional>\[)?(?P<name>\w+)(: (?P<literal>const )?(?P<accept>\w+))?\]?")


def _parameters(text: str) -> tuple[Parameter, ...]:
    """Reads a list of parameters: `data, [length: int]`; `const` is known when compiling, `...` any number more."""
    return tuple(_parameter(item) for item in text.split(", ") if item)


def _parameter(text: str) -> Parameter:
    if text == "...":
        return Parameter("args", repeated=True)
    match = _PARAMETER.fullmatch(text)
    assert match, text
    return Parameter(
        match["name"], Accept(match["accept"] or "any"), bool(match["literal"]), optional=bool(match["optional"])
    )


def _variable(
    name: str, result: Type | None, doc: str, parameters: str = "", *, helpers: str = "", probes: str = "",
    arch: str = "", library: str = "",
) -> Builtin:  # fmt: skip
    return Builtin(
        name, Kind.VARIABLE, doc, _parameters(parameters), result, tuple(helpers.split()), frozenset(probes.split()),
        arch=arch, library=library,
    )  # fmt: skip


def _function(
    name: str, result: Type | None, doc: str, parameters: str = "", *, helpers: str = "", probes: str = "",
    unsafe: bool = False, library: str = "",
) -> Builtin:  # fmt: skip
    return Builtin(
        name, Kind.FUNCTION, doc, _parameters(parameters), result, tuple(helpers.split()), frozenset(probes.split()),
        unsafe, library=library,
    )  # fmt: skip


def _aggregation(name: str, doc: str, parameters: str = "", *, helpers: str = "") -> Builtin:
    return Builtin(name, Kind.AGGREGATION, doc, _parameters(parameters), helpers=tuple(helpers.split()))


_VARIABLES = (
    _variable("args", None, "The arguments of the probe, by name", probes=_TYPED_PROBES),
    *(
        _variable(f"arg{i}", lattice.UINT64, f"Argument {i} of the probed function", probes=_CALL_PROBES)
        for i in range(10)
    ),
    _variable("cgroup", lattice.UINT64, "Id of the current process's cgroup", helpers="get_current_cgroup_id"),
    _variable(
        "comm",
        lattice.String(16),
        "Name of the current thread, or of the process `pid`",
        "[pid: int]",
        helpers="get_current_comm",
    ),
    _variable("config", None, "The settings that the script was compiled with, by name"),
    _variable("cpid", lattice.UINT64, "Process id of the command given by -c"),
    _variable("cpu", lattice.UINT64, "Number of the current processor", helpers="get_smp_processor_id"),
    _variable("ctx", None, "The context of the BPF program", probes=_CONTEXT_PROBES),
    _variable("curtask", None, "The current `struct task_struct *`", helpers="get_current_task"),
    _variable("elapsed", lattice.UINT64, "Nanoseconds since the tracer started", helpers="ktime_get_boot_ns"),
    _variable("func", None, "Name of the traced function", probes=_FUNCTION_PROBES),
    _variable("gid", lattice.UINT64, "Group id of the current process", helpers="get_current_uid_gid"),
    _variable("has_cpid", lattice.BOOL, "Whether there is a command given by -c"),
    _variable("jiffies", lattice.UINT64, "The kernel's jiffies", helpers="jiffies64"),
    _variable("leader_comm", None, "Name of the thread group's leader", "[task]", library="task.bt"),
    _variable("leader_tid", None, "Thread id of the thread group's leader", "[task]", library="task.bt"),
    _variable("ncpus", lattice.UINT64, "Number of processors"),
    _variable("nsecs", lattice.UINT64, "Nanoseconds of a clock, since boot by default", "[clock: timestamp_mode]"),
    _variable("numaid", lattice.UINT64, "Number of the current NUMA node", helpers="get_numa_node_id"),
    _variable("pcomm", None, "Name of the parent process", "[task]", library="task.bt"),
    _variable(
        "pid",
        lattice.UINT32,
        "Process id (the kernel's thread group id)",
        "[namespace: name]",
        helpers="get_current_pid_tgid",
    ),
    _variable("ppid", None, "Process id of the parent process", "[task]", library="task.bt"),
    _variable("probe", None, "Full name of the probe"),
    _variable("probetype", None, "Name of the probe's type"),
    _variable("rand", lattice.UINT64, "A random number", helpers="get_prandom_u32"),
    _variable("retval", None, "What the traced function returned", probes=_RETURN_PROBES),
    _variable(
        "tid",
        lattice.UINT32,
        "Thread id (the kernel's process id)",
        "[namespace: name]",
        helpers="get_current_pid_tgid",
    ),
    _variable("uid", lattice.UINT64, "User id of the current process", helpers="get_current_uid_gid"),
    _variable("usermode", lattice.UINT8, "Whether the processor was in user mode"),
    _variable("username", lattice.Username(), "User name of the current process", helpers="get_current_uid_gid"),
    _variable("kstack", None, "The kernel stack", "[mode: stack_mode], [limit: const int]", helpers="get_stack"),
    _variable("ustack", None, "The user stack", "[mode: stack_mode], [limit: const int]", helpers="get_stack"),
    _variable(
        "dw_ustack",
        None,
        "The user stack, by the call frame information (DWARF) of the process given by `-p`, `-c` or `--dwarf-pid`",
        "[mode: stack_mode], [limit: const int]",
        arch="x86_64",
    ),
)

_FUNCTIONS = (
    _function(
        "assert", lattice.VOID, "Ends the tracer if the condition does not hold", "cond, message", library="base.bt"
    ),
    _function("assert_str", lattice.VOID, "Fails to compile unless it is a string", "expr", library="strings.bt"),
    _function("bswap", None, "The integer with its bytes reversed", "n"),
    _function("buf", None, "Bytes of memory", "data, [length: int]"),
    _function("cat", lattice.VOID, "Prints a file", "fmt: const string, ..."),
    _function("cgroup_path", lattice.CgroupPath(), "Path of a cgroup", "cgroup: int, [filter: const string]"),
    _function("cgroupid", lattice.UINT64, "Id of the cgroup at a path", "path: const string"),
    _function("clear", lattice.VOID, "Deletes all entries of a map", "map: map"),
    _function(
        "container_of",
        None,
        "The structure that a member's address belongs to",
        "ptr, type, member",
        library="types.bt",
    ),
    _function(
        "debugf", lattice.VOID, "Prints to the kernel's trace pipe", "fmt: const string, ...", helpers="trace_printk"
    ),
    _function("default_str_length", lattice.UINT64, "The length of strings that have none", library="strings.bt"),
    _function("delete", lattice.BOOL, "Deletes one entry of a map; whether there was one", "map: map, [key]"),
    _function("errorf", lattice.VOID, "Prints an error", "fmt: const string, ..."),
    _function("exit", lattice.VOID, "Ends the tracer", "[code: int]"),
    _function("fail", lattice.VOID, "Fails to compile with a message", "fmt: const string, ..."),
    _function(
        "find", lattice.BOOL, "Reads one entry of a map, if there is one", "map: map, key, var", library="base.bt"
    ),
    _function(
        "getopt",
        None,
        "A named parameter of the tracer",
        "name, [default], [description]",
    ),
    _function("has_key", lattice.BOOL, "Whether a map has an entry", "map: map, key"),
    _function("is_array", lattice.BOOL, "Whether it is an array", "expr"),
    _function("is_err", lattice.BOOL, "Whether a pointer is an error number", "ptr", library="base.bt"),
    _function("is_integer", lattice.BOOL, "Whether it is an integer", "expr"),
    _function("is_literal", lattice.BOOL, "Whether it is a literal", "expr"),
    _function("is_ptr", lattice.BOOL, "Whether it is a pointer", "expr"),
    _function("is_scalar", lattice.BOOL, "Whether a map has no keys", "map: map"),
    _function("is_str", lattice.BOOL, "Whether it is a string", "expr"),
    _function("is_unsigned_integer", lattice.BOOL, "Whether it is an unsigned integer", "expr"),
    _function("join", lattice.VOID, "Prints an array of strings, joined", "arr, [delim: const string]"),
    _function("kaddr", lattice.UINT64, "Address of a kernel symbol", "name: const string"),
    _function("kfunc_allowed", lattice.BOOL, "Whether the probe may call a kernel function", "name: const string"),
    _function("kfunc_exist", lattice.BOOL, "Whether there is a kernel function", "name: const string"),
    _function("kptr", None, "The same pointer, into kernel memory", "ptr"),
    _function("ksym", lattice.KSym(), "A kernel address, printed as a symbol", "addr"),
    _function("len", lattice.INT64, "Number of entries of a map or frames of a stack", "map"),
    _function("macaddr", lattice.MacAddress(), "A MAC address", "data"),
    _function("memcmp", lattice.INT32, "Compares memory", "left, right, count: int"),
    _function("ntop", None, "An IP address", "addr, [address]"),
    _function(
        "override",
        lattice.VOID,
        "Makes the probed function return a value",
        "rc: int",
        helpers="override_return",
        probes="kprobe",
        unsafe=True,
    ),
    _function(
        "path",
        None,
        "Path of a `struct path`",
        "path, [size: const int]",
        helpers="d_path",
        probes="fentry fexit iter",
    ),
    _function(
        "percpu_kaddr",
        None,
        "Address of a per-CPU kernel variable",
        "name: const string, [cpu: int]",
        helpers="this_cpu_ptr",
    ),
    _function("print", lattice.VOID, "Prints a map or a value", "value, [top: const int], [div: const int]"),
    _function("printf", lattice.VOID, "Prints formatted text", "fmt: const string, ..."),
    _function("pton", None, "An IP address from text", "addr"),
    _function("reg", lattice.UINT64, "A register", "name: const string", probes=_REGISTER_PROBES),
    _function("signal", lattice.VOID, "Sends a signal to the current process", "signal", unsafe=True),
    _function("signal_name", lattice.String(64), "Name of a signal", "sig: int"),
    _function("signal_thread", lattice.VOID, "Sends a signal to the current thread", "signal", unsafe=True),
    _function(
        "skboutput",
        lattice.UINT32,
        "Writes a packet to a pcap file",
        "path: const string, skb: pointer, length: int, offset: const int",
        helpers="skb_output ktime_get_boot_ns",
        probes="fentry fexit",
    ),
    _function(
        "socket_cookie",
        lattice.UINT64,
        "The cookie of a socket",
        "sk: pointer",
        helpers="get_socket_cookie",
        probes="fentry fexit",
    ),
    _function(
        "static_assert",
        lattice.VOID,
        "Fails to compile if the condition does not hold",
        "cond, message",
        library="base.bt",
    ),
    _function("str", None, "A string from memory", "data, [length: int]"),
    _function("str_concat", lattice.String(1024), "Two strings, one after the other", "left, right"),
    _function("strcap", lattice.UINT64, "The capacity of a string", "str"),
    _function(
        "strcontains", lattice.BOOL, "Whether a string contains another", "haystack, needle", library="strings.bt"
    ),
    _function("strerror", lattice.String(64), "Text of an error number", "error: int"),
    _function("strftime", None, "A time as text", "fmt: const string, timestamp: int"),
    _function("strlen", lattice.UINT64, "Length of a string", "str"),
    _function(
        "strncmp",
        lattice.UINT64,
        "Compares the first bytes of two strings",
        "s1: string, s2: string, n: int",
    ),
    _function("strstr", lattice.INT64, "Where a string contains another", "haystack, needle"),
    _function("syscall_name", lattice.String(64), "Name of a system call", "id: int"),
    _function("system", lattice.VOID, "Runs a command", "fmt: const string, ...", unsafe=True),
    _function("time", lattice.VOID, "Prints the time", "[fmt: const string]"),
    _function(
        "uaddr", None, "Address of a symbol of the traced program", "name: const string", probes=_USER_FUNCTION_PROBES
    ),
    _function("unwatch", lattice.VOID, "Removes the watchpoints of an address", "addr"),
    _function("uptr", None, "The same pointer, into user memory", "ptr"),
    _function("usym", lattice.USym(), "A user address, printed as a symbol", "addr"),
    _function("warnf", lattice.VOID, "Prints a warning", "fmt: const string, ..."),
    _function("write_user", lattice.BOOL, "Writes to user memory", "dst, src, len", unsafe=True),
    _function("zero", lattice.VOID, "Sets all values of a map to zero", "map: map"),
)

_AGGREGATIONS = (
    _aggregation("avg", "Average of the values", "n"),
    _aggregation("count", "Number of calls"),
    _aggregation("hist", "Histogram by powers of two", "n: int, [k: const int]"),
    _aggregation("lhist", "Histogram in equal steps", "n: int, min: const int, max: const int, step: const int"),
    _aggregation("max", "Largest value", "n"),
    _aggregation("min", "Smallest value", "n"),
    _aggregation("stats", "Count, average and sum of the values", "n"),
    _aggregation("sum", "Sum of the values", "n"),
    _aggregation(
        "tseries",
        "Values by interval of time",
        "n, interval_ns: const int, num_intervals: const int, [agg: const string]",
        helpers="ktime_get_boot_ns",
    ),
)

BUILTINS: Mapping[str, Builtin] = {entry.name: entry for entry in (*_VARIABLES, *_FUNCTIONS, *_AGGREGATIONS)}
