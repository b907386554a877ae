"""The one table of builtin variables and functions.

Type checker, code generator, capability check, docs (docs/builtins.md) and the support matrix read it. It lists all of
the language's standard library; what is not `supported` yet is a compile error that names it.
"""

from __future__ import annotations

import enum
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
    resolver has a rule of this name. `helpers` are names in compiler.helpers that every use needs. `probes` limits it to
    probe types of these names.
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
    supported: bool = True

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


def _entry(
    name: str, kind: Kind, doc: str, parameters: tuple[Parameter, ...], result: Type | None, helpers: str,
    probes: str, unsafe: bool, supported: bool,
) -> Builtin:  # fmt: skip
    return Builtin(
        name, kind, doc, parameters, result, tuple(helpers.split()), frozenset(probes.split()), unsafe, supported
    )


def _variable(
    name: str, result: Type | None, doc: str, *parameters: Parameter, helpers: str = "", probes: str = "",
    supported: bool = True,
) -> Builtin:  # fmt: skip
    return _entry(name, Kind.VARIABLE, doc, parameters, result, helpers, probes, False, supported)


def _function(
    name: str, result: Type | None, doc: str, *parameters: Parameter, helpers: str = "", probes: str = "",
    unsafe: bool = False, supported: bool = True,
) -> Builtin:  # fmt: skip
    return _entry(name, Kind.FUNCTION, doc, parameters, result, helpers, probes, unsafe, supported)


def _aggregation(name: str, doc: str, *parameters: Parameter, supported: bool = True) -> Builtin:
    return _entry(name, Kind.AGGREGATION, doc, parameters, None, "", "", False, supported)


def _any(name: str) -> Parameter:
    return Parameter(name)


def _integer(name: str) -> Parameter:
    return Parameter(name, Accept.INTEGER)


def _literal(name: str, accept: Accept = Accept.INTEGER) -> Parameter:
    return Parameter(name, accept, literal=True)


def _optional(parameter: Parameter) -> Parameter:
    return Parameter(parameter.name, parameter.accept, parameter.literal, optional=True)


_MAP = Parameter("map", Accept.MAP)
_KEY = Parameter("key")
_FORMAT = _literal("fmt", Accept.STRING)
_REST = Parameter("args", repeated=True)
_NAMESPACE = Parameter("namespace", Accept.NAME, optional=True)
_STACK_MODE = Parameter("mode", Accept.NAME, optional=True)
_STACK_LIMIT = Parameter("limit", Accept.INTEGER, literal=True, optional=True)
_INTEGER_64 = lattice.UINT64

_CALL_PROBES = "kprobe uprobe usdt rawtracepoint"
_RETURN_PROBES = "kretprobe uretprobe fentry fexit"

_ENTRIES: tuple[Builtin, ...] = (
    # --------------------------------------------------------------------------------------------- builtin variables
    _variable("args", None, "The arguments of the probe, by name", probes="tracepoint rawtracepoint fentry fexit uprobe"),
    *(
        _variable(f"arg{i}", _INTEGER_64, f"Argument {i} of the probed function", probes=_CALL_PROBES) for i in range(10)
    ),
    _variable("cgroup", _INTEGER_64, "Id of the current process's cgroup", helpers="get_current_cgroup_id"),
    _variable(
        "comm", lattice.String(16), "Name of the current thread, or of the process `pid`", _optional(_integer("pid")),
        helpers="get_current_comm",
    ),
    _variable("config", None, "The settings of the config block, by name", supported=False),
    _variable("cpid", _INTEGER_64, "Process id of the command given by -c", supported=False),
    _variable("cpu", _INTEGER_64, "Number of the current processor", helpers="get_smp_processor_id"),
    _variable("ctx", None, "The context of the BPF program", supported=False),
    _variable("curtask", None, "The current `struct task_struct *`", helpers="get_current_task"),
    _variable("elapsed", _INTEGER_64, "Nanoseconds since the tracer started", helpers="ktime_get_boot_ns"),
    _variable(
        "func", None, "Name of the traced function", probes="kprobe kretprobe uprobe uretprobe fentry fexit",
    ),
    _variable("gid", _INTEGER_64, "Group id of the current process", helpers="get_current_uid_gid"),
    _variable("has_cpid", lattice.BOOL, "Whether there is a command given by -c", supported=False),
    _variable("jiffies", _INTEGER_64, "The kernel's jiffies", helpers="jiffies64"),
    _variable("leader_comm", None, "Name of the thread group's leader", _optional(_any("task")), supported=False),
    _variable("leader_tid", None, "Thread id of the thread group's leader", _optional(_any("task")), supported=False),
    _variable("ncpus", _INTEGER_64, "Number of processors"),
    _variable(
        "nsecs", _INTEGER_64, "Nanoseconds of a clock, since boot by default",
        Parameter("clock", Accept.CLOCK, optional=True),
    ),
    _variable("numaid", _INTEGER_64, "Number of the current NUMA node", helpers="get_numa_node_id"),
    _variable("pcomm", None, "Name of the parent process", _optional(_any("task")), supported=False),
    _variable(
        "pid", lattice.UINT32, "Process id (the kernel's thread group id)", _NAMESPACE, helpers="get_current_pid_tgid"
    ),
    _variable("ppid", None, "Process id of the parent process", _optional(_any("task")), supported=False),
    _variable("probe", None, "Full name of the probe"),
    _variable("probetype", None, "Name of the probe's type"),
    _variable("rand", lattice.UINT32, "A random number", helpers="get_prandom_u32"),
    _variable("retval", None, "What the traced function returned", probes=_RETURN_PROBES),
    _variable("tid", lattice.UINT32, "Thread id (the kernel's process id)", _NAMESPACE, helpers="get_current_pid_tgid"),
    _variable("uid", _INTEGER_64, "User id of the current process", helpers="get_current_uid_gid"),
    _variable("usermode", lattice.UINT8, "Whether the processor was in user mode", supported=False),
    _variable("username", lattice.Username(), "User name of the current process", helpers="get_current_uid_gid"),
    _variable("kstack", None, "The kernel stack", _STACK_MODE, _STACK_LIMIT, supported=False),
    _variable("ustack", None, "The user stack", _STACK_MODE, _STACK_LIMIT, supported=False),
    _variable("dw_ustack", None, "The user stack, by DWARF", _STACK_MODE, _STACK_LIMIT, supported=False),
    # ------------------------------------------------------------------------------------------------------- functions
    _function("assert", lattice.VOID, "Ends the tracer if the condition does not hold", _any("cond"), _any("message"), supported=False),
    _function("assert_str", lattice.VOID, "Fails to compile unless it is a string", _any("expr"), supported=False),
    _function("bswap", None, "The integer with its bytes reversed", _any("n")),
    _function("buf", None, "Bytes of memory", _any("data"), _optional(_integer("length"))),
    _function("cat", lattice.VOID, "Prints a file", _FORMAT, _REST, supported=False),
    _function("cgroup_path", lattice.CgroupPath(), "Path of a cgroup", _integer("cgroup"), _optional(_any("filter")), supported=False),
    _function("cgroupid", _INTEGER_64, "Id of the cgroup at a path", _literal("path", Accept.STRING), supported=False),
    _function("clear", lattice.VOID, "Deletes all entries of a map", _MAP),
    _function("container_of", None, "The structure that a member's address belongs to", _any("ptr"), _any("type"), _any("member"), supported=False),
    _function("debugf", lattice.VOID, "Prints to the kernel's trace pipe", _FORMAT, _REST, supported=False),
    _function("default_str_length", _INTEGER_64, "The length of strings that have none", supported=False),
    _function("delete", lattice.BOOL, "Deletes one entry of a map; whether there was one", _MAP, _optional(_KEY)),
    _function("errorf", lattice.VOID, "Prints an error", _FORMAT, _REST),
    _function("exit", lattice.VOID, "Ends the tracer", _optional(_integer("code"))),
    _function("fail", lattice.VOID, "Fails to compile with a message", _FORMAT, _REST, supported=False),
    _function("find", lattice.BOOL, "Reads one entry of a map, if there is one", _MAP, _KEY, _any("var"), supported=False),
    _function("getopt", None, "A named parameter of the tracer", _literal("name", Accept.STRING), _optional(_any("default")), _optional(_any("description")), supported=False),
    _function("has_key", lattice.BOOL, "Whether a map has an entry", _MAP, _KEY),
    _function("is_array", lattice.BOOL, "Whether it is an array", _any("expr"), supported=False),
    _function("is_err", lattice.BOOL, "Whether a pointer is an error number", _any("ptr"), supported=False),
    _function("is_integer", lattice.BOOL, "Whether it is an integer", _any("expr"), supported=False),
    _function("is_literal", lattice.BOOL, "Whether it is a literal", _any("expr"), supported=False),
    _function("is_ptr", lattice.BOOL, "Whether it is a pointer", _any("expr"), supported=False),
    _function("is_scalar", lattice.BOOL, "Whether a map has no keys", _MAP, supported=False),
    _function("is_str", lattice.BOOL, "Whether it is a string", _any("expr"), supported=False),
    _function("is_unsigned_integer", lattice.BOOL, "Whether it is an unsigned integer", _any("expr"), supported=False),
    _function("join", lattice.VOID, "Prints an array of strings, joined", _any("arr"), _optional(_literal("delim", Accept.STRING))),
    _function("kaddr", _INTEGER_64, "Address of a kernel symbol", _literal("name", Accept.STRING)),
    _function("kfunc_allowed", lattice.BOOL, "Whether the probe may call a kernel function", _literal("name", Accept.STRING), supported=False),
    _function("kfunc_exist", lattice.BOOL, "Whether the kernel has a kernel function", _literal("name", Accept.STRING), supported=False),
    _function("kptr", None, "The same pointer, into kernel memory", _any("ptr")),
    _function("ksym", lattice.KSym(), "A kernel address, printed as a symbol", _any("addr")),
    _function("len", lattice.INT64, "Number of entries of a map or frames of a stack", _any("map"), supported=False),
    _function("macaddr", lattice.MacAddress(), "A MAC address", _any("data"), supported=False),
    _function("memcmp", lattice.INT32, "Compares memory", _any("left"), _any("right"), _any("count"), supported=False),
    _function("ntop", None, "An IP address", _any("addr"), _optional(_any("address"))),
    _function("override", lattice.VOID, "Makes the probed function return a value", _any("rc"), probes="kprobe", unsafe=True, supported=False),
    _function("path", None, "Path of a `struct path`", _any("path"), _optional(_literal("size")), helpers="d_path", supported=False),
    _function("percpu_kaddr", None, "Address of a per-CPU kernel variable", _literal("name", Accept.STRING), _optional(_integer("cpu")), supported=False),
    _function("print", lattice.VOID, "Prints a map or a value", _any("value"), _optional(_literal("top")), _optional(_literal("div"))),
    _function("printf", lattice.VOID, "Prints formatted text", _FORMAT, _REST),
    _function("pton", None, "An IP address from text", _literal("addr", Accept.STRING), supported=False),
    _function("reg", _INTEGER_64, "A register", _literal("name", Accept.STRING), probes="kprobe kretprobe uprobe uretprobe usdt profile software hardware interval watchpoint"),
    _function("signal", lattice.VOID, "Sends a signal to the current process", _any("signal"), unsafe=True, supported=False),
    _function("signal_name", None, "Name of a signal", _integer("sig"), supported=False),
    _function("signal_thread", lattice.VOID, "Sends a signal to the current thread", _any("signal"), unsafe=True, supported=False),
    _function("skboutput", _INTEGER_64, "Writes a packet to a pcap file", _literal("path", Accept.STRING), Parameter("skb", Accept.POINTER), _integer("length"), _integer("offset"), supported=False),
    _function("socket_cookie", _INTEGER_64, "The cookie of a socket", Parameter("sk", Accept.POINTER), supported=False),
    _function("static_assert", lattice.VOID, "Fails to compile if the condition does not hold", _any("cond"), _any("message"), supported=False),
    _function("str", None, "A string from memory", _any("data"), _optional(_integer("length"))),
    _function("str_concat", None, "Two strings, one after the other", _any("left"), _any("right"), supported=False),
    _function("strcap", _INTEGER_64, "The capacity of a string", _any("str"), supported=False),
    _function("strcontains", lattice.BOOL, "Whether a string contains another", _any("haystack"), _any("needle"), supported=False),
    _function("strerror", None, "Text of an error number", _integer("error"), supported=False),
    _function("strftime", None, "A time as text", _literal("fmt", Accept.STRING), _integer("timestamp")),
    _function("strlen", _INTEGER_64, "Length of a string", _any("str"), supported=False),
    _function("strncmp", lattice.UINT64, "Compares the first bytes of two strings", Parameter("s1", Accept.STRING), Parameter("s2", Accept.STRING), _literal("n"), supported=False),
    _function("strstr", lattice.INT64, "Where a string contains another", _any("haystack"), _any("needle"), supported=False),
    _function("syscall_name", None, "Name of a system call", _integer("id"), supported=False),
    _function("system", lattice.VOID, "Runs a command", _FORMAT, _REST, unsafe=True, supported=False),
    _function("time", lattice.VOID, "Prints the time", _optional(_literal("fmt", Accept.STRING))),
    _function("uaddr", None, "Address of a symbol of the traced program", _literal("name", Accept.STRING), supported=False),
    _function("unwatch", lattice.VOID, "Removes a watchpoint", _integer("addr"), supported=False),
    _function("uptr", None, "The same pointer, into user memory", _any("ptr")),
    _function("usym", lattice.USym(), "A user address, printed as a symbol", _any("addr"), supported=False),
    _function("warnf", lattice.VOID, "Prints a warning", _FORMAT, _REST),
    _function("write_user", lattice.BOOL, "Writes to user memory", _any("dst"), _any("src"), _any("len"), unsafe=True, supported=False),
    _function("zero", lattice.VOID, "Sets all values of a map to zero", _MAP),
    # -------------------------------------------------------------------------------------------- map value functions
    _aggregation("avg", "Average of the values", _any("n")),
    _aggregation("count", "Number of calls"),
    _aggregation("hist", "Histogram by powers of two", _integer("n"), _optional(_literal("k"))),
    _aggregation("lhist", "Histogram in equal steps", _integer("n"), _literal("min"), _literal("max"), _literal("step")),
    _aggregation("max", "Largest value", _any("n")),
    _aggregation("min", "Smallest value", _any("n")),
    _aggregation("stats", "Count, average and sum of the values", _any("n")),
    _aggregation("sum", "Sum of the values", _any("n")),
    _aggregation("tseries", "Values by interval of time", _integer("n"), _literal("interval"), _literal("buckets"), _optional(_literal("function", Accept.STRING)), supported=False),
)  # fmt: skip

BUILTINS: Mapping[str, Builtin] = {entry.name: entry for entry in _ENTRIES}
