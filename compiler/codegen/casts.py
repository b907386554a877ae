"""Conversions, written or inserted by analysis."""

from __future__ import annotations

from compiler.codegen import maps, memory
from compiler.codegen.emitter import Emitter
from compiler.codegen.lowering import expression
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.lattice import Type


@expression(ast.Cast)
def cast(e: Emitter, node: ast.Cast, into: Place | None) -> Value:
    source, target = node.operand.type, node.type
    if source == target and not source.is_map_value:
        return e.value(node.operand, into)
    if source.is_map_value:
        assert isinstance(node.operand, ast.MapAccess)
        return _cut(e, maps.aggregate(e, node.operand), target)
    match source, target:
        case _, lattice.Bool() if isinstance(source, lattice.String):
            text = memory.in_bpf_memory(e, node.operand)
            return e.f.boolean(e.f.compare("ne", e.f.load(text.address, 1, signed=False), "0"))
        case _, lattice.Bool() if is_scalar(source):
            return e.f.boolean(e.truth(node.operand))
        case _ if is_scalar(source) and is_scalar(target):
            return _cut(e, e.scalar(node.operand), target)
        case _ if is_scalar(target):  # the bytes of an array as an integer
            return _array_as_integer(e, node, into)
        case _ if is_scalar(source):  # an integer as an array of smaller ones
            place = into or e.temporary(target.size, node.span)
            _store_integer(e, e.scalar(node.operand), place, target.size)
            return place
        case lattice.Pointer() | lattice.Struct(), _:
            return e.value(node.operand, into)
        case _:
            if keeps_layout(source, target):
                return e.value(node.operand, into)
            place = into or e.temporary(target.size, node.span)
            convert(e, e.place(node.operand), source, place, target, node.span)
            return place


def _cut(e: Emitter, value: str, target: Type) -> Value:
    return e.f.narrow(value, scalar_bits(target), signed=target.is_signed)


def _store_integer(e: Emitter, value: str, place: Place, size: int) -> None:
    """The lower `size` bytes, which may be three or five, in parts that have a power of two of them."""
    done = 0
    while done < size:
        part = 1 << (size - done).bit_length() - 1
        shifted = e.f.binary("lshr", value, str(8 * done)) if done else value
        at = e.at(place, done)
        e.f.store(shifted, at.address, part, alignment=at.alignment)
        done += part


def _array_as_integer(e: Emitter, node: ast.Cast, into: Place | None) -> Value:
    place = memory.in_bpf_memory(e, node.operand)
    size = min(node.type.size, node.operand.type.size)
    return e.f.load(place.address, size, signed=node.type.is_signed, alignment=place.alignment)


def keeps_layout(source: Type, target: Type) -> bool:
    """Whether the bytes of a value stay the same: only the name of the type differs."""
    match source, target:
        case lattice.String(), lattice.String():
            return source.length == target.length
        case lattice.Buffer(), lattice.Buffer():
            return source.capacity == target.capacity
        case ((lattice.Tuple() | lattice.Record()), _):
            return False
        case _:
            return True


def convert(e: Emitter, source: Place, source_type: Type, into: Place, target_type: Type, span: Span) -> None:
    """Makes a value of `target_type` in BPF memory from one of `source_type`: strings of other sizes, tuples of other
    element types, records in other order.
    """
    match source_type, target_type:
        case (lattice.String(), lattice.String()) | (lattice.Buffer(), lattice.Buffer()):
            size = min(source_type.size, target_type.size)
            memory.copy(e, source, into, size, span)
            memory.clear(e, e.at(into, size), target_type.size - size, span)
        case lattice.Tuple(elements), lattice.Tuple(targets):
            pairs = list(zip(elements, source_type.layout.offsets, strict=True))
            _convert_elements(e, source, pairs, into, targets, target_type.layout, span)
        case lattice.Record(fields), lattice.Record(targets):
            offsets = dict(zip((name for name, _ in fields), source_type.layout.offsets, strict=True))
            types = dict(fields)
            pairs = [(types[name], offsets[name]) for name, _ in targets]
            _convert_elements(e, source, pairs, into, tuple(t for _, t in targets), target_type.layout, span)
        case _ if is_scalar(target_type):
            value = memory.load(e, source, source_type, span)
            assert isinstance(value, str)
            e.f.store(value, into.address, scalar_bits(target_type) // 8, alignment=into.alignment)
        case _:
            memory.copy(e, source, into, target_type.size, span)


def _convert_elements(
    e: Emitter,
    source: Place,
    elements: list[tuple[Type, int]],
    into: Place,
    targets: tuple[Type, ...],
    layout: lattice.TupleLayout,
    span: Span,
) -> None:
    end = 0
    for (element, offset), target, at in zip(elements, targets, layout.offsets, strict=True):
        memory.clear(e, e.at(into, end), at - end, span)
        convert(e, e.at(source, offset), element, e.at(into, at), target, span)
        end = at + target.size
    memory.clear(e, e.at(into, end), layout.size - end, span)
