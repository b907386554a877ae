"""Pass: attach points.

Before: a parsed program. After: one probe, with a body of its own, for each attach point, in the order of the script;
attach points that are malformed, not supported yet or missing in the kernel have been reported.

What the snapshot's kernel lacks is an error, or a warning, or nothing, by the setting `missing_probes`. With the latter
two the attach point goes on to the target if the program does not need its types, and else it is left out.
"""

from __future__ import annotations

import dataclasses
import difflib

from compiler import probe_types
from compiler.analysis.attach_point_parts import BadAttachPoint, Parts, is_wildcard, read
from compiler.analysis.config import Config
from compiler.analysis.kernel_places import Missing, Place, look_up
from compiler.analysis.program import AttachPoint, BpfProgram
from compiler.probe_types import UNKNOWN, ProbeType
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import Span, is_utf8
from compiler.types.kernel import Kernel

_LATE = frozenset(
    {
        "interval", "profile", "tracepoint", "rawtracepoint", "kprobe", "kretprobe", "fentry", "fexit", "uprobe",
        "uretprobe", "usdt", "watchpoint",
    }
)  # fmt: skip
"""Probe types whose attach points the tracer can take apart, when its parameters have completed them."""

MAX_NAME = 15
"""Bytes of a program's name in the kernel."""
_WILDCARDS = frozenset(
    {"kprobe", "kretprobe", "fentry", "fexit", "tracepoint", "rawtracepoint", "uprobe", "uretprobe", "usdt"}
)
"""Probe types whose names may be patterns."""
_TYPED_BUILTINS = frozenset({"args", "retval", "__builtin_retval"})


def run(
    program: ast.Program, kernel: Kernel, config: Config, sink: DiagnosticSink, *, unsafe: bool
) -> list[BpfProgram]:
    missing_probes = config.missing_probes
    pass_ = _AttachPoints(kernel, sink, unsafe, missing_probes, config.max_bpf_progs)
    programs: list[BpfProgram] = []
    for probe in program.probes:
        pass_.check_iterators(probe)
        needs_types = _needs_types(probe)
        resolved = pass_.resolve_all(probe, needs_types=needs_types)
        if not resolved and missing_probes == "warn" and not sink.has_errors:
            sink.warning(
                "empty-probe",
                "Probe has no valid attach points. It is being removed which may cause issues with program behavior.",
                probe.span,
            )
        if len(programs) + len(resolved) > config.max_bpf_progs and len(resolved) > len(probe.attach_points):
            _report_limit(probe, len(programs) + len(resolved), config.max_bpf_progs, sink)
            break
        for index, found in enumerate(resolved):
            body = probe if index == 0 else probe.clone()
            programs.append(BpfProgram(_program_name(found.point, len(programs)), body, [found.point], found.arguments))
    return programs


def _optional(place: Place) -> Place:
    """A pattern beside other attach points: no error if the target has nothing that it matches."""
    if not place.point.has_wildcard:
        return place
    return dataclasses.replace(place, point=dataclasses.replace(place.point, is_match=True))


def _needs_types(probe: ast.Probe) -> bool:
    """Whether a probe uses what has another type, or lies elsewhere, in each place that a wildcard matches."""
    return any(isinstance(node, ast.Identifier | ast.Builtin) and node.name in _TYPED_BUILTINS for node in probe.walk())


def _report_limit(probe: ast.Probe, count: int, limit: int, sink: DiagnosticSink) -> None:
    message = (
        f"Your program is trying to generate more than {count} BPF programs, which exceeds the current limit of {limit}"
    )
    hint = "You can increase the limit through the BPFTRACE_MAX_BPF_PROGS environment variable."
    sink.error("program-count", message, probe.attach_points[0].span, hints=[hint])


def _program_name(point: AttachPoint, number: int) -> str:
    """Readable in `bpftool prog`, unique by the number behind."""
    suffix = f"_{number}"
    plain = "".join(char if char.isalnum() and char.isascii() else "_" for char in point.event or point.probe_type.name)
    return plain[: MAX_NAME - len(suffix)] + suffix


class _AttachPoints:
    def __init__(
        self, kernel: Kernel, sink: DiagnosticSink, unsafe: bool, missing_probes: str, max_programs: int
    ) -> None:
        self.kernel = kernel
        self.sink = sink
        self.unsafe = unsafe
        self.missing_probes = missing_probes
        self.max_programs = max_programs
        self.named: dict[str, Span] = {}
        """Tests and benchmarks, by the names of their probes."""
        self.unmatched: list[AttachPoint] = []
        """The patterns of the probe that match nothing in the snapshot's kernel."""

    def resolve_all(self, probe: ast.Probe, *, needs_types: bool) -> list[Place]:
        """The places of a probe. Of several attach points, a pattern may match nothing, here or on the target."""
        self.unmatched.clear()
        most = self.max_programs + len(probe.attach_points)
        places: list[Place] = []
        for node in probe.attach_points:
            places += self.resolve(node, needs_types=needs_types)
            if len(places) > most:
                return places  # It is too many already, and each further pattern may be as much work.
        if places:
            if not needs_types:
                places += map(Place, self.unmatched)
            return places if len(places) == 1 else [_optional(place) for place in places]
        if len(self.unmatched) == len(probe.attach_points):
            message = (
                "Probe has no valid attach points. "
                "If this is expected, set the 'missing_probes' config variable to 'warn'."
            )
            span = probe.attach_points[0].span.to(probe.attach_points[-1].span)
            hint = f"the kernel that the script is compiled for is {self.kernel.release}"
            self.sink.error("missing-probe", message, span, hints=[hint])
        return []

    def resolve(self, node: ast.AttachPoint, *, needs_types: bool) -> list[Place]:
        """The places that it stands for; empty if there is none, which was reported."""
        try:
            if not is_utf8(node.text):
                raise BadAttachPoint("attach points must be UTF-8")
            if node.parts[0].has_parameters:
                return [Place(self._late(node, UNKNOWN))]
            if is_wildcard(node.provider):
                return self._of_any_type(node, needs_types=needs_types)
            point = self._read(node, _probe_type(node.provider))
            if point.probe_type.name in ("test", "bench"):
                self._check_name(point)
            return self._look_up(point, needs_types=needs_types)
        except BadAttachPoint as bad:
            self.sink.error(bad.code, str(bad), node.span, hints=bad.hints)
            return []

    def _look_up(self, point: AttachPoint, *, needs_types: bool) -> list[Place]:
        try:
            return look_up(self.kernel, point, needs_types=needs_types)
        except Missing as missing:
            if missing.warning and self.missing_probes != "ignore":
                self.sink.warning("missing-probe", missing.warning, point.span)
            if self.missing_probes == "error" and not (self.unsafe and not missing.needs_types):
                if point.has_wildcard:
                    self.unmatched.append(point)
                    return []
                hints = [*missing.hints, f"the kernel that the script is compiled for is {self.kernel.release}"]
                self.sink.error("missing-probe", f"{missing}.", point.span, hints=hints)
                return []
            if not missing.needs_types:
                return [Place(point)]  # the target knows better
            if self.missing_probes == "warn":
                self.sink.warning("missing-probe", f"{missing}. Skipping.", point.span, hints=missing.hints)
            return []

    def check_iterators(self, probe: ast.Probe) -> None:
        nodes = [node for node in probe.attach_points if probe_types.find(node.provider) is probe_types.find("iter")]
        for node in nodes[1:]:
            self.sink.error("attach-point", "iter probe only supports one attach point.", node.span)

    def _check_name(self, point: AttachPoint) -> None:
        other = self.named.setdefault(f"{point.probe_type}:{point.target}", point.span)
        if other is not point.span:
            message = f'"{point.target}" was used as the name for more than one {point.probe_type.name.upper()} probe'
            self.sink.error("probe-name", message, point.span, notes=[Note("this is the other instance", other)])

    def _of_any_type(self, node: ast.AttachPoint, *, needs_types: bool) -> list[Place]:
        """What is there of each probe type that the wildcard stands for."""
        parts = node.parts[1:]
        found = probe_types.matching(node.provider, in_user_space=bool(parts) and "/" in parts[0].text)
        if not found:
            raise BadAttachPoint(f"No probe type matched for {node.provider}", "probe-type")
        if len(found) == 1:
            return self._look_up(self._read(node, found[0]), needs_types=needs_types)
        places: list[Place] = []
        for probe_type in found:
            try:
                places += look_up(self.kernel, self._read(node, probe_type), needs_types=needs_types)
            except (BadAttachPoint, Missing):
                continue  # not of this type
        if not places:
            raise BadAttachPoint(f"No matches for {node.text}.", "missing-probe")
        return places

    def _read(self, node: ast.AttachPoint, probe_type: ProbeType) -> AttachPoint:
        if any(part.has_parameters for part in node.parts):
            return self._late(node, probe_type)
        point = read(Parts(node, probe_type, tuple(part.text for part in node.parts[1:]), self.unsafe))
        if point.has_wildcard and probe_type.name not in _WILDCARDS:
            raise BadAttachPoint(f"wildcards are not allowed for {probe_type} probe type")
        return point

    def _late(self, node: ast.AttachPoint, probe_type: ProbeType) -> AttachPoint:
        """One that the tracer's parameters complete; its parts are for the tracer to check."""
        if probe_type is not UNKNOWN and probe_type.name not in _LATE:
            hint = "a parameter that is given to the compiler may be anywhere"
            message = f"positional parameters in attach points of {probe_type} are not supported yet"
            raise BadAttachPoint(message, "not-supported", [hint])
        parts = tuple(part.pieces for part in node.parts)
        return AttachPoint(probe_type, node.name or node.text, node.span, unsafe=self.unsafe, late=parts)


def _probe_type(provider: str) -> ProbeType:
    probe_type = probe_types.find(provider)
    if probe_type is None and not provider:
        raise BadAttachPoint("No attach points for probe", "probe-type")
    if probe_type is None:
        close = difflib.get_close_matches(provider, probe_types.names(), 1)
        hints = [f"Did you mean {name}?" for name in close]
        raise BadAttachPoint(f"Invalid probe type: {provider}", "probe-type", hints)
    return probe_type
