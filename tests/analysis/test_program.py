"""What code generation is handed beside the tree: attach points, events, parameters, requirements."""

from __future__ import annotations

from itertools import pairwise

import pytest

from compiler.analysis.program import (
    ExitAction,
    FieldOrigin,
    JoinAction,
    Parameter,
    ParameterKind,
    PrintfAction,
    PrintMapAction,
    PrintValueAction,
    RuntimeErrorAction,
    RuntimeErrorKind,
    Severity,
    TimeAction,
    UnwatchAction,
)
from compiler.syntax import ast
from compiler.types import lattice
from compiler.types.binary.binaries import Binaries
from tests.analysis.harness import analyze


def _printf(text: str) -> PrintfAction:
    action = analyze(text).analyzed.actions[0]
    assert isinstance(action, PrintfAction)
    return action


def _fields(text: str) -> list[ast.FieldAccess]:
    programs = analyze(text).analyzed.programs
    return [node for program in programs for node in program.probe.walk() if isinstance(node, ast.FieldAccess)]


@pytest.mark.parametrize(
    ("text", "name", "period_ns", "frequency"),
    [
        ("interval:s:1", "interval:s:1", 10**9, 0),
        ("i:ms:10", "interval:ms:10", 10**7, 0),
        ("interval:us:5", "interval:us:5", 5000, 0),
        ("interval:hz:99", "interval:hz:99", 10101010, 99),
        ("interval:5s", "interval:us:5000000", 5 * 10**9, 0),
        ("profile:hz:99", "profile:hz:99", 10101010, 99),
        ("p:ms:10", "profile:ms:10", 10**7, 0),
        ("interval:1_000_000", "interval:us:1000", 10**6, 0),
    ],
)
def test_interval(text: str, name: str, period_ns: int, frequency: int) -> None:
    point = analyze(f"{text} {{ print(1) }}").analyzed.programs[0].attach_points[0]
    assert (point.name, point.period_ns, point.frequency) == (name, period_ns, frequency)


@pytest.mark.parametrize(
    ("text", "name", "target", "event", "offset"),
    [
        ("kprobe:vfs_read", "kprobe:vfs_read", "", "vfs_read", 0),
        ("k:vfs_read+4", "kprobe:vfs_read+4", "", "vfs_read", 4),
        ("k:vfs_read+0x10", "kprobe:vfs_read+16", "", "vfs_read", 16),
        ("kprobe:vmlinux:vfs_read", "kprobe:vmlinux:vfs_read", "vmlinux", "vfs_read", 0),
        ("kr:vfs_read", "kretprobe:vfs_read", "", "vfs_read", 0),
        ("f:vfs_read", "fentry:vmlinux:vfs_read", "vmlinux", "vfs_read", 0),
        ("t:sched:sched_switch", "tracepoint:sched:sched_switch", "sched", "sched_switch", 0),
        ("rt:sched_switch", "rawtracepoint:vmlinux:sched_switch", "vmlinux", "sched_switch", 0),
        ("s:faults:5", "software:faults:5", "faults", "", 0),
        ("hardware:cycles", "hardware:cycles", "cycles", "", 0),
        ("hardware:cpu-cycles:", "hardware:cpu-cycles", "cpu-cycles", "", 0),
        ("u:main", "uprobe:main", "", "main", 0),
        ("u:cpp:f", "uprobe:cpp:f", "", "f", 0),
        ("u:/bin/cpp:f", "uprobe:/bin/cpp:f", "/bin/cpp", "f", 0),
        ("U:fired", "usdt:fired", "", "fired", 0),
        ("U::provider:fired", "usdt:provider:fired", "", "fired", 0),
        ("BEGIN", "begin", "", "", 0),
    ],
)
def test_attach_point(text: str, name: str, target: str, event: str, offset: int) -> None:
    point = analyze(f"{text} {{ print(1) }}").analyzed.programs[0].attach_points[0]
    assert (point.name, point.target, point.event, point.offset) == (name, target, event, offset)


def test_kprobe_by_address_is_unsafe() -> None:
    assert "--unsafe" in analyze("kprobe:0x1000 { }").diagnostics
    point = analyze("kprobe:0x1000 { }", unsafe=True).analyzed.programs[0].attach_points[0]
    assert (point.name, point.address) == ("kprobe:4096", 4096)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("arg0, &$n, sizeof($n)", ""),
        ("arg0, $n, 1", "expects data in memory as second argument (int8 provided)"),
        ("arg0, &$n, (uint64)pid", "expects a literal number of bytes, for data behind a pointer"),
        ("arg0, comm, (uint64)pid", ""),
        ("arg0, comm, -1", "cannot write a negative number of bytes (-1 provided)"),
        ('"x", comm, 1', "expects an address in user memory as first argument (string[2] provided)"),
    ],
)
def test_write_user(arguments: str, message: str) -> None:
    text = analyze(f"uprobe:/bin/x:f {{ $n = 5; $r = write_user({arguments}); print($r); }}", unsafe=True).diagnostics
    assert f"ERROR: write_user() {message}\n" in text if message else not text


def test_each_attach_point_has_a_program_of_its_own() -> None:
    programs = analyze("kprobe:vfs_read, kprobe:vfs_write { @ = arg0; }").analyzed.programs
    assert [program.name for program in programs] == ["vfs_read_0", "vfs_write_1"]
    bodies = [list(program.probe.body.walk()) for program in programs]
    assert not set(bodies[0]) & set(bodies[1])


def test_program_names_fit_the_kernel() -> None:
    program = analyze("tracepoint:syscalls:sys_enter_openat { print(1); }").analyzed.programs[0]
    assert program.name == "sys_enter_ope_0"


def test_tracepoint_field() -> None:
    (access,) = _fields("tracepoint:syscalls:sys_enter_openat { print(args.dfd); }")
    assert access.field.origin is FieldOrigin.TRACEPOINT
    assert access.field.field.name == "dfd"


def test_fentry_arguments_are_numbered() -> None:
    accesses = _fields("fexit:vfs_read { print(args.file); print(args.count); }")
    assert [(access.field.origin, access.field.index) for access in accesses] == [
        (FieldOrigin.ARGUMENT, 0),
        (FieldOrigin.ARGUMENT, 2),
    ]


def test_raw_tracepoint_arguments_are_those_of_the_event() -> None:
    accesses = _fields("rawtracepoint:sched_switch { print(args.prev.pid); print(args.next.pid); }")
    assert [(access.name, access.field.index) for access in accesses if access.name != "pid"] == [
        ("prev", 1),
        ("next", 2),
    ]


def test_kernel_field_carries_its_path() -> None:
    (access,) = _fields("BEGIN { print(curtask.tgid); }")
    resolved = access.field
    assert resolved.origin is FieldOrigin.KERNEL_BTF
    assert str(resolved.container) == "struct task_struct"
    assert resolved.field.owner
    assert len(resolved.field.path) == 1


def test_kernel_field_in_anonymous_members_carries_the_whole_path() -> None:
    accesses = _fields("kprobe:vfs_read { print(((struct sock *)arg0).__sk_common.skc_dport); }")
    assert [access.name for access in accesses] == ["skc_dport", "__sk_common"]
    assert len(accesses[0].field.field.path) > 1


def test_bitfield() -> None:
    (access,) = _fields("BEGIN { print(curtask.in_execve); }")
    assert access.field.field.bitfield == 1


def test_record_field_is_fixed() -> None:
    (access,) = _fields("BEGIN { $r = (a=1, b=pid); print($r.b); }")
    assert (access.field.origin, access.field.index, access.field.field.byte_offset) == (FieldOrigin.FIXED, 1, 4)


@pytest.mark.parametrize(
    ("arguments", "offsets", "size"),
    [
        ("", [], 8),
        ("pid", [8], 16),
        ("pid, nsecs", [8, 16], 24),
        ("nsecs, pid", [8, 16], 24),
        ("(uint8)1, (uint16)2, pid, nsecs", [8, 10, 12, 16], 24),
        ("comm", [8], 24),
        ("comm, pid", [12, 8], 32),
        ("str(curtask), comm, pid", [28, 8, 24], 1056),
        ("pid, str(curtask)", [8, 12], 1040),
    ],
)
def test_event_layout_has_the_largest_string_last(arguments: str, offsets: list[int], size: int) -> None:
    count = len(offsets)
    action = _printf(f'BEGIN {{ printf("{"%s" * count}"{", " if arguments else ""}{arguments}); }}')
    assert [field.offset for field in action.fields] == offsets
    assert action.size == size


def test_event_fields_do_not_overlap() -> None:
    action = _printf('BEGIN { printf("%s%s%s%s", comm, pid, str(curtask, 20), (1, "x")); }')
    spans = sorted((field.offset, field.offset + field.type.size) for field in action.fields)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert spans[-1][1] <= action.size


def test_format_pieces() -> None:
    action = _printf('BEGIN { printf("a%%b%-08.3llxc%+d%s\\n", pid, pid, comm); }')
    assert action.severity is Severity.OUTPUT
    first, second, third, rest = action.format
    assert (first.literal, first.conversion, first.length, first.width, first.precision) == ("a%b", "x", "ll", 8, 3)
    assert first.left_align
    assert first.zero_pad
    assert (second.literal, second.conversion, second.show_sign, second.argument) == ("c", "d", True, 1)
    assert (third.literal, third.conversion, third.argument) == ("", "s", 2)
    assert (rest.literal, rest.conversion, rest.argument) == ("\n", "", None)


def test_severity() -> None:
    assert _printf('BEGIN { errorf("x"); }').severity is Severity.ERROR
    assert _printf('BEGIN { warnf("x"); }').severity is Severity.WARNING


def test_actions_of_calls() -> None:
    analyzed = analyze(
        "BEGIN { @a[1] = 1; print(@a, 5, 2); print(pid); exit(3); }\n"
        'END { time(); time("%H"); join(curtask, ","); unwatch(curtask); }'
    ).analyzed
    top, value, leave, clock, hour, joined, unwatched = analyzed.actions
    assert isinstance(top, PrintMapAction)
    assert (top.map.name, top.size) == ("@a", 16)
    assert isinstance(value, PrintValueAction)
    assert isinstance(leave, ExitAction)
    assert (leave.fields[0].type.size, leave.size) == (1, 16)
    assert isinstance(clock, TimeAction)
    assert clock.format == "%H:%M:%S\n"
    assert isinstance(hour, TimeAction)
    assert hour.format == "%H"
    assert isinstance(joined, JoinAction)
    assert (joined.delimiter, joined.count, joined.length) == (",", 16, 1024)
    assert isinstance(unwatched, UnwatchAction)
    assert (unwatched.fields[0].type, unwatched.fields[0].offset) == (lattice.UINT64, 8)
    assert sorted(analyzed.action_of.values()) == list(range(7))


def test_runtime_errors() -> None:
    analyzed = analyze(
        "BEGIN { $x = pid / tid; $y = pid / 2; $z = pid % cpu; $c = curtask.comm[pid]; $d = curtask.comm[3]; }"
    ).analyzed
    kinds = [action.kind for action in analyzed.actions if isinstance(action, RuntimeErrorAction)]
    assert kinds == [
        RuntimeErrorKind.DIVIDE_BY_ZERO,
        RuntimeErrorKind.DIVIDE_BY_ZERO,
        RuntimeErrorKind.ARRAY_OUT_OF_BOUNDS,
    ]


def test_parameters() -> None:
    analyzed = analyze("BEGIN { print($2); print(str($1)); print($2 + 1); print($1); print(str($1, 5)); }").analyzed
    summary = [(parameter.kind, parameter.position, parameter.size) for parameter in analyzed.parameters]
    assert summary == [
        (ParameterKind.WORD, 2, 0),
        (ParameterKind.STRING, 1, 1024),
        (ParameterKind.INTEGER, 2, 0),
        (ParameterKind.WORD, 1, 0),
    ]
    assert all(isinstance(parameter, Parameter) for parameter in analyzed.parameters)
    assert sorted(analyzed.parameter_of.values()) == [0, 1, 1, 2, 3]


def test_time_formats_are_shared() -> None:
    analyzed = analyze(
        'BEGIN { print(strftime("%H", nsecs)); print(strftime("%M", nsecs)); print(strftime("%H", 5)); }'
    )
    assert analyzed.analyzed.time_formats == ["%H", "%M"]
    assert sorted(analyzed.analyzed.time_format_of.values()) == [0, 0, 1]


def test_variables_of_different_blocks_have_different_symbols() -> None:
    outcome = analyze("BEGIN { if (pid) { $a = 1; print($a); } else { $a = 2; } }").analyzed
    symbols = {
        node.symbol for node in outcome.programs[0].probe.walk() if isinstance(node, ast.Variable) and node.name == "$a"
    }
    assert len(symbols) == 2
    assert len({symbol.scope for symbol in symbols}) == 2


def test_requirements() -> None:
    analyzed = analyze("fentry:vfs_read { @ = count(); print((int64)@); print(nsecs(tai)); }").analyzed
    needed = {requirement.feature: requirement.least_kernel for requirement in analyzed.requirements}
    assert needed["fentry probes"] == (5, 5)
    assert needed["helper bpf_map_lookup_percpu_elem"] == (5, 19)
    assert needed["helper bpf_ktime_get_tai_ns"] == (6, 1)
    assert needed["map type BPF_MAP_TYPE_RINGBUF"] == (5, 8)


def test_short_loops_run_on_the_oldest_kernel() -> None:
    text = "BEGIN { for ($i : 0..256) { print($i); } while (pid) { break; } }"
    assert analyze(text, min_kernel=(5, 10)).program is not None


def test_short_searches_run_on_the_oldest_kernel() -> None:
    text = 'BEGIN { print(strstr(comm, str($1))); print(strcontains(str($1), "literal")); }'
    assert analyze(text, min_kernel=(5, 10)).program is not None


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("BEGIN { print(nsecs(tai)); }", "6.1"),
        ("BEGIN { @ = count(); print(@ + 1); }", "5.19"),
        ("BEGIN { for ($i : 0..pid) { print($i); } }", "5.17"),
        ("BEGIN { for ($i : 0..1000) { print($i); } }", "5.17"),
        ("BEGIN { @a[1] = 1; for ($kv : @a) { print($kv); } }", "5.13"),
        ("BEGIN { print(strstr(str($1), str($2))); }", "5.17"),
    ],
)
def test_oldest_kernel(text: str, least: str) -> None:
    outcome = analyze(text, min_kernel=(5, 10))
    assert outcome.program is None
    assert f"needs kernel {least}, but the tracer has to run on 5.10" in outcome.diagnostics
    assert f"HINT: --min_kernel={least}" in outcome.diagnostics
    major, minor = least.split(".")
    assert analyze(text, min_kernel=(int(major), int(minor))).program is not None


class _KnownBinary(Binaries):
    def symbol_size(self, path: str, name: str) -> int | None:
        return {("/bin/x", "byte"): 1, ("/bin/x", "word"): 4, ("/bin/x", "array"): 400}.get((path, name))


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ('uaddr("byte")', "uint8 *"),
        ('uaddr("word")', "uint32 *"),
        ('uaddr("array")', "uint64 *"),
        ('uaddr("unknown")', "uint64 *"),
        ('*uaddr("word")', "uint32"),
        ('*(uint16 *)uaddr("unknown")', "uint16"),
    ],
)
def test_types_of_user_symbols(expression: str, type_: str) -> None:
    outcome = analyze(f"uprobe:/bin/x:main {{ $value = {expression}; }}", binaries=_KnownBinary())
    assignment = outcome.analyzed.programs[0].probe.body.statements[0]
    assert isinstance(assignment, ast.Assign) and isinstance(assignment.target, ast.Variable)
    assert str(assignment.target.symbol.type) == type_


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ('uprobe:/bin/x:f { print(uaddr("a")); }', None),
        ('uretprobe:/bin/x:f { print(uaddr("a")); }', (6, 6)),
        ('uprobe:/bin/x:f* { print(uaddr("a")); }', None),
        ('usdt:/bin/x:a:b { print(uaddr("a")); }', None),
    ],
)
def test_least_kernel_of_user_symbols(text: str, least: tuple[int, int] | None) -> None:
    needed = [item.least_kernel for item in analyze(text).analyzed.requirements if "uaddr" in item.feature]
    assert needed == ([] if least is None else [least])
