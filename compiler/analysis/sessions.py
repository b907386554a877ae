"""Pass: kprobe sessions.

Before: an analyzed program. After: where a kprobe and a kretprobe are at the same functions there is a third program
behind them that does the work of both: kernels that have sessions (6.10) run it instead of them, with one attachment
for entry and return.
"""

from __future__ import annotations

import dataclasses

from compiler.analysis.attach_points import MAX_NAME
from compiler.analysis.program import AnalyzedProgram, BpfProgram, Session
from compiler.syntax import ast


def run(analyzed: AnalyzedProgram) -> None:
    programs: list[BpfProgram] = []
    paired: set[BpfProgram] = set()
    for program in analyzed.programs:
        programs.append(program)
        if program.probe_type.name != "kprobe" or not _may_pair(program):
            continue
        returns = [
            other
            for other in analyzed.programs
            if other.probe_type.name == "kretprobe"
            and other not in paired
            and _may_pair(other)
            and other.attach_points[0].event == program.attach_points[0].event
        ]
        if len(returns) == 1:
            paired.add(returns[0])
            programs.append(_session(program, returns[0]))
    analyzed.programs[:] = programs


def _may_pair(program: BpfProgram) -> bool:
    """Whether ftrace can attach it, and nothing in it depends on which of the two it is attached as."""
    point = program.attach_points[0]
    if len(program.probe.attach_points) != 1 or point.late or not point.event or point.target or point.offset:
        return False
    return not any(isinstance(node, ast.Builtin) and node.name == "probe" for node in program.probe.walk())


def _session(entry: BpfProgram, exit_: BpfProgram) -> BpfProgram:
    point = entry.attach_points[0]
    for program in (entry, exit_):
        program.attach_points[0] = dataclasses.replace(program.attach_points[0], session=Session.PAIRED)
    point = dataclasses.replace(point, session=Session.SESSION)
    return BpfProgram(_name(entry), entry.probe, [point], halves=(entry, exit_))


def _name(entry: BpfProgram) -> str:
    """That of the entry, with an `s` behind its number."""
    plain, _, number = entry.name.rpartition("_")
    suffix = f"_{number}s"
    return plain[: MAX_NAME - len(suffix)] + suffix
