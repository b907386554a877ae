"""Probe types on a known workload: exact counts, in every way in which a program learns its target."""

import re
import signal
from collections.abc import Mapping

import pytest

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, start, trace

_CALLS = 10_000
_SYS_GETPGID = "121"

# Kernels before 5.15 have no cookies, or where this variable is set.
cookies = pytest.mark.parametrize("environment", [{}, {"BPFTRACE_CONSTANT_COOKIES": "1"}], ids=["cookies", "constants"])


@cookies
def test_kernel_patterns(machine: Machine, environment: Mapping[str, str]) -> None:
    traced = trace(machine, ["/bin/kernel_patterns"], ["/bin/syscall_10000", _SYS_GETPGID], environment=environment)
    assert sorted(line for line in traced.lines if "getpgid" in line or "raw" in line) == [
        f"@fentry[fentry:vmlinux:do_getpgid]: {_CALLS}",
        f"@fexit[fexit:vmlinux:do_getpgid]: {_CALLS}",
        f"@kprobes[do_getpgid]: {_CALLS}",
        f"@kretprobes[do_getpgid]: {_CALLS}",
        f"@rawtracepoint[rawtracepoint:vmlinux:sys_enter]: {_CALLS}",
        f"@tracepoint[tracepoint:syscalls:sys_enter_getpgid]: {_CALLS}",
        f"@tracepoints[tracepoint:syscalls:sys_enter_getpgid]: {_CALLS}",
        f"@tracepoints[tracepoint:syscalls:sys_exit_getpgid]: {_CALLS}",
    ]


def test_verifier_logs(machine: Machine) -> None:
    """Where each target has a program of its own, none is left out for being loaded with a log."""
    command = ["/bin/kernel_patterns", "-d", "verifier"]
    environment = {"BPFTRACE_CONSTANT_COOKIES": "1"}
    traced = trace(machine, command, ["/bin/syscall_10000", _SYS_GETPGID], environment=environment)
    assert [line for line in sorted(traced.lines) if line.startswith("@tracepoints")] == [
        f"@tracepoints[tracepoint:syscalls:sys_enter_getpgid]: {_CALLS}",
        f"@tracepoints[tracepoint:syscalls:sys_exit_getpgid]: {_CALLS}",
    ]


def test_sessions(machine: Machine, kernel_release: str) -> None:
    """Entry and return count alike, be they one program (from Linux 6.10 on) or two."""
    traced = trace(machine, ["/bin/sessions"], ["/bin/syscall_10000"])
    assert sorted(line for line in traced.lines if "least" not in line) == [
        f"@entries: {_CALLS}",
        f"@many_entries: {_CALLS}",
        f"@many_returns: {_CALLS}",
        f"@returns: {_CALLS}",
    ]
    has_sessions = tuple(map(int, kernel_release.split(".")[:2])) >= (6, 10)
    assert f"Attached {2 if has_sessions else 4} probes" in traced.tracer.stderr


def test_programs(machine: Machine) -> None:
    """Programs of another tracer are functions too."""
    traced = start(machine, "/bin/getppid_counter")
    tracer = trace(machine, ["/bin/of_programs"], ["/bin/syscall_10000"])
    traced.signal(signal.SIGINT)
    assert traced.wait().code == 0
    symbol = r"bpf_prog_[0-9a-f]+___do_sys_getp_0"
    assert re.fullmatch(rf"@entries\[{symbol}\]: {_CALLS} @exits\[{symbol}\]: {_CALLS}", " ".join(sorted(tracer.lines)))


@cookies
def test_user_functions(machine: Machine, environment: Mapping[str, str]) -> None:
    """The command starts when the probes are attached, and the tracer ends with it."""
    completed = machine.run("/bin/user_functions", "-c", "/bin/calls", environment=environment)
    assert completed.code == 0, completed
    lines = output_lines(completed.stdout)
    assert [line for line in lines if not line.startswith("@")] == ["counted_first 7 70", "counted_second 5 -5"]
    assert sorted(line for line in lines if line.startswith("@")) == [
        "@entries[uprobe:/bin/calls:counted_first, counted_first]: 7",
        "@entries[uprobe:/bin/calls:counted_second, counted_second]: 5",
        "@in_files[uprobe:/bin/calls:counted_first]: 7",
        "@left: 21",
        "@of_command: 5",
        "@results: 70",
        "@returns[counted_first]: 7",
        "@returns[counted_second]: 5",
        "@right: 49",
    ]


def test_write_user(machine: Machine) -> None:
    completed = machine.run("/bin/write_user", "-c", "/bin/overwritten")
    assert completed.code == 0, completed
    lines = output_lines(completed.stdout)
    assert [line for line in lines if line in ("true", "false")] == ["true", "true", "true", "false"]
    assert [line for line in lines if line.startswith("After")] == [f"After {0x11223344556678} {0x78}"]


def test_mangled_functions(machine: Machine) -> None:
    completed = machine.run("/bin/mangled_functions", "-c", "/bin/mangled")
    assert completed.code == 0, completed
    assert sorted(output_lines(completed.stdout)) == [
        "123",
        "@numbers: 3",
        "@overloads[uprobe:/bin/mangled:cpp:_ZN3app6Server6handleEPKc]: 1",
        "@overloads[uprobe:/bin/mangled:cpp:_ZN3app6Server6handleEi]: 3",
        "@results[_ZN3app6Server6handleEPKc]: 120",
        "@results[_ZN3app6Server6handleEi]: 3",
    ]


def test_functions_in_an_archive(machine: Machine) -> None:
    completed = machine.run("/bin/in_archive", "-c", "/bin/archived")
    assert completed.code == 0, completed
    assert sorted(output_lines(completed.stdout)) == [
        "@numbers[uprobe:/bin/members.zip!/lib/stored.so:counted, counted]: 15",
        "@results[uretprobe:/bin/members.zip!/lib/stored.so:counted]: 30",
        "sum 30",
    ]


def test_compressed_in_an_archive(machine: Machine) -> None:
    completed = machine.run("/bin/in_archive_compressed")
    assert completed.code == 1, completed
    assert "members.zip!/lib/squeezed.so' is compressed or encrypted in the archive" in completed.stderr


def test_only_one_process(machine: Machine) -> None:
    """-p limits what the kernel cannot limit, too: the agent, whose pid is 1, does not make this system call."""
    process = machine.spawn("/bin/kernel_patterns", "-p", "1", environment={"__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1"})
    process.wait_for_line("__BPFTRACE_NOTIFY_PROBES_ATTACHED")
    assert machine.run("/bin/syscall_10000", _SYS_GETPGID).code == 0
    process.signal(signal.SIGINT)
    assert output_lines(process.wait().stdout) == []
