"""Which memory the addresses point into that a probe is about."""

from __future__ import annotations

from compiler.probe_types import ProbeType
from compiler.types.lattice import AddressSpace

_KERNEL = frozenset({"kprobe", "kretprobe", "fentry", "fexit", "tracepoint", "iter", "rawtracepoint"})
_USER = frozenset({"uprobe", "uretprobe", "usdt"})


def of_probe(probe_type: ProbeType) -> AddressSpace:
    """Where an integer points that becomes a pointer in such a probe and does not say it itself."""
    if probe_type.name in _KERNEL:
        return AddressSpace.KERNEL
    return AddressSpace.USER if probe_type.name in _USER else AddressSpace.ANY
