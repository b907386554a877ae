"""Reading memory: addresses of places, values and bytes of kernel, user and BPF memory."""

from __future__ import annotations

from compiler.codegen import errors
from compiler.codegen.emitter import Emitter, i64, ptr, read_helper
from compiler.codegen.ir import MAX_INLINE_BYTES, Operand
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.object.core import Kind
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.lattice import AddressSpace, Type


def address(e: Emitter, place: Place, span: Span) -> Operand:
    if place.core is None or not place.core.steps:
        return place.address
    symbol = e.resources.constants.core(Kind.FIELD_BYTE_OFFSET, place.core.root, place.core.steps, span)
    return e.f.binary("add", place.address, e.symbol_value(symbol))


def load(e: Emitter, place: Place, type_: Type, span: Span) -> Value:
    """The value of type `type_` at a place: read if it is a scalar, else the place itself."""
    if not is_scalar(type_):
        return place
    size = scalar_bits(type_) // 8
    if place.in_bpf_memory:
        value = e.f.load(place.address, size, signed=type_.is_signed, alignment=place.alignment)
    else:
        slot = e.temporary(8, span)
        read(e, place, slot, size, span)
        value = e.f.load(slot.address, size, signed=type_.is_signed)
    if isinstance(type_, lattice.Bool):
        return e.f.boolean(e.f.compare("ne", value, "0"))
    return value


def read(e: Emitter, source: Place, target: Place, size: int | Operand, span: Span) -> None:
    """Reads kernel or user memory; what cannot be read is zero (the helper clears the target)."""
    helper = read_helper(source.space)
    result = e.helper(helper, ptr(target.address), i64(str(size)), i64(address(e, source, span)))
    errors.check_helper(e, helper, result, span)


def read_text(e: Emitter, source: Operand, space: AddressSpace, target: Place, size: Operand, span: Span) -> Operand:
    """Reads a string of at most `size` bytes, NUL included; returns how many bytes were written, or an error."""
    helper = read_helper(space, text=True)
    result = e.helper(helper, ptr(target.address), i64(size), i64(source))
    errors.check_helper(e, helper, result, span)
    return result


def copy(e: Emitter, source: Place, target: Place, size: int, span: Span) -> None:
    if size == 0:
        return
    if not source.in_bpf_memory:
        read(e, source, target, size, span)
    elif size <= MAX_INLINE_BYTES // 4:
        e.f.copy(target.address, source.address, size, min(source.alignment, target.alignment))
    else:
        # One call instead of a load and a store for every eight bytes.
        origin = Place(e.f.to_integer(source.address), AddressSpace.KERNEL)
        read(e, origin, target, size, span)


def clear(e: Emitter, target: Place, size: int, span: Span) -> None:
    """Fills BPF memory with zeros."""
    if size <= MAX_INLINE_BYTES // 4:
        if size:
            e.f.zero(target.address, size, target.alignment)
    else:
        zeros = e.f.module.constant(bytes(size))
        copy(e, Place(zeros), target, size, span)
