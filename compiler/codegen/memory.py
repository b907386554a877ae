"""Reading memory: addresses of places, values and bytes of kernel, user and BPF memory."""

from __future__ import annotations

from compiler.codegen import cold, errors, layout
from compiler.codegen.emitter import Emitter, i64, ptr, read_helper
from compiler.codegen.ir import MAX_INLINE_BYTES, Operand
from compiler.codegen.values import CorePath, Place, Value, is_scalar, scalar_bits
from compiler.helpers import HELPERS
from compiler.object.core import Kind
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.btf_source import BtfSource, is_relocatable
from compiler.types.lattice import AddressSpace, Type


def space_of(type_: Type) -> AddressSpace:
    """Where an address of this type points, KERNEL if the type does not say; BPF's own memory is the kernel's too."""
    space = getattr(type_, "space", AddressSpace.NONE)
    return AddressSpace.KERNEL if space is AddressSpace.NONE else space


def address(e: Emitter, place: Place, span: Span) -> Operand:
    if place.core is None or not place.core.steps:
        return place.address
    symbol = e.resources.constants.core(Kind.FIELD_BYTE_OFFSET, place.core.root, place.core.steps, span)
    offset = e.symbol_value(symbol)
    if place.in_bpf_memory:
        return e.f.offset(place.address, offset)
    return e.f.binary("add", place.address, offset)


def settled(e: Emitter, place: Place, span: Span) -> Place:
    """The same place without a path that is still to be worked out."""
    if place.core is None:
        return place
    return Place(address(e, place, span), place.space, 1)


def load(e: Emitter, place: Place, type_: Type, span: Span) -> Value:
    """The value of type `type_` at a place: read if it is a scalar, else the place itself."""
    if not is_scalar(type_):
        return place
    size = scalar_bits(type_) // 8
    if place.in_bpf_memory:
        value = e.f.load(address(e, place, span), size, signed=type_.is_signed, alignment=place.alignment)
    elif place.core is not None and has_size_of_target(place.core, type_):
        value = _load_of_target_size(e, place, place.core, type_, span)
    else:
        slot = e.temporary(8, span)
        read(e, place, slot, size, span)
        value = e.f.load(slot.address, size, signed=type_.is_signed)
    if isinstance(type_, lattice.Bool):
        return e.f.boolean(e.f.compare("ne", value, "0"))
    return value


def has_size_of_target(core: CorePath, type_: Type) -> bool:
    """Whether a number may have another size on the target: pointers have not, and what is wider than a register is
    read as its lower half.
    """
    if not isinstance(type_, lattice.Integer | lattice.Bool) or not core.steps:
        return False
    last, source = core.steps[-1], core.root.source
    return isinstance(last, int) or not isinstance(source, BtfSource) or source.member_size(last) == type_.size


def _load_of_target_size(e: Emitter, place: Place, core: CorePath, type_: Type, span: Span) -> Operand:
    """An integer with as many bytes as it has on the target, as one of type `type_`: of a larger one the lower bytes.

    The verifier takes out what never happens there, which is nearly always the way for fewer bytes.
    """
    f = e.f
    wanted = scalar_bits(type_) // 8
    slot = e.temporary(8, span)
    size = e.symbol_value(e.resources.constants.core(Kind.FIELD_BYTE_SIZE, core.root, core.steps, span))
    if wanted == 1:
        read(e, place, slot, size, span)
        return f.load(slot.address, 1, signed=type_.is_signed)
    source = address(e, place, span)
    small, whole, done = f.label("number.small"), f.label("number.whole"), f.label("number.done")
    f.branch_if(f.compare("ult", size, str(wanted)), small, whole)
    f.enter(small)
    extended = cold.read_small_number(f, read_helper(place.space), source, size, signed=type_.is_signed)
    after_small = f.current
    f.branch(done)
    f.enter(whole)
    read(e, Place(source, place.space), slot, size, span)
    value = f.load(slot.address, wanted, signed=type_.is_signed)
    after_whole = f.current
    f.enter(done)
    return f.phi([(extended, after_small), (value, after_whole)])


def size_of(e: Emitter, type_: Type, span: Span) -> Operand:
    """Bytes of a value: of a structure of the kernel, those that it has on the target."""
    if isinstance(type_, lattice.Struct) and is_relocatable(type_):
        return e.symbol_value(e.resources.constants.core(Kind.TYPE_SIZE, type_, (), span))
    return str(type_.size)


def store(e: Emitter, node: ast.Expression, into: Place) -> None:
    """Evaluates an expression and puts it into BPF memory at `into`."""
    store_value(e, e.value(node, into), node.type, into, node.span)


def store_value(e: Emitter, value: Value, type_: Type, into: Place, span: Span) -> None:
    if not isinstance(value, Place):
        e.f.store(value, into.address, scalar_bits(type_) // 8, alignment=into.alignment)
    elif value.address != into.address:
        if not value.in_bpf_memory:
            layout.check(e, type_, span)
        copy(e, value, into, type_.size, span)


def in_bpf_memory(e: Emitter, node: ast.Expression, into: Place | None = None) -> Place:
    """An expression's value as bytes in BPF memory: where it is already, else in a temporary place."""
    value = e.value(node, into)
    if isinstance(value, Place) and value.in_bpf_memory:
        return settled(e, value, node.span)
    target = into or e.temporary(max(node.type.size, 1), node.span)
    store_value(e, value, node.type, target, node.span)
    return target


def pointer_to(e: Emitter, node: ast.Expression) -> tuple[Operand, AddressSpace]:
    """Where an expression's value points, or where it is if it is an aggregate; what the probe_read helpers take."""
    value = e.value(node)
    if not isinstance(value, Place):
        return value, space_of(node.type)
    origin = address(e, value, node.span)
    return (e.f.to_integer(origin), AddressSpace.KERNEL) if value.in_bpf_memory else (origin, value.space)


def pointee(pointer: Operand, space: AddressSpace) -> Place:
    """The place that a pointer points to; one into BPF memory is not followed by the verifier, but read."""
    return Place(pointer, AddressSpace.KERNEL if space is AddressSpace.NONE else space)


def moved(e: Emitter, place: Place, offset: int | Operand, span: Span) -> Place:
    """The place some bytes further, in any memory."""
    if place.in_bpf_memory:
        place = settled(e, place, span)
        if isinstance(offset, int):
            return e.at(place, offset)
        return Place(e.f.offset(place.address, offset), alignment=1)
    base = address(e, place, span)
    return Place(base if offset == 0 else e.f.binary("add", base, str(offset)), place.space)


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
    source = settled(e, source, span)
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


def clear_at_start(e: Emitter, target: Place, size: int) -> None:
    """Fills the memory of a variable with zeros when the program starts."""
    if size <= MAX_INLINE_BYTES // 4:
        e.f.zero_at_start(target.address, size)
    else:
        zeros = e.f.module.constant(bytes(size))
        helper = HELPERS["probe_read_kernel"].id
        e.f.at_start(f"call i64 inttoptr (i64 {helper} to ptr)(ptr {target.address}, i64 {size}, ptr {zeros})")
