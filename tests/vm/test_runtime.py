"""How tracers start, end, and say what is wrong."""

import re
import signal

import pytest

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, start, stopped, trace


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_runs_end_and_prints_maps(machine: Machine, end: signal.Signals) -> None:
    traced = trace(machine, ["/bin/lifecycle"], ["/bin/syscall_10000"], end)
    assert traced.lines == ["begin", "end", "@seen[begin]: 1", "@seen[end]: 3", "@seen[getppid]: 10000"]


def test_exit_runs_end_and_prints_maps(machine: Machine) -> None:
    tracer = start(machine, "/bin/exit")
    machine.run("/bin/syscall_10000")
    completed = tracer.wait()
    assert (output_lines(completed.stdout), completed.code) == (["end", "@by: syscall_10000"], 7)


def test_output_file(machine: Machine) -> None:
    to_stdout = machine.run("/bin/hello")
    to_file = machine.run("/bin/hello", "-o", "/tmp/hello.txt")
    assert (to_file.code, to_file.stdout) == (0, "")
    assert machine.read("/tmp/hello.txt").decode() == to_stdout.stdout


def test_output_file_that_cannot_be_made(machine: Machine) -> None:
    completed = machine.run("/bin/hello", "-o", "/nonexistent/file")
    assert completed.code != 0
    assert "/nonexistent/file" in completed.stderr
    assert completed.stdout == ""


@pytest.mark.parametrize("tracer", ["/bin/hello", "/bin/opensnoop", "/bin/tcpconnect"])
def test_without_privileges(machine: Machine, tracer: str) -> None:
    completed = machine.run(tracer, uid=1000)
    assert completed.code != 0
    assert completed.stdout == ""
    assert re.search(r"root|privilege|CAP_BPF", completed.stderr), completed.stderr


def test_lost_events_are_counted(machine: Machine) -> None:
    tracer = start(machine, "/bin/flood")
    with stopped(tracer):
        machine.run("/bin/syscall_10000")
    tracer.signal(signal.SIGINT)
    completed = tracer.wait()
    received = sum(line.rstrip() == "event" for line in completed.stdout.splitlines())
    reports = re.findall(r"Lost (\d+) events", completed.stdout + completed.stderr)
    assert "@sent: 10000" in completed.stdout.splitlines()
    assert 0 < received < 10000
    assert received + sum(map(int, reports)) == 10000


def test_a_signal_is_heard_while_events_never_stop(machine: Machine) -> None:
    tracer = start(machine, "/bin/feedback", "-B", "none", "-o", "/dev/null")
    machine.run("/bin/syscall_10000")
    tracer.signal(signal.SIGINT)
    completed = tracer.wait()
    assert completed.code == 0
    events = re.search(r"WARNING: (\d+) events", completed.stderr)
    assert events and int(events[1]) > 100, completed.stderr


@pytest.mark.parametrize("program", ["/bin/floor", "/bin/hello"])
def test_what_the_startup_benchmark_measures(machine: Machine, program: str) -> None:
    """See //bench/startup; the numbers themselves mean nothing here."""
    first, end = map(int, machine.run("/bin/measure", "time", program).stdout.split())
    assert 0 < first <= end
    assert int(machine.run("/bin/measure", "memory", program).stdout) > 0


@pytest.mark.parametrize(
    ("tracer", "missing", "line"),
    [
        ("missing_tracepoint", "sys_enter_cachestat", 8),
        ("missing_function", "do_mseal", 3),
        ("missing_tracepoint_field", "rx_sk", 5),
        ("missing_field", "mm_cid", 5),
    ],
)
def test_what_this_kernel_lacks(machine: Machine, kernel_release: str, tracer: str, missing: str, line: int) -> None:
    if not kernel_release.startswith("6.1."):
        # The kernel that these were compiled for has all of them.
        assert trace(machine, [f"/bin/{tracer}"], ["/bin/syscall_10000"]).tracer.code == 0
        return
    completed = machine.run(f"/bin/{tracer}")
    assert completed.code != 0
    assert missing in completed.stderr
    assert f"{tracer}.bt:{line}" in completed.stderr
    assert completed.stdout == "", "it refuses before anything runs"
