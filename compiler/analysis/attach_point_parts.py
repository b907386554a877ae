"""Attach points taken apart: from the texts between the colons to an AttachPoint, one reader for each probe type.

Nothing here asks a kernel or a file whether the place exists.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from compiler import perf_events
from compiler.analysis.program import BPF_PROGRAMS, AttachPoint
from compiler.probe_types import ProbeType
from compiler.syntax import ast
from compiler.syntax.literals import integer_value

_UNIT_NS: Mapping[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}
_SECOND_NS = 1_000_000_000


_MAX_PERIOD_NS = (1 << 63) - 1  # what the kernel's clocks can count
_WATCHPOINT_MODES = ("x", "w", "rw")  # of x86-64; arm64 can watch reads alone, but a script is portable
_WATCHPOINT_LENGTHS = (1, 2, 4, 8)
_SIGNALS = ("SIGUSR1",)
_LARGEST_PROGRAM_ID = (1 << 32) - 1
_CPP = "cpp"
"""The qualifier of demangled names."""


class BadAttachPoint(Exception):
    """An attach point that cannot be used: message, code and hints."""

    def __init__(self, message: str, code: str = "attach-point", hints: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.hints = tuple(hints)


@dataclass(frozen=True, slots=True)
class Parts:
    """An attach point taken apart: the texts behind the provider."""

    node: ast.AttachPoint
    probe_type: ProbeType
    texts: tuple[str, ...]
    unsafe: bool

    def expect(self, *counts: int) -> None:
        if len(self.texts) not in counts:
            expected = " or ".join(map(str, counts))
            raise BadAttachPoint(f"{self.probe_type} probe type requires {expected} arguments, found {len(self.texts)}")

    def make(
        self, *, target: str = "", event: str = "", offset: int = 0, address: int = 0, period_ns: int = 0,
        frequency: int = 0, count: int = 0, rate: int = 0, length: int = 0, mode: str = "", namespace: str = "",
        pin: str = "", bpf_program: int = 0, language: str = "",
    ) -> AttachPoint:  # fmt: skip
        """The attach point; its name is what the builtin `probe` shows, which has the rate as the script wrote it."""
        name = self.node.name
        if name is None:
            place = f"{event}+{offset}" if offset else event
            pieces: list[object] = [self.probe_type.name, target, language, namespace, bpf_program or "", place]
            pieces += [address or "", rate or count or "", length or "", mode]
            name = ":".join(str(piece) for piece in pieces if piece != "")
        return AttachPoint(
            self.probe_type, name, self.node.span, target, event, offset, address, period_ns, frequency, count,
            length=length, mode=mode, namespace=namespace, pin=pin, bpf_program=bpf_program, language=language,
            unsafe=self.unsafe,
        )  # fmt: skip


def is_wildcard(text: str) -> bool:
    return "*" in text


def read(parts: Parts) -> AttachPoint:
    """Raises BadAttachPoint."""
    return _READERS[parts.probe_type.name](parts)


def _number(text: str, what: str) -> int:
    if not text:
        raise BadAttachPoint(f"{what}: invalid integer: {text}")
    try:
        return integer_value(text)
    except ValueError as error:
        raise BadAttachPoint(f"{what}: {error}") from None


def _special(parts: Parts) -> AttachPoint:
    parts.expect(0)
    return parts.make()


def _self(parts: Parts) -> AttachPoint:
    parts.expect(2)
    trigger, signal = parts.texts
    if trigger != "signal":
        raise BadAttachPoint(f"{trigger} is not a supported trigger")
    if signal not in _SIGNALS:
        raise BadAttachPoint(f"{signal} is not a supported signal")
    return parts.make(target=trigger, event=signal)


def _named(parts: Parts) -> AttachPoint:
    """Test and bench."""
    parts.expect(1)
    if not parts.texts[0]:
        raise BadAttachPoint(f"{parts.probe_type} probes must have a name")
    return parts.make(target=parts.texts[0])


def _timer(parts: Parts) -> AttachPoint:
    """Interval and profile."""
    parts.expect(1, 2)
    if len(parts.texts) == 1:
        nanoseconds = _number(parts.texts[0], f"Invalid rate of {parts.probe_type} probe")
        if nanoseconds > _MAX_PERIOD_NS:
            raise BadAttachPoint(f"{parts.probe_type} period is too long: {parts.texts[0]}")
        if nanoseconds < 1000:
            found = f"Found: {nanoseconds} nanoseconds"
            raise BadAttachPoint(f"Invalid rate of {parts.probe_type} probe. Minimum is 1000 or 1us. {found}")
        rate = nanoseconds // 1000
        return parts.make(target="us", rate=rate, period_ns=rate * 1000)
    unit, text = parts.texts
    rate = _number(text, f"Invalid rate of {parts.probe_type} probe")
    if unit not in _UNIT_NS and unit != "hz":
        raise BadAttachPoint(
            f"{unit} is not an accepted unit of time", hints=["the units of time are s, ms, us and hz"]
        )
    if rate == 0:
        raise BadAttachPoint(f"{parts.probe_type} frequency should be a positive integer")
    if unit == "hz":
        return parts.make(target=unit, rate=rate, frequency=rate, period_ns=_SECOND_NS // rate)
    period = rate * _UNIT_NS[unit]
    if period > _MAX_PERIOD_NS:
        raise BadAttachPoint(f"{parts.probe_type} period is too long: {text}{unit}")
    return parts.make(target=unit, rate=rate, period_ns=period)


def _counter(parts: Parts) -> AttachPoint:
    """Software and hardware."""
    parts.expect(1, 2)
    kind = parts.probe_type.name
    name, text = (*parts.texts, "")[:2]
    if not name:
        raise BadAttachPoint(f"{kind} probe must have a {kind} event name")
    if is_wildcard(name):
        raise BadAttachPoint(f"wildcards are not allowed for {kind} probe type")
    events = perf_events.CLASSES[kind]
    if events.find(name) is None:
        close = difflib.get_close_matches(name, [event.name for event in events.events], 1)
        hints = [f"Did you mean {other}?" for other in close]
        raise BadAttachPoint(f"{name} is not a {kind} probe", "perf-event", hints)
    count = _number(text, f"Invalid count for {kind} probe") if text not in ("", "*") else 0
    # The name says what the script says: without a count, none.
    return parts.make(target=name, count=count)


def _watchpoint(parts: Parts) -> AttachPoint:
    parts.expect(3)
    address = _number(parts.texts[0], "Invalid function/address argument")
    length = _number(parts.texts[1], "Invalid length argument")
    mode = "".join(sorted(parts.texts[2]))
    supported = f"supported modes: {','.join(_WATCHPOINT_MODES)}"
    if not address:
        raise BadAttachPoint("watchpoint must be attached to a non-zero address")
    if length not in _WATCHPOINT_LENGTHS:
        raise BadAttachPoint("watchpoint length must be one of (1,2,4,8)")
    if not mode or set(mode) - set("rwx"):
        raise BadAttachPoint("watchpoint mode must be combination of (r,w,x)", hints=[supported])
    if len(set(mode)) < len(mode):
        raise BadAttachPoint("watchpoint modes may not be duplicated")
    if mode not in _WATCHPOINT_MODES:
        raise BadAttachPoint(f"invalid watchpoint mode: {mode}", hints=[supported])
    return parts.make(address=address, length=length, mode=mode)


def _tracepoint(parts: Parts) -> AttachPoint:
    texts = parts.texts
    if len(texts) == 1 and is_wildcard(texts[0]):
        texts = ("*", *texts)  # who writes a pattern alone looks for an event
    else:
        parts.expect(2)
    category, event = texts
    if not category or not event:
        raise BadAttachPoint("tracepoint probe must have a target")
    return parts.make(target=category, event=event)


def _raw_tracepoint(parts: Parts) -> AttachPoint:
    parts.expect(2, 1)
    module, event = ("", *parts.texts)[-2:]
    if not event:
        raise BadAttachPoint("rawtracepoint should be attached to a function")
    return parts.make(target=module, event=event)


def _function_and_offset(parts: Parts, text: str) -> tuple[str, int]:
    name, *offsets = [text] if "operator+" in text else text.split("+")
    if not offsets:
        return name, 0
    if parts.probe_type.is_return:
        raise BadAttachPoint("Offset not allowed")
    if len(offsets) > 1:
        raise BadAttachPoint("Cannot take more than one offset")
    if not name or not offsets[0]:
        raise BadAttachPoint("Invalid offset")
    return name, _number(offsets[0], "Invalid offset")


def _kprobe(parts: Parts) -> AttachPoint:
    parts.expect(1, 2)
    module, function = ("", *parts.texts)[-2:]
    if not function:
        raise BadAttachPoint("kprobes should be attached to a function or an address")
    name, offset = _function_and_offset(parts, function)
    if name[0].isdecimal():
        # The kernel takes any address, so nothing checks that it is the start of an instruction.
        if not parts.unsafe:
            raise BadAttachPoint("Probing by address requires --unsafe", "unsafe")
        return parts.make(target=module, address=_number(name, "Invalid address"))
    return parts.make(target=module, event=name, offset=offset)


def _bpf_program(parts: Parts) -> AttachPoint:
    """A function of a BPF program that is in the kernel: `bpf:NAME`, `bpf:ID:NAME`."""
    if len(parts.texts) == 1:
        raise BadAttachPoint(
            "the 'bpf' variant of this probe requires a bpf program name and optional bpf program id"
        )  # fmt: skip
    program, function = ("*", *parts.texts[1:])[-2:]
    wrong = "bpf program id must be a number or '*'"
    if program != "*" and not program.isdecimal():
        raise BadAttachPoint(wrong)
    number = 0 if program == "*" else _number(program, wrong)
    if number > _LARGEST_PROGRAM_ID:
        raise BadAttachPoint(wrong)
    if not function:
        raise BadAttachPoint("fentry/fexit should specify a function")
    return parts.make(target=BPF_PROGRAMS, event=function, bpf_program=number)


def _fentry(parts: Parts) -> AttachPoint:
    if len(parts.texts) not in (1, 2, 3):
        raise BadAttachPoint(f"{parts.probe_type} probe type requires 1 or 3 arguments, found {len(parts.texts)}")
    if parts.texts[0] == BPF_PROGRAMS:
        return _bpf_program(parts)
    if len(parts.texts) == 3:
        raise BadAttachPoint("Only the 'bpf' variant of this probe supports 4 arguments")
    module, function = ("", *parts.texts)[-2:]
    if not function:
        raise BadAttachPoint("fentry/fexit should specify a function")
    return parts.make(target=module, event=function)


def _iterator(parts: Parts) -> AttachPoint:
    if len(parts.texts) not in (1, 2):
        raise BadAttachPoint("iter probe type takes 2 arguments (1 optional)")
    if any(map(is_wildcard, parts.texts)):
        raise BadAttachPoint("iter probe type does not support wildcards")
    name, pin = (*parts.texts, "")[:2]
    if not name:
        raise BadAttachPoint("iter should specify a iterator's name")
    return parts.make(event=name, pin=pin)


def _uprobe(parts: Parts) -> AttachPoint:
    """[BINARY:][cpp:]FUNCTION, without a binary the one that the process of -p runs."""
    if any(part.separator == "@" for part in parts.node.parts):
        return _source_location(parts)
    texts = parts.texts
    is_of_process = (len(texts) == 1 and "/" not in texts[0]) or (len(texts) == 2 and texts[0] == _CPP)
    if is_of_process:
        texts = ("", *texts)
    else:
        parts.expect(2, 3)
    path, function = texts[0], texts[-1]
    language = texts[1] if len(texts) == 3 else ""
    if language and language != _CPP:
        raise BadAttachPoint(f"unsupported language type: {language}")
    if not path and not is_of_process:
        raise BadAttachPoint(f"{parts.probe_type} should have a target")
    if not function:
        raise BadAttachPoint(f"{parts.probe_type} should be attached to a function and/or address")
    name, offset = _function_and_offset(parts, function)
    if name[0].isdecimal():
        if is_wildcard(path):
            raise BadAttachPoint("Cannot use wildcards with absolute address")
        return parts.make(target=path, address=_number(name, "Invalid address"))
    if offset and not parts.unsafe:
        # A breakpoint inside an instruction would change what the program does, and the tracer has no disassembler.
        raise BadAttachPoint("Probing at an offset requires --unsafe", "unsafe")
    if language and offset:
        raise BadAttachPoint("Cannot use an offset with a demangled name")
    return parts.make(target=path, language=language, event=name, offset=offset)


def _source_location(parts: Parts) -> AttachPoint:
    """BINARY@FILE:LINE[:COLUMN]."""
    if parts.probe_type.is_return:
        raise BadAttachPoint("Source code location not allowed")
    if is_wildcard(parts.texts[0]):
        raise BadAttachPoint("Cannot use wildcards with source code location")
    separators = [part.separator for part in parts.node.parts[2:]]
    if len(parts.texts) not in (3, 4) or separators[0] != "@" or "@" in separators[1:] or not all(parts.texts[1:3]):
        raise BadAttachPoint("Invalid uprobe arguments, expected format: uprobe:TARGET@FILE:LINE[:COL]")
    path, file, line, *column = parts.texts
    if not path:
        raise BadAttachPoint("Unspecified target binary, cannot attach by source code location.")
    return dataclasses.replace(
        parts.make(target=path),
        source_file=file,
        source_line=_number(line, "Invalid line number"),
        source_column=_number(column[0], "Invalid column number") if column else 0,
    )


def _usdt(parts: Parts) -> AttachPoint:
    """[[BINARY]:[PROVIDER:]]NAME, without a binary all that the process of -p has mapped."""
    texts = parts.texts
    if len(texts) == 1 and "/" not in texts[0]:
        texts = ("", *texts)
    else:
        parts.expect(2, 3)
    path, name = texts[0], texts[-1]
    provider = texts[1] if len(texts) == 3 else ""
    if not name:
        raise BadAttachPoint("usdt probe must have a target function or wildcard")
    return parts.make(target=path, namespace=provider, event=name)


_READERS: Mapping[str, Callable[[Parts], AttachPoint]] = {
    "begin": _special,
    "end": _special,
    "self": _self,
    "test": _named,
    "bench": _named,
    "interval": _timer,
    "profile": _timer,
    "software": _counter,
    "hardware": _counter,
    "tracepoint": _tracepoint,
    "rawtracepoint": _raw_tracepoint,
    "kprobe": _kprobe,
    "kretprobe": _kprobe,
    "fentry": _fentry,
    "fexit": _fentry,
    "iter": _iterator,
    "uprobe": _uprobe,
    "uretprobe": _uprobe,
    "usdt": _usdt,
    "watchpoint": _watchpoint,
}
