"""Every provider on a known workload: exact counts, attached again and again; and nothing is left behind."""

import random
import re
import signal
import time
from contextlib import suppress

import pytest

from tests.vm.machine import Machine, MachineError, Process
from tests.vm.tracing import output_lines, start, trace

# What each probe of providers.bt counts, by what `probe` is there.
_COUNTS = {
    "@[fentry:vmlinux:do_getpgid]": 100,
    "@[fexit:vmlinux:do_getpgid]": 100,
    "@[kprobe:do_getpgid]": 100,
    "@[kretprobe:do_getpgid]": 100,
    "@[rawtracepoint:vmlinux:sys_enter]": 100,
    "@[software:page-faults:1]": 100,
    "@[tracepoint:syscalls:sys_enter_getpgid]": 100,
    "@[uprobe:/bin/everything:called]": 100,
    "@[uretprobe:/bin/everything:called]": 100,
    "@[usdt:/bin/everything:everything:fired]": 100,
    "@uprobe_arguments": sum(range(100)),
    "@uretprobe_results": 2 * sum(range(100)),
    "@usdt_arguments": sum(range(100)),
    "@wildcard[do_getpgid]": 100,
}
_ROUNDS = 100
_KILLS = 30
_PATIENCE_SECONDS = 60.0


def _left(machine: Machine) -> list[str]:
    """Programs, maps, links, probe events and traced functions that the kernel has."""
    completed = machine.run("/bin/bpf_objects")
    assert completed.code == 0, completed
    return completed.stdout.splitlines()


@pytest.fixture(scope="module")
def before(machine: Machine) -> list[str]:
    """What there was before the first tracer."""
    return _left(machine)


def _settles_as(machine: Machine, before: list[str]) -> None:
    """The kernel frees what hangs on programs and probes some time after their last file descriptor is closed."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (left := _left(machine)) != before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == before


@pytest.mark.parametrize("_round", range(3))
def test_counts(machine: Machine, before: list[str], _round: int) -> None:
    traced = trace(machine, ["/bin/providers"], ["/bin/everything"])
    assert sorted(traced.lines) == [f"{key}: {count}" for key, count in sorted(_COUNTS.items())]
    _settles_as(machine, before)


def test_cookies_are_constants_where_the_kernel_has_none(machine: Machine) -> None:
    """Before 5.15; or where this variable is set."""
    traced = trace(machine, ["/bin/providers"], ["/bin/everything"], environment={"BPFTRACE_CONSTANT_COOKIES": "1"})
    assert sorted(traced.lines) == [f"{key}: {count}" for key, count in sorted(_COUNTS.items())]


def test_watchpoint(machine: Machine) -> None:
    traced = trace(machine, ["/bin/watchpoint"], ["/bin/everything"])
    assert sorted(traced.lines) == ["@[watchpoint:268435456:8:w]: 100", "@context[268435456, 1, true, 3]: 100"]


def _unwatch(tracer: Process, time: int) -> None:
    """Has /bin/unwatch remove the next watchpoints, and waits until they are."""
    tracer.signal(signal.SIGUSR1)
    tracer.wait_for_line(f"unwatched {time}")


def test_unwatch(machine: Machine, before: list[str]) -> None:
    """Those of the address are removed, and no others; the tracer goes on when there are none left."""
    tracer = start(machine, "/bin/unwatch", "-B", "line")
    for time_ in (1, 2, 3):
        machine.run("/bin/everything")
        _unwatch(tracer, time_)
    machine.run("/bin/everything")
    # It takes all registers that a processor has: they are free again.
    trace(machine, ["/bin/unwatch"], ["/bin/everything"])
    tracer.signal(signal.SIGINT)
    completed = tracer.wait()
    assert completed.code == 0, completed
    assert sorted(output_lines(completed.stdout)) == [
        "@[watchpoint:268435456:8:w]: 100",
        "@[watchpoint:268435464:8:w]: 200",
        "@signals: 3",
        "unwatched 1",
        "unwatched 2",
        "unwatched 3",
    ]
    assert completed.stderr.count("WARNING") == 1
    assert "unwatch.bt:20:5-24: WARNING: unwatch: no watchpoint has the address 0x10000010\n" in completed.stderr
    _settles_as(machine, before)


def test_unwatch_in_one_process(machine: Machine) -> None:
    process = machine.spawn("/bin/everything", "stopped")
    process.wait_for_line("ready")
    tracer = start(machine, "/bin/unwatch", "-B", "line", "-p", str(process.pid))
    _unwatch(tracer, 1)
    process.signal(signal.SIGCONT)
    assert process.wait().code == 0
    assert sorted(output_lines(tracer.wait().stdout)) == [
        "@[watchpoint:268435464:8:w]: 100", "@signals: 1", "unwatched 1",
    ]  # fmt: skip


def test_places_of_a_process(machine: Machine) -> None:
    """Without a path, a probe is where the process of -p has it."""
    process = machine.spawn("/bin/everything", "stopped")
    process.wait_for_line("ready")
    tracer = start(machine, "/bin/of_process", "-p", str(process.pid))
    machine.run("/bin/everything")
    process.signal(signal.SIGCONT)
    assert process.wait().code == 0
    program = f"/proc/{process.pid}/root/bin/everything"
    assert sorted(output_lines(tracer.wait().stdout)) == [
        f"@[uprobe:{program}:called]: 100",
        f"@[uprobe:{program}:cpp:called]: 100",
        "@[usdt:/bin/everything:everything:fired]: 100",
        f"@arguments: {sum(range(100))}",
        "@fired: 100",
        f"@results[called]: {2 * sum(range(100))}",
    ]


def test_places_of_no_process(machine: Machine) -> None:
    completed = machine.run("/bin/of_process")
    assert completed.code == 1, completed
    assert "attach uprobe:called: a probe without a path needs a process: -p PID" in completed.stderr


def test_timers_fire_on_every_processor(machine: Machine) -> None:
    tracer = start(machine, "/bin/timers")
    machine.run("/bin/sched")
    tracer.signal(signal.SIGINT)
    fired = {line.rpartition(":")[0] for line in output_lines(tracer.wait().stdout)}
    assert fired == {
        "@[profile:hz:100, 0]",
        "@[profile:hz:100, 1]",
        "@[software:cpu-clock:1000000, 0]",
        "@[software:cpu-clock:1000000, 1]",
        "@interval",
    }


def test_signals_of_the_tracer_itself(machine: Machine) -> None:
    tracer = start(machine, "/bin/providers")
    tracer.signal(signal.SIGUSR1)
    tracer.signal(signal.SIGINT)
    assert output_lines(tracer.wait().stdout) == ["@[self:signal:SIGUSR1]: 1"]


def test_every_function_of_the_kernel(machine: Machine, before: list[str], kernel_release: str) -> None:
    """Where the kernel has links for many functions. //bench/attach says how long it takes."""
    if kernel_release.startswith(("5.10.", "6.1.")):
        pytest.skip("it has no links for many functions: each of 35,000 would be a perf event of its own")
    traced = trace(machine, ["/bin/every_function"], ["/bin/everything"])
    attached = re.search(r"Attached (\d+) probes", traced.tracer.stderr + traced.tracer.stdout)
    assert attached and int(attached[1]) > 10_000, traced.tracer
    calls = re.fullmatch(r"@calls: (\d+)", traced.lines[-1])
    assert calls and int(calls[1]) > 100, "each of the workload's system calls is a function at least"
    _settles_as(machine, before)


def test_a_hundred_rounds_leave_nothing_behind(machine: Machine, before: list[str]) -> None:
    for _ in range(_ROUNDS):
        tracer = start(machine, "/bin/providers")
        assert _left(machine) != before
        tracer.signal(signal.SIGINT)
        assert tracer.wait().code == 0
    _settles_as(machine, before)
    assert len(trace(machine, ["/bin/providers"], ["/bin/everything"]).lines) == len(_COUNTS)


def test_killed_at_any_moment_it_leaves_nothing_behind(machine: Machine, before: list[str]) -> None:
    """Moments from the start of the process to the time when fifty probes run, and while they are taken away."""
    started = time.monotonic()
    tracer = start(machine, "/bin/fifty")
    whole = time.monotonic() - started
    tracer.signal(signal.SIGINT)
    tracer.wait()
    ends = set()
    moments = random.Random(4)
    for kill in range(_KILLS):
        if kill % 3:
            tracer = machine.spawn("/bin/fifty")
        else:
            tracer = start(machine, "/bin/fifty")
            tracer.signal(signal.SIGINT)
        time.sleep(moments.uniform(0, whole))
        with suppress(MachineError):  # it may have ended by itself
            tracer.signal(signal.SIGKILL)
        ends.add(tracer.wait().code)
        _settles_as(machine, before)
    assert -signal.SIGKILL in ends
    assert len(trace(machine, ["/bin/providers"], ["/bin/everything"]).lines) == len(_COUNTS)
