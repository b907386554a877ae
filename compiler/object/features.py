"""Which parts of the shim a tracer needs: the symbols that pull them out of the static archive.

The names follow the message, see shim/features.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.message import Message

from proto import required_resources_pb2 as pb

_PRINTERS = frozenset(
    pb.Type.Kind.Value(name)
    for name in (
        "INET", "MAC_ADDRESS", "KSYM", "USYM", "USERNAME", "TIMESTAMP", "CGROUP_PATH", "KSTACK", "USTACK",
        "PARAMETER", "HIST", "LHIST", "TSERIES",
    )
)  # fmt: skip
"""Kinds of type whose printing is a part of its own."""

_LATE: Mapping[str, str] = {
    "interval": "interval", "profile": "perf_event", "tracepoint": "tracepoint", "rawtracepoint": "raw_tracepoint",
    "kprobe": "kprobe", "kretprobe": "kprobe", "fentry": "fentry", "fexit": "fentry", "uprobe": "uprobe",
    "uretprobe": "uprobe", "usdt": "usdt", "watchpoint": "watchpoint",
}  # fmt: skip
"""What an attach point of each probe type becomes when the tracer's parameters have completed it."""


def features(resources: pb.RequiredResources) -> list[str]:
    """The undefined symbols of the tracer object, sorted."""
    needed = {f"shim_attach_{_which(probe, 'attach')}" for probe in resources.probes}
    needed |= {name for probe in resources.probes if probe.HasField("late") for name in _late(probe.late)}
    needed |= {f"shim_constant_{_which(constant, 'kind')}" for constant in resources.constants}
    needed |= {f"shim_action_{_which(action, 'kind')}" for action in resources.actions}
    printed = {type_.kind for type_ in resources.types} & _PRINTERS
    needed |= {f"shim_print_{pb.Type.Kind.Name(kind).lower()}" for kind in printed}
    if any(_has_names(type_) for type_ in resources.types if type_.kind == pb.Type.USTACK):
        needed.add("shim_print_ustack_names")
        if resources.config.show_debug_info:
            needed.add("shim_source_lines")
    if any(probe.uprobe.demangled for probe in resources.probes):
        needed.add("shim_demangle")
    if any(_has_names(type_) for type_ in resources.types):
        needed.add("shim_mappings_open")
        if resources.config.cpp_demangle:
            needed.add("shim_demangle")
    if any(entry.role == pb.Map.UNWIND_PROCESSES for entry in resources.maps):
        needed |= {"shim_unwind_open", "shim_unwind_run_to_entry"}
    has_user_maps = any(entry.role == pb.Map.USER for entry in resources.maps)
    prints_maps = any(action.WhichOneof("kind") == "print_map" for action in resources.actions)
    if prints_maps or (has_user_maps and resources.config.print_maps_on_exit):
        needed.add("shim_print_map")
    if any(probe.special.kind in (pb.Special.TEST, pb.Special.BENCH) for probe in resources.probes):
        needed |= {"shim_run_tests", "shim_filter_targets"}
    if any(probe.uprobe.build_id or probe.usdt.build_id for probe in resources.probes):
        needed.add("shim_check_build")
    if any(_may_be_archived(probe) for probe in resources.probes):
        needed.add("shim_zip_find")
    if resources.config.probe_filter:
        needed.add("shim_filter_targets")
    return sorted(needed)


def _may_be_archived(probe: pb.Probe) -> bool:
    """Whether its binary may be ARCHIVE!/MEMBER."""
    if probe.HasField("late"):
        return probe.late.probe_type in ("", "uprobe", "uretprobe", "usdt")
    return "!/" in probe.uprobe.path or "!/" in probe.usdt.path


def _has_names(type_: pb.Type) -> bool:
    """Whether printing it takes the symbols of processes."""
    match type_.kind:
        case pb.Type.USYM:
            return True
        case pb.Type.USTACK:
            return type_.stack_mode in (pb.Type.BPFTRACE, pb.Type.PERF)
        case _:
            return False


def _which(message: Message, oneof: str) -> str:
    name: str | None = message.WhichOneof(oneof)
    assert name is not None
    return name


def _late(point: pb.LateAttachPoint) -> Iterator[str]:
    """What it may become: one of all, if its probe type is a parameter."""
    for field in [_LATE[point.probe_type]] if point.probe_type else _LATE.values():
        yield f"shim_attach_{field}"
