"""Runs a tracer in the machine while a workload runs."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.vm.machine import Completed, Machine, Process

# A tracer that has this variable prints its name on a line once all probes are attached.
NOTIFY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"


@dataclass(frozen=True, slots=True)
class Traced:
    """What came of a tracer and of the workload that it watched."""

    tracer: Completed
    workload: Completed

    @property
    def lines(self) -> list[str]:
        return output_lines(self.tracer.stdout)


def output_lines(text: str) -> list[str]:
    """The script's own output: without empty lines and the notice."""
    return [line for line in text.splitlines() if line and line != NOTIFY]


def start(machine: Machine, *tracer: str, environment: Mapping[str, str] | None = None) -> Process:
    """Starts a tracer and waits until its probes are attached."""
    process = machine.spawn(*tracer, environment={NOTIFY: "1", **(environment or {})})
    process.wait_for_line(NOTIFY)
    return process


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """Inside, the process does not run."""
    process.signal(signal.SIGSTOP)
    yield
    process.signal(signal.SIGCONT)


def trace(
    machine: Machine,
    tracer: Sequence[str],
    workload: Sequence[str],
    end: signal.Signals = signal.SIGINT,
    environment: Mapping[str, str] | None = None,
) -> Traced:
    """Attaches a tracer, runs a workload to its end, ends the tracer by a signal. Both must succeed."""
    process = start(machine, *tracer, environment=environment)
    work = machine.run(*workload)
    process.signal(end)
    traced = Traced(process.wait(), work)
    assert traced.workload.code == 0, traced.workload
    assert traced.tracer.code == 0, traced.tracer
    return traced
