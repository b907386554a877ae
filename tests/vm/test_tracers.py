"""The shipped tracers: what they show of a known workload, compared exactly."""

import re
from itertools import pairwise

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, trace

_INIT = 1  # the pid of the agent, which starts the workloads
_SYS_GETPPID = 110


def test_hello(machine: Machine) -> None:
    completed = machine.run("/bin/hello")
    assert (output_lines(completed.stdout), completed.code) == (["Hello, world!"], 0)
    assert completed.stderr == "Attached 1 probe\n"


def test_opensnoop(machine: Machine) -> None:
    traced = trace(machine, ["/bin/opensnoop"], ["/bin/open_100"])
    pid = traced.workload.pid
    expected = []
    for line in traced.workload.stdout.splitlines():
        fd, error, path = line.split()
        expected.append(f"{pid:<7} {'open_100':<16} {fd:>4} {error:>4} {path}")
    assert len(expected) == 100
    assert traced.lines[0] == "PID     COMM               FD  ERR PATH"
    # The agent and the tracer itself open files too, and so does the workload's process before exec.
    assert [line for line in traced.lines[1:] if line.split()[:2] == [str(pid), "open_100"]] == expected


def test_execsnoop(machine: Machine) -> None:
    traced = trace(machine, ["/bin/execsnoop"], ["/bin/exec_50"])
    root = traced.workload.pid
    expected = ["PID     PPID    ARGS", f"{root:<7} {_INIT:<7} /bin/exec_50"]
    for line in traced.workload.stdout.splitlines():
        pid, arguments = line.split(" ", 1)
        expected.append(f"{pid:<7} {root:<7} {arguments}")
    assert len(expected) == 52
    assert traced.lines == expected


def test_syscount_of_one_system_call(machine: Machine) -> None:
    traced = trace(machine, ["/bin/syscount", str(_SYS_GETPPID)], ["/bin/syscall_10000"])
    assert traced.workload.stdout == f"{_SYS_GETPPID} 10000\n"
    assert traced.lines == [f"@calls[syscall_10000, {traced.workload.pid}, {_SYS_GETPPID}]: 10000"]


def test_syscount_of_all_system_calls(machine: Machine) -> None:
    traced = trace(machine, ["/bin/syscount"], ["/bin/syscall_10000"])
    assert f"@calls[syscall_10000, {traced.workload.pid}, {_SYS_GETPPID}]: 10000" in traced.lines
    counts = [int(line.rpartition(": ")[2]) for line in traced.lines]
    assert counts == sorted(counts), "maps are printed in the order of their values"


def test_tcpconnect(machine: Machine) -> None:
    traced = trace(machine, ["/bin/tcpconnect"], ["/bin/connect"])
    expected = ["PID     COMM             SADDR           SPORT DADDR           DPORT"]
    for line in traced.workload.stdout.splitlines():
        local, local_port, remote, remote_port = line.split()
        pid = traced.workload.pid
        expected.append(f"{pid:<7} {'connect':<16} {local:<15} {local_port:>5} {remote:<15} {remote_port:>5}")
    assert [line.split()[2] for line in expected[1:]] == ["127.0.0.1"] * 5 + ["::1"] * 5
    assert traced.lines == expected


def test_parentsnoop(machine: Machine) -> None:
    traced = trace(machine, ["/bin/parentsnoop"], ["/bin/fork_exec_tree"])
    rows = [("PID", "COMM", "PPID", "PCOMM"), (str(traced.workload.pid), "fork_exec_tree", str(_INIT), "init")]
    for line in traced.workload.stdout.splitlines():
        pid, comm, parent, parent_comm = line.split()
        rows.append((pid, comm, parent, parent_comm))
    assert len(rows) == 2 + 2 + 4 + 8
    assert traced.lines == [f"{pid:<7} {comm:<16} {parent:<7} {name}" for pid, comm, parent, name in rows]


def test_runqlat(machine: Machine) -> None:
    traced = trace(machine, ["/bin/runqlat"], ["/bin/sched"])
    assert traced.lines[0] == "@usecs:"
    buckets = [_bucket(line) for line in traced.lines[1:]]
    assert all(high == low_of_next for (_, high, _, _), (low_of_next, _, _, _) in pairwise(buckets))
    assert sum(count for _, _, count, _ in buckets) >= int(traced.workload.stdout)
    most = max(count for _, _, count, _ in buckets)
    assert all(bar == "@" * (52 * count // most) for _, _, count, bar in buckets)
    assert buckets[0][2] > 0 and buckets[-1][2] > 0, "the outermost intervals are those with the first and last value"


def _bucket(line: str) -> tuple[int, int, int, str]:
    """An interval of powers of two: its ends, the count, and the bar without its padding."""
    match = re.fullmatch(r"(\[0\]|\[1\]|\[(\d+[KM]?), (\d+[KM]?)\)) +(\d+) \|(@* *)\|", line)
    assert match, line
    interval, low, high, count, bar = match.groups()
    assert len(bar) == 52
    ends = (int(interval[1]), int(interval[1]) + 1) if low is None else (_number(low), _number(high))
    assert ends[0] == 0 or ends[1] == 2 * ends[0], line
    return *ends, int(count), bar.rstrip()


def _number(text: str) -> int:
    units = {"K": 1 << 10, "M": 1 << 20}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)
