"""Pass: programs that would run inside of their own map operations.

Before: attach points are resolved. After: nothing has changed; a script that traces what the kernel's maps lock with
has been warned. Two programs that wait for each other's maps would stop the machine: code generation lets no program
run on a CPU while another one does there. (The kernel itself does so for kprobes.)
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax.diagnostics import DiagnosticSink

_LOCKS = frozenset(
    {"_raw_spin_lock", "_raw_spin_lock_irqsave", "_raw_spin_unlock_irqrestore", "queued_spin_lock_slowpath"}
)


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> bool:
    """Whether programs must be kept from interrupting each other."""
    for program in programs:
        for point in program.attach_points:
            if point.probe_type.name in ("fentry", "fexit") and point.event in _LOCKS:
                message = (
                    f"Attaching to dangerous function: vmlinux:{point.event}. bpftrace has added mitigations to "
                    "prevent a kernel deadlock but they may result in some lost events."
                )
                sink.warning("recursion", message, None)
                return True
    return False
