"""The table of events that software and hardware probes count (enum perf_sw_ids, perf_hw_id of linux/perf_event.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TYPE_HARDWARE = 0
TYPE_SOFTWARE = 1
CPU_CLOCK = 0
"""The software event that a profile probe samples."""


@dataclass(frozen=True, slots=True)
class PerfEvent:
    """`period` is how many events make one hit where the script does not say."""

    name: str
    alias: str
    config: int
    period: int


SOFTWARE_EVENTS = (
    PerfEvent("alignment-faults", "", 7, 1),
    PerfEvent("bpf-output", "", 10, 1),
    PerfEvent("context-switches", "cs", 3, 1000),
    PerfEvent("cpu-clock", "cpu", CPU_CLOCK, 1_000_000),
    PerfEvent("cpu-migrations", "", 4, 1),
    PerfEvent("dummy", "", 9, 1),
    PerfEvent("emulation-faults", "", 8, 1),
    PerfEvent("major-faults", "", 6, 1),
    PerfEvent("minor-faults", "", 5, 100),
    PerfEvent("page-faults", "faults", 2, 100),
    PerfEvent("task-clock", "", 1, 1),
)
HARDWARE_EVENTS = (
    PerfEvent("backend-stalls", "", 8, 1_000_000),
    PerfEvent("branch-instructions", "branches", 4, 100_000),
    PerfEvent("branch-misses", "", 5, 100_000),
    PerfEvent("bus-cycles", "", 6, 100_000),
    PerfEvent("cache-misses", "", 3, 1_000_000),
    PerfEvent("cache-references", "", 2, 1_000_000),
    PerfEvent("cpu-cycles", "cycles", 0, 1_000_000),
    PerfEvent("frontend-stalls", "", 7, 1_000_000),
    PerfEvent("instructions", "", 1, 1_000_000),
    PerfEvent("ref-cycles", "", 9, 1_000_000),
)


@dataclass(frozen=True, slots=True)
class EventClass:
    """The events of one probe type; `type` is PERF_TYPE_*."""

    type: int
    events: tuple[PerfEvent, ...]

    def find(self, name: str) -> PerfEvent | None:
        """By name or alias."""
        return next((event for event in self.events if name in (event.name, event.alias) and name), None)


CLASSES: Mapping[str, EventClass] = {
    "software": EventClass(TYPE_SOFTWARE, SOFTWARE_EVENTS),
    "hardware": EventClass(TYPE_HARDWARE, HARDWARE_EVENTS),
}
"""By the name of the probe type."""
