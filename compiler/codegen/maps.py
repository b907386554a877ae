"""The script's maps: keys, reading, assigning, and the functions on them."""

from __future__ import annotations

from collections.abc import Callable

from compiler.analysis.program import MapSymbol
from compiler.codegen import errors, events, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import NULL, PTR, Operand
from compiler.codegen.lowering import builtin, expression
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.object.resources import ARRAY_KEY, key_size
from compiler.object.tables import stored_size
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice, map_values
from compiler.types.lattice import Type
from proto import required_resources_pb2 as pb

BPF_ANY = "0"


def handle(e: Emitter, symbol: MapSymbol) -> tuple[str, Operand]:
    """The map as the argument of a helper."""
    return e.map(e.resources.map_symbol(symbol.name))


def key(e: Emitter, symbol: MapSymbol, node: ast.Expression, bucket: Operand | None = None) -> Operand:
    """The address of a key; `bucket` is what the key of a histogram ends with."""
    size = key_size(symbol)
    if bucket is not None:
        place = e.temporary(size, node.span)
        if symbol.key_type is not None:
            memory.store(e, node, place)
        last = e.at(place, size - 8)
        e.f.store(bucket, last.address, 8, alignment=last.alignment)
        return place.address
    if symbol.map_type.is_array:
        place = e.temporary(size, node.span)
        e.f.store(e.f.minimum(e.scalar(node), str(2**32 - 1)), place.address, ARRAY_KEY.size)
        return place.address
    if is_scalar(node.type):
        place = e.temporary(size, node.span)
        memory.store(e, node, place)
        return place.address
    return memory.in_bpf_memory(e, node).address


def look_up(e: Emitter, symbol: MapSymbol, key_address: Operand) -> Operand:
    """The address of a value, or null."""
    return e.pointer_helper("map_lookup_elem", handle(e, symbol), ptr(key_address))


def update(e: Emitter, symbol: MapSymbol, key_address: Operand, value_address: Operand, span: Span) -> None:
    result = e.helper("map_update_elem", handle(e, symbol), ptr(key_address), ptr(value_address), i64(BPF_ANY))
    errors.check_helper(e, "map_update_elem", result, span)


def is_found(e: Emitter, value: Operand) -> Operand:
    return e.f.compare("ne", value, NULL, PTR)


@expression(ast.MapAccess)
def map_access(e: Emitter, node: ast.MapAccess, into: Place | None) -> Value:
    """A value, or zero if there is none."""
    symbol: MapSymbol = node.map.symbol
    if symbol.value_type.is_map_value:
        return aggregate(e, node)
    value = look_up(e, symbol, key(e, symbol, node.key))
    if is_scalar(node.type):
        return _scalar_or_zero(e, value, node.type, node.span)
    # Where there is nothing to read, read zeros: no copy is needed.
    zeros = e.f.module.constant(bytes(node.type.size))
    return Place(e.f.select(is_found(e, value), value, zeros, PTR))


def scalar(e: Emitter, symbol: MapSymbol) -> Operand:
    """The value of a map without keys, or zero if there is none."""
    place = e.temporary(key_size(symbol), symbol.span)
    e.f.zero(place.address, key_size(symbol))
    return _scalar_or_zero(e, look_up(e, symbol, place.address), symbol.value_type, symbol.span)


def _scalar_or_zero(e: Emitter, value: Operand, type_: Type, span: Span) -> Operand:
    f = e.f
    present, done = f.label("present"), f.label("read")
    before = f.current
    f.branch_if(is_found(e, value), present, done)
    f.enter(present)
    loaded = memory.load(e, Place(value), type_, span)
    assert isinstance(loaded, Operand)
    after = f.current
    f.enter(done)
    return f.phi([("0", before), (loaded, after)])


def assign(e: Emitter, target: ast.MapAccess, value: ast.Expression, span: Span) -> None:
    """`span` is that of the whole statement, for the warning that the map is full."""
    symbol: MapSymbol = target.map.symbol
    if is_scalar(value.type):
        place = e.temporary(value.type.size, value.span)
        memory.store(e, value, place)
    else:
        place = memory.in_bpf_memory(e, value)
    update(e, symbol, key(e, symbol, target.key), place.address, span)


def change(
    e: Emitter, target: ast.MapAccess, changed: Callable[[Operand], Operand], span: Span
) -> tuple[Operand, Operand]:
    """Replaces a scalar by a function of itself; returns the old and the new value."""
    f = e.f
    symbol: MapSymbol = target.map.symbol
    size = scalar_bits(target.type) // 8
    address = key(e, symbol, target.key)
    value = look_up(e, symbol, address)
    present, absent, done = f.label("present"), f.label("absent"), f.label("changed")
    f.branch_if(is_found(e, value), present, absent)
    f.enter(present)
    old = f.load(value, size, signed=target.type.is_signed)
    new = changed(old)
    f.store(new, value, size)
    after_change = f.current
    f.branch(done)
    f.enter(absent)
    first = changed("0")
    slot = e.temporary(8, target.span)
    f.store(first, slot.address, size)
    update(e, symbol, address, slot.address, span)
    after_insert = f.current
    f.enter(done)
    return f.phi([(old, after_change), ("0", after_insert)]), f.phi([(new, after_change), (first, after_insert)])


# ------------------------------------------------------------------------------------------------------ aggregations


def aggregate(e: Emitter, node: ast.MapAccess) -> Operand:
    """An aggregation read as an integer."""
    symbol: MapSymbol = node.map.symbol
    return aggregate_at(e, symbol, key(e, symbol, node.key))


def aggregate_at(e: Emitter, symbol: MapSymbol, address: Operand) -> Operand:
    """The values that all CPUs have for the key at an address, together."""
    f = e.f
    type_ = symbol.value_type
    size = stored_size(type_)
    sums = [e.stack_memory(8) for _ in range(size // 8)]
    for slot in sums:
        f.store("0", slot.address, 8)
    counter = e.stack_memory(8)
    f.store("0", counter.address, 8)
    head, body, done = f.label("cpus"), f.label("cpu"), f.label("cpus.done")
    f.enter(head)
    cpu = f.load(counter.address, 8, signed=False)
    limit = e.symbol_value(e.resources.constants.host(pb.HostValue.POSSIBLE_CPUS))
    value = e.pointer_helper("map_lookup_percpu_elem", handle(e, symbol), ptr(address), i64(cpu))
    more = f.boolean(f.compare("ult", cpu, limit))
    found = f.boolean(is_found(e, value))
    f.branch_if(f.compare("ne", f.binary("and", more, found), "0"), body, done)
    f.enter(body)
    part = [f.load(f.offset(value, 8 * index), 8, signed=False) for index in range(size // 8)]
    _combine(e, type_, sums, part)
    f.store(f.binary("add", cpu, "1"), counter.address, 8)
    f.loop_back(head)
    f.enter(done)
    total = f.load(sums[0].address, 8, signed=False)
    if isinstance(type_, map_values.Avg):
        return _average(e, total, f.load(sums[1].address, 8, signed=False), signed=type_.signed)
    return total


def _combine(e: Emitter, type_: lattice.Type, sums: list[Place], part: list[Operand]) -> None:
    f = e.f
    match type_:
        case map_values.Min(signed) | map_values.Max(signed):
            predicate = ("s" if signed else "u") + ("lt" if isinstance(type_, map_values.Min) else "gt")
            best, any_yet = (f.load(slot.address, 8, signed=False) for slot in sums)
            better = f.boolean(f.compare(predicate, part[0], best))
            wins = f.binary("or", better, f.boolean(f.compare("eq", any_yet, "0")))
            with e.when(f.compare("ne", f.binary("and", wins, part[1]), "0"), "better"):
                f.store(part[0], sums[0].address, 8)
                f.store("1", sums[1].address, 8)
        case _:
            for slot, value in zip(sums, part, strict=True):
                f.store(f.binary("add", f.load(slot.address, 8, signed=False), value), slot.address, 8)


def _average(e: Emitter, total: Operand, count: Operand, *, signed: bool) -> Operand:
    """The instruction set divides unsigned numbers only."""
    f = e.f
    count = f.select(f.compare("eq", count, "0"), "1", count)
    if not signed:
        return f.binary("udiv", total, count)
    negative = f.compare("slt", total, "0")
    size = f.select(negative, f.binary("sub", "0", total), total)
    quotient = f.binary("udiv", size, count)
    return f.select(negative, f.binary("sub", "0", quotient), quotient)


# --------------------------------------------------------------------------------------------------------- functions


def _symbol(node: ast.Expression) -> MapSymbol:
    assert isinstance(node, ast.Map)
    symbol: MapSymbol = node.symbol
    return symbol


@builtin("has_key")
def has_key(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    symbol = _symbol(node.arguments[0])
    return e.f.boolean(is_found(e, look_up(e, symbol, key(e, symbol, node.arguments[1]))))


@builtin("delete")
def delete(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """Whether there was such a key; that there was none is no error."""
    symbol = _symbol(node.arguments[0])
    if len(node.arguments) > 1:
        address = key(e, symbol, node.arguments[1])
    else:
        place = e.temporary(key_size(symbol), node.span)
        e.f.zero(place.address, key_size(symbol))
        address = place.address
    result = e.helper("map_delete_elem", handle(e, symbol), ptr(address))
    return e.f.boolean(e.f.compare("eq", e.f.narrow(result, 32, signed=True), "0"))


@builtin("clear", "zero")
def clear(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    events.emit(e, node)
    return "0"
