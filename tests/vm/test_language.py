"""What programs compute in the kernel, in whatever way they are attached. The same holds for upstream's bpftrace."""

import re
import signal
from pathlib import Path

import pytest

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, start, trace

_SYS_GETPGID = 121
_VALUES = Path(__file__).parent / "values.txt"
_EXPRESSIONS = Path(__file__).parent / "expressions.txt"


def test_values_are_printed_to_the_byte(machine: Machine) -> None:
    completed = machine.run("/bin/values", "17", "word")
    assert completed.code == 0, completed.stderr
    assert completed.stdout == _VALUES.read_text()


def test_expressions_yield_what_upstream_says(machine: Machine) -> None:
    completed = machine.run("/bin/expressions")
    assert completed.code == 0, completed.stderr
    assert completed.stdout == _EXPRESSIONS.read_text()


def test_c_sources(machine: Machine) -> None:
    completed = machine.run("/bin/interop")
    assert completed.code == 0, completed.stderr
    assert output_lines(completed.stdout) == [
        "(42, -2, true, false)",
        "(10, 15, 7, 22, 3)",
        "(105, 110)",
        "true",
        "(0, -1, 27)",
        "0",
    ]


def test_kernel_functions_are_called_where_they_may_be(machine: Machine, kernel_release: str) -> None:
    """What the target lacks or forbids does not keep a program from loading, if the script asks before it calls."""
    traced = trace(machine, ["/bin/kfuncs"], ["/bin/syscall_10000", str(_SYS_GETPGID)])
    has_function = tuple(map(int, kernel_release.split(".")[:2])) >= (6, 2)
    assert sorted(traced.lines) == [
        f"@exist: ({'true' if has_function else 'false'}, true, false)",
        f"@fentry: {1 if has_function else -1}",
        "@ordinary: false",
        "@rawtracepoint: -1",
        "@registers: true",
    ]


def test_errors_at_run_time_name_every_macro_call(machine: Machine) -> None:
    completed = machine.run("/bin/errors")
    assert completed.code == 0
    lib, script = "tests/vm/interop/lib/failing.bt", "tests/vm/interop/errors.bt"
    assert completed.stderr.splitlines() == [
        "Attached 1 probe",
        f"{lib}:3:3-25: WARNING: this is 1",
        f"{script}:7:3-14: WARNING: expanded from",
        "  complain(1);",
        "  ~~~~~~~~~~~",
        f"{lib}:8:3-8: WARNING: Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used "
        "as the result.",
        "  x / y",
        "  ~~~~~",
        f"{lib}:13:3-13: WARNING: expanded from",
        "  half(x, y)",
        "  ~~~~~~~~~~",
        f"{script}:8:9-21: WARNING: expanded from",
        "  print(ratio(6, $1));",
        "        ~~~~~~~~~~~~",
        f"{lib}:19:3-14: WARNING: Map full; can't update element. Try increasing max_map_keys config or manually "
        "setting the max entries in a map declaration e.g. `let @a = hash(5000)`",
        "Additional Info - helper: map_update_elem, retcode: -7",
        "  @map[2] = 2;",
        "  ~~~~~~~~~~~",
        f"{script}:9:3-13: WARNING: expanded from",
        "  fill(@one);",
        "  ~~~~~~~~~~",
        f"{script}:10:3-19: ERROR: enough",
    ]


def test_function_probes(machine: Machine) -> None:
    traced = trace(machine, ["/bin/probes"], ["/bin/syscall_10000", str(_SYS_GETPGID)])
    assert sorted(traced.lines) == [
        "@fentry[do_getpgid, 0]: 10000",
        "@fexit[do_getpgid, 0, true]: 10000",
        "@kprobe[do_getpgid, 0]: 10000",
        "@kretprobe[do_getpgid, true]: 10000",
        "@tracepoint[tracepoint:syscalls:sys_enter_getpgid]: 10000",
        "@tracepoint[tracepoint:syscalls:sys_exit_getpgid]: 10000",
    ]


def test_arguments_as_a_whole(machine: Machine) -> None:
    traced = trace(machine, ["/bin/arguments"], ["/bin/syscall_10000", str(_SYS_GETPGID)])
    group = traced.workload.pid
    assert sorted(traced.lines) == [
        "@fentry[{ .pid = 0 }]: 10000",
        f"@fexit[{{ .pid = 0, .$retval = {group} }}]: 10000",
        "@fields[0, 0]: 10000",
        f"@last: {{ .pid = 0, .$retval = {group} }}",
        "@tracepoint[{ .__syscall_nr = 121, .pid = 0 }]: 10000",
        "@tuple[{ .pid = 0 }, 1]: 10000",
    ]


def test_interval(machine: Machine) -> None:
    completed = machine.run("/bin/interval")
    lines = output_lines(completed.stdout)
    assert lines[:3] == ["tick 0", "tick 1", "tick 2"]
    # Between the exit() and the end, the clocks may tick on.
    assert re.fullmatch(r"@fast: [1-9]\d*", lines[-2])
    assert re.fullmatch(r"@slow: [3-9]", lines[-1])


def test_nothing_is_lost_when_processors_count_at_once(machine: Machine) -> None:
    tracer = start(machine, "/bin/concurrent")
    workloads = [machine.spawn("/bin/syscall_10000") for _ in range(4)]
    for workload in workloads:
        assert workload.wait().code == 0
    tracer.signal(signal.SIGINT)
    bar = "@" * 52
    assert sorted(output_lines(tracer.wait().stdout)) == sorted(
        [
            *(f"@by_pid[{workload.pid}]: 10000" for workload in workloads),
            "@count: 40000",
            "@hist:",
            f"[4, 8)             40000 |{bar}|",
            "@stats: { .count = 40000, .average = 2, .total = 80000 }",
            "@sum: 120000",
        ]
    )


@pytest.mark.parametrize("tracer", ["parentsnoop", "tcpconnect"])
def test_core_in_user_space_resolves_as_the_kernel_does(machine: Machine, tracer: str) -> None:
    """Kernels before 5.17 do not relocate; the shim's own resolver is used there, or where this variable is set."""
    workload = {"parentsnoop": "/bin/fork_exec_tree", "tcpconnect": "/bin/connect"}[tracer]
    traced = trace(machine, [f"/bin/{tracer}"], [workload], environment={"BPFTRACE_USERSPACE_CORE": "1"})
    rows = [line.split() for line in traced.lines[1:] if line.split()[3:] != ["init"]]
    pid = str(traced.workload.pid)
    expected = [line.split() for line in traced.workload.stdout.splitlines()]
    assert rows == (expected if tracer == "parentsnoop" else [[pid, "connect", *row] for row in expected])


def test_a_killed_tracer_leaves_nothing_behind(machine: Machine) -> None:
    """The machine's verdict at the end says so; the next tracer must work besides."""
    for _ in range(5):
        tracer = start(machine, "/bin/probes")
        tracer.signal(signal.SIGKILL)
        assert tracer.wait().code == -signal.SIGKILL
    assert len(trace(machine, ["/bin/probes"], ["/bin/syscall_10000", str(_SYS_GETPGID)]).lines) == 6
