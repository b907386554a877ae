"""Pass: user binaries.

Before: one probe for each attach point. After: attach points of uprobe, uretprobe and usdt have their binary where the
compiler knows it; then they are known to be in it, functions and source lines have their address, and the programs that
use `args` its types.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence

from compiler.analysis.attach_point_parts import is_wildcard
from compiler.analysis.program import AttachPoint, BpfProgram
from compiler.arch import Architecture
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.binary.binaries import Binaries
from compiler.types.errors import BinaryError, NoDebugInfo
from compiler.types.lattice import Field

_PROBE_TYPES = frozenset({"uprobe", "uretprobe", "usdt"})
_ARGUMENTS = frozenset({"args", "__builtin_args"})
_NO_DEBUG_INFO = (
    "Compile it with -g. Bazel strips what that adds, unless it builds with --strip=never, -c opt or -c dbg."
)
_UNKNOWN_BINARY = (
    "The compiler looks only at binaries that it is told of: uprobe_targets of bpftrace_binary, --binary, --root."
)


class _Missing(Exception):
    """The binary does not have the place."""

    def __init__(self, hints: Sequence[str] = ()) -> None:
        super().__init__()
        self.hints = hints


def run(
    programs: Sequence[BpfProgram],
    binaries: Binaries,
    arch: Architecture,
    sink: DiagnosticSink,
    *,
    missing_probes: str,
) -> list[BpfProgram]:
    """The programs that have a place to run."""
    kept = []
    for program in programs:
        point = program.attach_points[0]
        if point.probe_type.name not in _PROBE_TYPES or point.late:
            kept.append(program)
            continue
        try:
            program.attach_points[0] = _look_up(point, binaries, arch)
            if point.probe_type.has_typed_args and _uses_arguments(program.probe):
                program.argument_types = _arguments(program.attach_points[0], sink)
            kept.append(program)
        except _Missing as missing:
            what = f"No matches for {point.probe_type} {':'.join(point.name.split(':')[1:])}."
            if missing_probes == "error":
                sink.error("missing-probe", what, point.span, hints=missing.hints)
            elif missing_probes == "warn":
                sink.warning("missing-probe", f"{what} Skipping.", point.span, hints=missing.hints)
        except BinaryError as error:
            sink.error("binary", str(error), point.span, hints=_hints(point, binaries))
    return kept


def check(programs: Sequence[BpfProgram], sink: DiagnosticSink, *, may_differ: bool) -> None:
    """Once it is known what programs take from their binaries: whether the tracer can tell those from others.

    `may_differ` says that the tracer shall run with other builds of a binary too.
    """
    checked = set()
    for program in programs:
        point = program.attach_points[0]
        binary = point.binary
        if binary is None or binary in checked or not binary.matters:
            continue
        checked.add(binary)
        for name in binary.missing_split_files():
            message = f"{binary.name}: the file of split debug information '{name}' cannot be found"
            sink.warning("debug-info", message, point.span)
        has_address = any(one.attach_points[0].binary is binary and not one.attach_points[0].event for one in programs)
        if binary.elf.build_id or (may_differ and not has_address):
            continue
        sink.error(
            "build-id",
            f"{binary.name} has no build id, so that the tracer could not tell it from other builds",
            point.span,
            hints=["The linker writes one with --build-id (of a C compiler: -Wl,--build-id)."],
        )


def _hints(point: AttachPoint, binaries: Binaries) -> list[str]:
    """What may be done about a binary that does not tell what was asked."""
    try:
        binary = None if point.is_of_process or is_wildcard(point.target) else binaries.find(point.target)
        if binary is None:
            return [_UNKNOWN_BINARY]
        return [] if binary.has_debug_info else [_NO_DEBUG_INFO]
    except BinaryError:
        return []


def _look_up(point: AttachPoint, binaries: Binaries, arch: Architecture) -> AttachPoint:
    """Raises _Missing and BinaryError."""
    binary = None if point.is_of_process or is_wildcard(point.target) else binaries.find(point.target)
    if binary is not None and binary.elf.arch != arch.name:
        if binary.is_required:
            machine = binary.elf.arch or binary.elf.machine
            raise BinaryError(f"{binary.elf.path}: a binary for {machine}, where the tracer is for {arch.name}")
        binary = None
    if binary is None:
        if point.source_file:
            raise BinaryError(
                f"No DWARF debug info found for '{point.target}', cannot attach by source code location."
            )  # fmt: skip
        return point
    point = dataclasses.replace(point, binary=binary)
    if point.source_file:
        address = binary.line(point.source_file, point.source_line, point.source_column)
        has_own_name = point.name != f"{point.probe_type}:{point.target}"
        name = point.name if has_own_name else f"{point.name}:{address}"
        return dataclasses.replace(point, address=address, name=name)
    if point.has_wildcard or not binary.is_required:
        return point
    if point.address and not point.unsafe and all(one.address != point.address for one in binary.elf.functions()):
        raise _Missing
    if point.probe_type.name == "usdt":
        names = {name for provider, name in binary.elf.usdt_probes if point.namespace in ("", provider)}
        if point.event not in names:
            raise _Missing(_similar(point.event, names))
    elif point.event and binary.function(point.event) is None:
        raise _Missing(_similar(point.event, {symbol.name for symbol in binary.elf.functions()}))
    return point


def _similar(name: str, names: set[str]) -> list[str]:
    return [f"Did you mean {close}?" for close in difflib.get_close_matches(name, sorted(names), 1, 0.8)]


def _uses_arguments(probe: ast.Probe) -> bool:
    return any(isinstance(node, ast.Identifier | ast.Builtin) and node.name in _ARGUMENTS for node in probe.walk())


def _arguments(point: AttachPoint, sink: DiagnosticSink) -> tuple[Field, ...]:
    """Raises _Missing and BinaryError; what the debug information does not tell is reported."""
    problem, hints, binary = "", [], point.binary
    if binary is None or not binary.has_debug_info:
        problem = f"no debuginfo found for {point.target or 'the binary of a process'}"
        hints = [_UNKNOWN_BINARY if binary is None else _NO_DEBUG_INFO]
    elif point.has_wildcard:
        problem = "it stands for many functions"
    elif not point.event or point.offset:
        problem = "they are known only where a function begins"
    elif binary.function(point.event) is None:
        raise _Missing
    else:
        try:
            return binary.arguments(point.event)
        except NoDebugInfo as error:
            problem = str(error)
    sink.error("probe-arguments", f'Could not parse arguments of "{point.name}": {problem}', point.span, hints=hints)
    return ()
