"""Clocks, and times as text."""

from __future__ import annotations

from compiler.codegen import events, maps
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types.lattice import Clock
from proto import required_resources_pb2 as pb

_HELPERS = {
    Clock.BOOT: "ktime_get_boot_ns",
    Clock.MONOTONIC: "ktime_get_ns",
    Clock.TAI: "ktime_get_tai_ns",
}


@builtin("nsecs")
def nsecs(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Operand:
    return now(e, node.type.clock)


def now(e: Emitter, clock: Clock) -> Operand:
    """Nanoseconds of a clock."""
    if e.program.clock_map is not None:
        return maps.scalar(e, e.program.clock_map)
    if clock is Clock.SW_TAI:
        offset = e.symbol_value(e.resources.constants.host(pb.HostValue.TAI_OFFSET_NS))
        return e.f.binary("add", e.helper(_HELPERS[Clock.BOOT]), offset)
    return e.helper(_HELPERS[clock])


@builtin("elapsed")
def elapsed(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    start = e.symbol_value(e.resources.constants.host(pb.HostValue.START_TIME_BOOT_NS))
    return e.f.binary("sub", e.helper("ktime_get_boot_ns"), start)


@builtin("jiffies")
def jiffies(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    return e.helper("jiffies64")


@builtin("strftime")
def strftime(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """u64 nanoseconds, u32 format, u32 zero."""
    target = into or e.temporary(node.type.size, node.span)
    time = e.scalar(node.arguments[1])
    e.f.store(time, target.address, 8, alignment=target.alignment)
    e.f.store(str(e.program.time_format_of[node]), e.at(target, 8).address, 8, alignment=target.aligned_at(8))
    return target


@builtin("time")
def time_(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    events.emit(e, node)
    return "0"
