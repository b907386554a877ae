"""Attach points of the analyzed program as messages."""

from __future__ import annotations

from compiler.analysis.program import AttachPoint
from compiler.object.tables import Tables
from proto import required_resources_pb2 as pb


def describe(point: AttachPoint, program: int, tables: Tables) -> pb.Probe:
    """`program` is the index of the program that runs there."""
    probe = pb.Probe(name=point.name, program=program, span=tables.span(point.span))
    match point.probe_type.name:
        case "begin":
            probe.special.kind = pb.Special.BEGIN
        case "end":
            probe.special.kind = pb.Special.END
        case "interval":
            probe.interval.period_ns = point.period_ns
        case "tracepoint":
            probe.tracepoint.category, probe.tracepoint.event = point.target, point.event
        case "kprobe" | "kretprobe" as kind:
            kprobe = probe.kprobe
            kprobe.function, kprobe.module = point.event, point.target
            kprobe.offset, kprobe.address = point.offset, point.address
            kprobe.is_return = kind == "kretprobe"
        case "fentry" | "fexit" as kind:
            module = "" if point.target == "vmlinux" else point.target
            probe.fentry.function, probe.fentry.module = point.event, module
            probe.fentry.is_exit = kind == "fexit"
        case other:
            raise ValueError(f"no message for probes of type {other}")
    return probe
