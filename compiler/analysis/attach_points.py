"""Pass: attach points.

Before: a parsed program. After: one probe, with a body of its own, for each attach point, in the order of the script;
attach points that are malformed, not supported yet or missing in the kernel have been reported.

What the snapshot's kernel lacks is an error, or a warning, or nothing, by the setting `missing_probes`. With the latter
two the attach point goes on to the target if the program does not need its types, and else it is left out.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from compiler import probe_types
from compiler.analysis.attach_point_parts import BadAttachPoint, Parts, can_read, is_wildcard, read
from compiler.analysis.program import AttachPoint, BpfProgram
from compiler.probe_types import UNKNOWN, ProbeType
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import Span, is_utf8
from compiler.types.kernel import Kernel
from compiler.types.lattice import Field

_LATE = frozenset(
    {
        "interval", "profile", "tracepoint", "rawtracepoint", "kprobe", "kretprobe", "fentry", "fexit", "uprobe",
        "uretprobe", "usdt", "watchpoint",
    }
)  # fmt: skip
"""Probe types whose attach points the tracer can take apart, when its parameters have completed them."""

_MAX_NAME = 15
_ITERATOR_CONTEXT = "bpf_iter__"
_WILDCARDS = frozenset({"kprobe", "kretprobe", "tracepoint", "rawtracepoint", "uprobe", "uretprobe", "usdt"})
"""Probe types whose names may be patterns."""
_TYPED_WILDCARDS = frozenset({"tracepoint", "rawtracepoint"})
"""Those of them that have `args`."""


class _Missing(Exception):
    """The snapshot's kernel does not have the place. `warning` comes before, if it says why."""

    def __init__(self, what: str, hints: Iterable[str] = (), *, warning: str = "", needs_types: bool = False) -> None:
        super().__init__(f"No matches for {what}")
        self.hints = tuple(hints)
        self.warning = warning
        self.needs_types = needs_types


@dataclass(frozen=True, slots=True)
class _Resolved:
    point: AttachPoint
    arguments: tuple[Field, ...]


def run(
    program: ast.Program, kernel: Kernel, sink: DiagnosticSink, *, unsafe: bool, missing_probes: str = "error"
) -> list[BpfProgram]:
    pass_ = _AttachPoints(kernel, sink, unsafe, missing_probes)
    programs: list[BpfProgram] = []
    for probe in program.probes:
        pass_.check_iterators(probe)
        typed = any(isinstance(node, ast.Builtin) and node.name == "args" for node in probe.walk())
        resolved = [found for node in probe.attach_points for found in pass_.resolve(node, typed=typed)]
        if not resolved and missing_probes == "warn" and not sink.has_errors:
            sink.warning(
                "empty-probe",
                "Probe has no valid attach points. It is being removed which may cause issues with program behavior.",
                probe.span,
            )
        for index, found in enumerate(resolved):
            body = probe if index == 0 else probe.clone()
            programs.append(BpfProgram(_program_name(found.point, len(programs)), body, [found.point], found.arguments))
    return programs


def _program_name(point: AttachPoint, number: int) -> str:
    """Readable in `bpftool prog`, unique by the number behind."""
    suffix = f"_{number}"
    plain = "".join(char if char.isalnum() and char.isascii() else "_" for char in point.event or point.probe_type.name)
    return plain[: _MAX_NAME - len(suffix)] + suffix


class _AttachPoints:
    def __init__(self, kernel: Kernel, sink: DiagnosticSink, unsafe: bool, missing_probes: str) -> None:
        self.kernel = kernel
        self.sink = sink
        self.unsafe = unsafe
        self.missing_probes = missing_probes
        self.named: dict[str, Span] = {}
        """Tests and benchmarks, by the names of their probes."""

    def resolve(self, node: ast.AttachPoint, *, typed: bool) -> list[_Resolved]:
        """The attach point and the fields of its `args`; empty if it was reported.

        With `typed`, the program uses `args`, which differ from place to place: a wildcard is not left to the target.
        """
        try:
            point = self._parse(node)
        except BadAttachPoint as bad:
            self.sink.error(bad.code, str(bad), node.span, hints=bad.hints)
            return []
        if point.probe_type.name in ("test", "bench"):
            self._check_name(point)
        try:
            if typed and point.has_wildcard and point.probe_type.name in _TYPED_WILDCARDS:
                return [self._look_up(place) for place in self._expand(point)]
            return [self._look_up(point)]
        except BadAttachPoint as bad:
            self.sink.error(bad.code, str(bad), node.span, hints=bad.hints)
            return []
        except _Missing as missing:
            if missing.warning and self.missing_probes != "ignore":
                self.sink.warning("missing-probe", missing.warning, node.span)
            if self.missing_probes == "error" and not (self.unsafe and not missing.needs_types):
                hints = [*missing.hints, f"the kernel that the script is compiled for is {self.kernel.release}"]
                self.sink.error("missing-probe", f"{missing}.", node.span, hints=hints)
                return []
            if not missing.needs_types:
                return [_Resolved(point, ())]  # the target knows better
            if self.missing_probes == "warn":
                self.sink.warning("missing-probe", f"{missing}. Skipping.", node.span, hints=missing.hints)
            return []

    def _expand(self, point: AttachPoint) -> list[AttachPoint]:
        """The places that a pattern stands for in the snapshot's kernel. Raises _Missing if there is none."""
        tracepoint = point.probe_type.name == "tracepoint"
        candidates = self._tracepoints() if tracepoint else self.kernel.raw_tracepoints()
        found = sorted((target, event) for target, event in candidates if matches(point, target, event))
        if not found:
            raise _Missing(_what(point), needs_types=True)
        return [
            dataclasses.replace(point, name=f"{point.probe_type}:{target}:{event}", target=target, event=event)
            for target, event in found
        ]

    def check_iterators(self, probe: ast.Probe) -> None:
        nodes = [node for node in probe.attach_points if probe_types.find(node.provider) is probe_types.find("iter")]
        for node in nodes[1:]:
            self.sink.error("attach-point", "iter probe only supports one attach point.", node.span)

    def _check_name(self, point: AttachPoint) -> None:
        other = self.named.setdefault(f"{point.probe_type}:{point.target}", point.span)
        if other is not point.span:
            message = f'"{point.target}" was used as the name for more than one {point.probe_type.name.upper()} probe'
            self.sink.error("probe-name", message, point.span, notes=[Note("this is the other instance", other)])

    def _parse(self, node: ast.AttachPoint) -> AttachPoint:
        if node.parts[0].has_parameters:
            return self._late(node, UNKNOWN)
        probe_type = self._probe_type(node.provider)
        if any(part.has_parameters for part in node.parts):
            return self._late(node, probe_type)
        if not is_utf8(node.text):
            raise BadAttachPoint("attach points must be UTF-8")
        point = read(Parts(node, probe_type, tuple(part.text for part in node.parts[1:]), self.unsafe))
        if point.has_wildcard and probe_type.name not in _WILDCARDS:
            raise BadAttachPoint(f"wildcards in {probe_type} probes are not supported yet", "not-supported")
        return point

    def _probe_type(self, provider: str) -> ProbeType:
        if is_wildcard(provider):
            raise BadAttachPoint("wildcards in probe types are not supported yet", "not-supported")
        probe_type = probe_types.find(provider)
        if probe_type is None:
            close = difflib.get_close_matches(provider, probe_types.names(), 1)
            hints = [f"Did you mean {name}?" for name in close]
            raise BadAttachPoint(f"Invalid probe type: {provider}", "probe-type", hints)
        if not probe_type.supported or not can_read(probe_type):
            raise BadAttachPoint(f"{probe_type} probes are not supported yet", "not-supported")
        return probe_type

    def _late(self, node: ast.AttachPoint, probe_type: ProbeType) -> AttachPoint:
        """One that the tracer's parameters complete; its parts are for the tracer to check."""
        if probe_type is not UNKNOWN and probe_type.name not in _LATE:
            hint = "a parameter that is given to the compiler may be anywhere"
            message = f"positional parameters in attach points of {probe_type} are not supported yet"
            raise BadAttachPoint(message, "not-supported", [hint])
        parts = tuple(part.pieces for part in node.parts)
        return AttachPoint(probe_type, node.name or node.text, node.span, unsafe=self.unsafe, late=parts)

    # ------------------------------------------------------------------------------------------ what the kernel has

    def _look_up(self, point: AttachPoint) -> _Resolved:
        """Raises _Missing."""
        if point.late:
            return _Resolved(point, ())
        match point.probe_type.name:
            case "kprobe" | "kretprobe" if point.event:
                self._kprobe(point)
            case "tracepoint" if point.has_wildcard:
                self._match(point, self._tracepoints())
            case "tracepoint":
                return _Resolved(point, self._tracepoint(point))
            case "rawtracepoint" if point.has_wildcard:
                self._match(point, self.kernel.raw_tracepoints())
            case "rawtracepoint":
                found = self.kernel.raw_tracepoint(point.event, point.target or None)
                if found is None:
                    raise _Missing(_what(point), needs_types=True)
                return _Resolved(point.in_module(found.module), found.parameters)
            case "fentry" | "fexit":
                return self._fentry(point)
            case "iter":
                return _Resolved(point, self._iterator(point))
        return _Resolved(point, ())

    def _tracepoints(self) -> Iterable[tuple[str, str]]:
        return (
            (category, event)
            for category in self.kernel.tracepoint_categories
            for event in self.kernel.tracepoint_events(category)
        )

    def _match(self, point: AttachPoint, candidates: Iterable[tuple[str, str]]) -> None:
        """Whether a pattern matches anything."""
        if not any(matches(point, target, event) for target, event in candidates):
            raise _Missing(_what(point))

    def _kprobe(self, point: AttachPoint) -> None:
        if point.has_wildcard:
            self._match(point, self.kernel.traceable_functions())
            return
        problem, hints = self._traceability(point)
        if problem:
            raise _Missing(
                _what(point), hints, warning=f"{point.event} {problem}; attaching to it will likely fail"
            )  # fmt: skip

    def _fentry(self, point: AttachPoint) -> _Resolved:
        problem, hints = self._traceability(point)
        if problem:
            raise _Missing(_what(point), hints, needs_types=True)
        found = self.kernel.function(point.event, point.target or None)
        if found is None:
            raise _Missing(_what(point), [f"the kernel's BTF does not have {point.event}"], needs_types=True)
        arguments = (*found.parameters, found.result) if point.probe_type.is_return else found.parameters
        return _Resolved(point.in_module(found.module), arguments)

    def _traceability(self, point: AttachPoint) -> tuple[str, list[str]]:
        """Why a function cannot be traced, and names like it; both empty if it can."""
        function, module = point.event, point.target
        if self.kernel.is_traceable(function, module or None):
            return "", []
        names = [name for _, name in self.kernel.traceable_functions(module or None)]
        if not names and self.kernel.has_function(function, module or None):
            return "", []  # a snapshot without the list of traceable functions
        close = difflib.get_close_matches(function, (name for name in names if name[:2] == function[:2]), 1, 0.8)
        return 'is not traceable (either non-existing, inlined, or marked as "notrace")', _did_you_mean(close)

    def _iterator(self, point: AttachPoint) -> tuple[Field, ...]:
        """What the context has: a pointer or number in each 8 bytes."""
        context = self.kernel.struct(f"{_ITERATOR_CONTEXT}{point.event}")
        if context is None:
            raise BadAttachPoint(f"iter {point.event} not available for your kernel version.", "missing-probe")
        return context.layout.fields

    def _tracepoint(self, point: AttachPoint) -> tuple[Field, ...]:
        found = self.kernel.tracepoint(point.target, point.event)
        if found is not None:
            return found.layout.fields
        name = f"{point.target}:{point.event}"
        categories = difflib.get_close_matches(point.target, self.kernel.tracepoint_categories, 3, 0.8)
        names = [f"{category}:{event}" for category in categories for event in self.kernel.tracepoint_events(category)]
        raise _Missing(
            _what(point), _did_you_mean(difflib.get_close_matches(name, names, 1, 0.8)), needs_types=True
        )  # fmt: skip


def matches(point: AttachPoint, target: str, event: str) -> bool:
    """Whether a pattern stands for the place; `*` is any text. An attach point without target has any."""
    return _is_like(point.event, event) and (not point.target or _is_like(point.target, target))


def _is_like(pattern: str, text: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _what(point: AttachPoint) -> str:
    target = f"{point.target}:" if point.target else ""
    return f"{point.probe_type} {target}{point.event}"


def _did_you_mean(names: Iterable[str]) -> list[str]:
    return [f"Did you mean {name}?" for name in names]
