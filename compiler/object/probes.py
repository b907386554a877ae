"""Attach points of the analyzed program as messages."""

from __future__ import annotations

from collections.abc import Mapping

from compiler import perf_events
from compiler.analysis.program import AttachPoint, Session
from compiler.object.tables import Tables
from compiler.probe_types import UNKNOWN
from proto import required_resources_pb2 as pb

_SESSIONS = {
    Session.NONE: pb.Kprobe.NO_SESSION,
    Session.PAIRED: pb.Kprobe.PAIRED,
    Session.SESSION: pb.Kprobe.SESSION,
}


def describe(point: AttachPoint, program: int, tables: Tables, words: Mapping[int, int]) -> pb.Probe:
    """`program` is the index of the program that runs there; `words` has the indexes of WORD parameters by position."""
    probe = pb.Probe(
        name=point.name, program=program, span=tables.span(point.span), has_wildcard=point.has_wildcard,
        is_match=point.is_match,
    )  # fmt: skip
    if point.late:
        _describe_late(probe.late, point, words)
        return probe
    match point.probe_type.name:
        case "begin":
            probe.special.kind = pb.Special.BEGIN
        case "end":
            probe.special.kind = pb.Special.END
        case "self":
            probe.special.kind, probe.special.name = pb.Special.SELF_SIGNAL, point.event
        case "test":
            probe.special.kind, probe.special.name = pb.Special.TEST, point.target
        case "bench":
            probe.special.kind, probe.special.name = pb.Special.BENCH, point.target
        case "interval":
            probe.interval.period_ns = point.period_ns
        case "profile":
            probe.perf_event.perf_type = perf_events.TYPE_SOFTWARE
            probe.perf_event.perf_config = perf_events.CPU_CLOCK
            if point.frequency:
                probe.perf_event.frequency = point.frequency
            else:
                probe.perf_event.period = point.period_ns
        case "software" | "hardware" as kind:
            events = perf_events.CLASSES[kind]
            event = events.find(point.target)
            assert event is not None
            probe.perf_event.perf_type, probe.perf_event.perf_config = events.type, event.config
            probe.perf_event.period = point.count or event.period
        case "tracepoint":
            probe.tracepoint.category, probe.tracepoint.event = point.target, point.event
        case "kprobe" | "kretprobe" as kind:
            kprobe = probe.kprobe
            kprobe.function, kprobe.module = point.event, point.target
            kprobe.offset, kprobe.address = point.offset, point.address
            kprobe.is_return = kind == "kretprobe"
            kprobe.session = _SESSIONS[point.session]
        case "fentry" | "fexit" as kind:
            module = "" if point.target == "vmlinux" and not point.has_wildcard else point.target
            probe.fentry.function, probe.fentry.module = point.event, module
            probe.fentry.bpf_program_id = point.bpf_program
            probe.fentry.is_exit = kind == "fexit"
        case "rawtracepoint":
            module = "" if point.target == "vmlinux" and not point.has_wildcard else point.target
            probe.raw_tracepoint.event, probe.raw_tracepoint.module = point.event, module
        case "iter":
            probe.iterator.target, probe.iterator.pin = point.event, point.pin
        case "uprobe" | "uretprobe" as kind:
            uprobe = probe.uprobe
            uprobe.path, uprobe.function = point.target, point.event
            uprobe.offset, uprobe.address = point.offset, point.address
            uprobe.demangled = point.language == "cpp"
            uprobe.is_return, uprobe.unsafe = kind == "uretprobe", point.unsafe
            if point.binary is not None and point.binary.matters:
                uprobe.build_id = point.binary.elf.build_id
                symbol = point.binary.function(point.event) if uprobe.build_id and not point.has_wildcard else None
                if symbol is not None:
                    uprobe.address = symbol.address
        case "usdt":
            probe.usdt.path, probe.usdt.provider, probe.usdt.name = point.target, point.namespace, point.event
            if point.binary is not None and point.binary.matters:
                probe.usdt.build_id = point.binary.elf.build_id
        case "watchpoint":
            watchpoint = probe.watchpoint
            watchpoint.address, watchpoint.length, watchpoint.mode = point.address, point.length, point.mode
        case other:
            raise ValueError(f"no message for probes of type {other}")
    return probe


def _describe_late(message: pb.LateAttachPoint, point: AttachPoint, words: Mapping[int, int]) -> None:
    message.probe_type = "" if point.probe_type is UNKNOWN else point.probe_type.name
    message.unsafe = point.unsafe
    for pieces in point.late:
        part = message.parts.add()
        for piece in pieces:
            if isinstance(piece, int):
                part.pieces.add(is_parameter=True, parameter=words[piece])
            else:
                part.pieces.add(text=piece)
