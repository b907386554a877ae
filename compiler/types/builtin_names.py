"""The names that a script may write for a type, other than those of C types."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.types import lattice, map_values
from compiler.types.lattice import Type

BUILTIN_TYPES: Mapping[str, Type] = {
    "bool": lattice.BOOL,
    "int8": lattice.INT8,
    "int16": lattice.INT16,
    "int32": lattice.INT32,
    "int64": lattice.INT64,
    "uint8": lattice.UINT8,
    "uint16": lattice.UINT16,
    "uint32": lattice.UINT32,
    "uint64": lattice.UINT64,
    "void": lattice.VOID,
    "min_t": map_values.Min(True),
    "max_t": map_values.Max(True),
    "sum_t": map_values.Sum(True),
    "count_t": map_values.Count(),
    "avg_t": map_values.Avg(True),
    "stats_t": map_values.Stats(True),
    "umin_t": map_values.Min(False),
    "umax_t": map_values.Max(False),
    "usum_t": map_values.Sum(False),
    "uavg_t": map_values.Avg(False),
    "ustats_t": map_values.Stats(False),
    "timestamp": lattice.Timestamp(),
    "macaddr_t": lattice.MacAddress(),
    "cgroup_path_t": lattice.CgroupPath(),
    "string": lattice.String(),
    "buffer": lattice.Buffer(),
    "inet": lattice.Inet(),
    "username_t": lattice.Username(),
}
"""Names that a script may write for a type. `string`, `buffer` and `inet` take a size: see `sized`."""


def sized(name: str, size: int) -> Type | None:
    """The type written `name[size]` for the builtin types whose brackets mean a size, None for any other name."""
    match name:
        case "string":
            return lattice.String(size)
        case "buffer":
            return lattice.Buffer(size)
        case "inet":
            return lattice.Inet(size)
        case _:
            return None
