"""The harness itself: what the tests of tracers rely on."""

import signal
from collections.abc import Callable

import pytest

from tests.vm.machine import Completed, Machine, MachineError


def test_kernel_is_the_declared_one(machine: Machine, kernel_release: str) -> None:
    assert machine.read("/proc/sys/kernel/osrelease").decode() == kernel_release + "\n"


def test_output_and_exit_code(machine: Machine) -> None:
    completed = machine.run("/bin/probe", "print", "one", "two words", "")
    assert completed == Completed(completed.pid, 3, "/bin/probe\nprint\none\ntwo words\n\n", "uid 0\n")


def test_unprivileged_user_and_environment(machine: Machine) -> None:
    completed = machine.run("/bin/probe", "getenv", "NAME", uid=1000, environment={"OTHER": "x", "NAME": "a value"})
    assert (completed.stdout, completed.stderr) == ("a value\n", "uid 1000\n")


def test_long_output_is_whole(machine: Machine) -> None:
    completed = machine.run("/bin/probe", "count", "40000")
    assert completed.stdout == "".join(f"{number}\n" for number in range(40000))


def test_signals(machine: Machine) -> None:
    process = machine.spawn("/bin/probe", "sleep")
    process.wait_for_line("ready")
    assert process.poll() is None
    process.signal(signal.SIGTERM)
    assert process.wait().code == -signal.SIGTERM


def test_line_that_never_comes(machine: Machine) -> None:
    with pytest.raises(MachineError, match="ended without the line 'never'"):
        machine.spawn("/bin/probe", "print").wait_for_line("never")


def test_time_limit_ends_the_process(machine: Machine) -> None:
    process = machine.spawn("/bin/probe", "sleep")
    with pytest.raises(MachineError, match="still ran after 0 s"):
        process.wait(timeout=0)
    assert process.wait().code == -signal.SIGKILL


def test_files(machine: Machine) -> None:
    content = bytes(range(256)) * 1000
    machine.write("/tmp/file", content)
    assert machine.read("/tmp/file") == content


def test_refused_requests(machine: Machine) -> None:
    with pytest.raises(MachineError, match="No such file"):
        machine.read("/nonexistent")
    with pytest.raises(MachineError, match="Function not implemented"):
        machine.request("nonsense")


def test_missing_program(machine: Machine) -> None:
    completed = machine.run("/bin/nonexistent")
    assert (completed.code, completed.stderr) == (127, "agent: exec /bin/nonexistent: No such file or directory\n")


def test_both_loopback_addresses_and_file_systems(machine: Machine) -> None:
    assert "00000000000000000000000000000001" in machine.read("/proc/net/if_inet6").decode()
    types = {line.split()[2] for line in machine.read("/proc/mounts").decode().splitlines()}
    assert {"tracefs", "bpf", "cgroup2", "devtmpfs"} <= types


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("sleep",), "did not wait for a process"), (("leave-map",), "a BPF map is left")],
)
def test_verdict_of_failure(make_machine: Callable[[str], Machine], arguments: tuple[str, ...], reason: str) -> None:
    ends_badly = pytest.raises(MachineError, match=f"failure: .*{reason}")
    with ends_badly, make_machine(f"verdict-{arguments[0]}") as machine:
        machine.spawn("/bin/probe", *arguments).wait_for_line("ready")


def test_death_of_the_machine(make_machine: Callable[[str], Machine]) -> None:
    with pytest.raises(MachineError, match="has died"), make_machine("death") as machine:
        machine.write("/proc/sysrq-trigger", b"o")
        machine.run("/bin/probe", "sleep")
