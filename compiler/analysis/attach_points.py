"""Pass: attach points.

Before: a parsed program. After: one probe, with a body of its own, for each attach point, in the order of the script;
attach points that are malformed, not supported yet or missing in the kernel have been reported.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from compiler import perf_events, probe_types
from compiler.analysis.program import AttachPoint, BpfProgram
from compiler.probe_types import ProbeType
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.literals import integer_value
from compiler.types.kernel import Kernel
from compiler.types.lattice import Field
from compiler.types.tracepoint import Tracepoint

_UNIT_NS: Mapping[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}
_SECOND_NS = 1_000_000_000
_MAX_NAME = 15


class _Bad(Exception):
    """An attach point that cannot be used: message, code and hints."""

    def __init__(self, message: str, code: str = "attach-point", hints: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.hints = tuple(hints)


@dataclass(frozen=True, slots=True)
class _Parts:
    """An attach point taken apart: the texts behind the provider."""

    node: ast.AttachPoint
    probe_type: ProbeType
    texts: tuple[str, ...]

    def expect(self, *counts: int) -> None:
        if len(self.texts) not in counts:
            expected = " or ".join(map(str, counts))
            raise _Bad(f"{self.probe_type} probe type requires {expected} arguments, found {len(self.texts)}")

    def make(
        self, *, target: str = "", event: str = "", offset: int = 0, address: int = 0, period_ns: int = 0,
        frequency: int = 0, count: int = 0, rate: int = 0,
    ) -> AttachPoint:  # fmt: skip
        """The attach point; its name is what the builtin `probe` shows, which has the rate as the script wrote it."""
        name = self.node.name
        if name is None:
            pieces: list[object] = [self.probe_type.name, target, f"{event}+{offset}" if offset else event]
            pieces += [address or "", rate or count or ""]
            name = ":".join(str(piece) for piece in pieces if piece != "")
        return AttachPoint(
            self.probe_type, name, self.node.span, target, event, offset, address, period_ns, frequency, count
        )


def run(
    program: ast.Program, kernel: Kernel, sink: DiagnosticSink, *, unsafe: bool, missing_probes: str = "error"
) -> list[BpfProgram]:
    pass_ = _AttachPoints(kernel, sink, unsafe, missing_probes)
    programs: list[BpfProgram] = []
    for probe in program.probes:
        resolved = [found for node in probe.attach_points if (found := pass_.resolve(node)) is not None]
        for index, (point, fields) in enumerate(resolved):
            body = probe if index == 0 else probe.clone()
            programs.append(BpfProgram(_program_name(point, len(programs)), body, [point], fields))
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
        self.parsers: Mapping[str, Callable[[_Parts], AttachPoint]] = {
            "begin": self._special,
            "end": self._special,
            "interval": self._timer,
            "profile": self._timer,
            "software": self._perf_event,
            "hardware": self._perf_event,
            "tracepoint": self._tracepoint,
            "kprobe": self._kprobe,
            "kretprobe": self._kprobe,
            "fentry": self._fentry,
            "fexit": self._fentry,
            "rawtracepoint": self._raw_tracepoint,
        }

    def resolve(self, node: ast.AttachPoint) -> tuple[AttachPoint, tuple[Field, ...]] | None:
        """The attach point and the fields of its `args`; None if it was reported."""
        try:
            point = self._parse(node)
            return point, self._arguments(point)
        except _Bad as bad:
            self.sink.error(bad.code, str(bad), node.span, hints=bad.hints)
            return None

    def _parse(self, node: ast.AttachPoint) -> AttachPoint:
        provider = node.provider
        if _is_wildcard(provider):
            raise _Bad("wildcards in probe types are not supported yet", "not-supported")
        probe_type = probe_types.find(provider)
        if probe_type is None:
            close = difflib.get_close_matches(provider, probe_types.names(), 1)
            raise _Bad(f"Invalid probe type: {provider}", "probe-type", [f"Did you mean {name}?" for name in close])
        parser = self.parsers.get(probe_type.name)
        if not probe_type.supported or parser is None:
            raise _Bad(f"{probe_type} probes are not supported yet", "not-supported")
        if any(part.has_parameters for part in node.parts):
            raise _Bad("positional parameters in attach points are not supported yet", "not-supported")
        parts = _Parts(node, probe_type, tuple(part.text for part in node.parts[1:]))
        if any(map(_is_wildcard, parts.texts)):
            raise _Bad("wildcards in attach points are not supported yet", "not-supported")
        return parser(parts)

    def _special(self, parts: _Parts) -> AttachPoint:
        if parts.texts:
            raise _Bad("begin/end probes should not have a target")
        return parts.make()

    def _timer(self, parts: _Parts) -> AttachPoint:
        parts.expect(1, 2)
        if len(parts.texts) == 1:
            nanoseconds = _number(parts.texts[0], f"Invalid rate of {parts.probe_type} probe")
            if nanoseconds < 1000:
                found = f"Found: {nanoseconds} nanoseconds"
                raise _Bad(f"Invalid rate of {parts.probe_type} probe. Minimum is 1000 or 1us. {found}")
            rate = nanoseconds // 1000
            return parts.make(target="us", rate=rate, period_ns=rate * 1000)
        unit, text = parts.texts
        rate = _number(text, f"Invalid rate of {parts.probe_type} probe")
        if unit not in _UNIT_NS and unit != "hz":
            raise _Bad(f"{unit} is not an accepted unit of time", hints=["the units of time are s, ms, us and hz"])
        if rate == 0:
            raise _Bad(f"{parts.probe_type} frequency should be a positive integer")
        if unit == "hz":
            return parts.make(target=unit, rate=rate, frequency=rate, period_ns=_SECOND_NS // rate)
        return parts.make(target=unit, rate=rate, period_ns=rate * _UNIT_NS[unit])

    def _perf_event(self, parts: _Parts) -> AttachPoint:
        parts.expect(1, 2)
        kind, name = parts.probe_type.name, parts.texts[0]
        events = perf_events.CLASSES[kind]
        if not name:
            raise _Bad(f"{kind} probe must have a {kind} event name")
        if events.find(name) is None:
            close = difflib.get_close_matches(name, [event.name for event in events.events], 1)
            hints = [f"Did you mean {other}?" for other in close]
            raise _Bad(f"{name} is not a {kind} probe", "perf-event", hints)
        text = parts.texts[1] if len(parts.texts) == 2 else ""
        count = _number(text, f"Invalid count for {kind} probe") if text else 0
        return parts.make(target=name, count=count)

    def _raw_tracepoint(self, parts: _Parts) -> AttachPoint:
        parts.expect(1, 2)
        module, event = ("", *parts.texts)[-2:]
        if not event:
            raise _Bad("rawtracepoint should be attached to a function")
        found = self.kernel.raw_tracepoint(event, module or None)
        if found is None:
            raise _Bad(f"raw tracepoint not found: {event} (in kernel {self.kernel.release})", "missing-tracepoint")
        return parts.make(target=found.module, event=event)

    def _tracepoint(self, parts: _Parts) -> AttachPoint:
        parts.expect(2)
        category, event = parts.texts
        if not category or not event:
            raise _Bad("tracepoint probe must have a target")
        return parts.make(target=category, event=event)

    def _kprobe(self, parts: _Parts) -> AttachPoint:
        parts.expect(1, 2)
        module, function = ("", *parts.texts)[-2:]
        if not function:
            raise _Bad("kprobes should be attached to a function or an address")
        name, *offsets = function.split("+")
        if offsets:
            if parts.probe_type.is_return:
                raise _Bad("Offset not allowed")
            if len(offsets) > 1:
                raise _Bad("Cannot take more than one offset")
            if not name or not offsets[0]:
                raise _Bad("Invalid offset")
        if name[0].isdecimal():
            # The kernel takes any address, so nothing checks that it is the start of an instruction.
            if not self.unsafe:
                raise _Bad("Probing by address requires --unsafe", "unsafe")
            return parts.make(target=module, address=_number(name, "Invalid address"))
        if self.missing_probes != "ignore":
            self._check_traceable(name, module)
        offset = _number(offsets[0], "Invalid offset") if offsets else 0
        return parts.make(target=module, event=name, offset=offset)

    def _fentry(self, parts: _Parts) -> AttachPoint:
        parts.expect(1, 2)
        module, function = ("", *parts.texts)[-2:]
        if not function:
            raise _Bad("fentry/fexit should specify a function")
        if module == "bpf":
            raise _Bad(f"{parts.probe_type} probes of BPF programs are not supported yet", "not-supported")
        self._check_traceable(function, module)
        found = self.kernel.function(function, module or None)
        if found is None:
            raise _Bad(f"no BTF for the function {function} of kernel {self.kernel.release}", "missing-function")
        return parts.make(target=found.module, event=function)

    def _check_traceable(self, function: str, module: str) -> None:
        if self.kernel.is_traceable(function, module or None):
            return
        names = [name for _, name in self.kernel.traceable_functions(module or None)]
        if not names and self.kernel.has_function(function, module or None):
            return  # a snapshot without the list of traceable functions
        close = difflib.get_close_matches(function, (name for name in names if name[:2] == function[:2]), 1, 0.8)
        raise _Bad(
            f'{function} is not traceable (either non-existing, inlined, or marked as "notrace") '
            f"in {f'module {module} of ' if module else ''}kernel {self.kernel.release}",
            "missing-function",
            [f"Did you mean {name}?" for name in close],
        )

    def _arguments(self, point: AttachPoint) -> tuple[Field, ...]:
        match point.probe_type.name:
            case "tracepoint":
                return self._tracepoint_format(point).layout.fields
            case "rawtracepoint":
                raw = self.kernel.raw_tracepoint(point.event, point.target or None)
                assert raw is not None
                return raw.parameters
            case "fentry" | "fexit":
                function = self.kernel.function(point.event, point.target or None)
                assert function is not None
                arguments = function.parameters
                return (*arguments, function.result) if point.probe_type.is_return else arguments
            case _:
                return ()

    def _tracepoint_format(self, point: AttachPoint) -> Tracepoint:
        found = self.kernel.tracepoint(point.target, point.event)
        if found is not None:
            return found
        name = f"{point.target}:{point.event}"
        categories = difflib.get_close_matches(point.target, self.kernel.tracepoint_categories, 3, 0.8)
        names = [f"{category}:{event}" for category in categories for event in self.kernel.tracepoint_events(category)]
        close = difflib.get_close_matches(name, names, 1, 0.8)
        raise _Bad(
            f"tracepoint not found: {name} (in kernel {self.kernel.release})",
            "missing-tracepoint",
            [f"Did you mean {other}?" for other in close],
        )


def _is_wildcard(text: str) -> bool:
    return "*" in text


def _number(text: str, what: str) -> int:
    if not text:
        raise _Bad(f"{what}: invalid integer: {text}")
    try:
        return integer_value(text)
    except ValueError as error:
        raise _Bad(f"{what}: {error}") from None
