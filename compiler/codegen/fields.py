"""Members of structures, elements of arrays, and the probe's context: `args`, `argN`, `retval`, registers."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BPF_PROGRAMS, FieldOrigin, ResolvedField
from compiler.codegen import errors, memory
from compiler.codegen.emitter import Emitter, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import expression
from compiler.codegen.values import CorePath, Place, Value, is_scalar, scalar_bits
from compiler.object.core import Kind
from compiler.probe_types import Context
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.binary.calling_convention import Argument, Location
from compiler.types.lattice import AddressSpace, DynamicArray, Field, Type
from proto import required_resources_pb2 as pb

_WORD = 8


@expression(ast.FieldAccess)
def field_access(e: Emitter, node: ast.FieldAccess, into: Place | None) -> Value:
    resolved: ResolvedField = node.field
    field = resolved.field
    match resolved.origin:
        case FieldOrigin.ARGUMENT if isinstance(field, Argument):
            return _user_argument(e, field.location, node.type, node.span)
        case FieldOrigin.ARGUMENT:
            value = argument(e, resolved.index, node.type, node.span)
            if e.bpf.probe_type.context is Context.ITERATOR and isinstance(node.type, lattice.Pointer):
                _return_if_null(e, value)
            return value
        case FieldOrigin.CONTEXT:
            return _context_member(e, field, node.type)
        case FieldOrigin.TRACEPOINT:
            return _tracepoint_field(e, field, node)
        case FieldOrigin.KERNEL_BTF:
            place = _core_member(e, _target(e, node.target), resolved, node.span)
            if field.bitfield:
                return _core_bitfield(e, place, node)
        case FieldOrigin.FIXED:
            place = _target(e, node.target)
            if field.bitfield:
                return _fixed_bitfield(e, place, field, node)
            place = memory.moved(e, place, field.byte_offset, node.span)
    return memory.load(e, place, node.type, node.span)


def _return_if_null(e: Emitter, value: Value) -> None:
    """The kernel runs an iterator once more behind the last object, with none; to the script that is no object."""
    assert isinstance(value, Operand)
    with e.when(e.f.compare("eq", value, "0"), "iterator.end"):
        e.f.ret(e.return_value)


def _target(e: Emitter, node: ast.Expression) -> Place:
    """The structure whose member is asked for; a pointer to it is followed."""
    if isinstance(node.type, lattice.Pointer):
        return memory.pointee(e.scalar(node), node.type.space)
    return e.place(node)


def _core_member(e: Emitter, place: Place, resolved: ResolvedField, span: Span) -> Place:
    container = resolved.container
    assert isinstance(container, lattice.Struct)
    if place.core is not None:
        return place.step(resolved.field)
    if container.is_anonymous:
        # It has no name by which the target's could be found: all that is known is this kernel's layout.
        return memory.moved(e, place, resolved.field.byte_offset, span)
    return Place(place.address, place.space, place.alignment, CorePath(container)).step(resolved.field)


def _core_bitfield(e: Emitter, place: Place, node: ast.FieldAccess) -> Operand:
    """Reads the word that holds the bits on the target, and shifts the bits around it out.

    Whatever the sign of the field's type, the value is the bits: that is how bpftrace has it.
    """
    assert place.core is not None
    root, steps = place.core.root, place.core.steps

    def relocated(kind: Kind) -> Operand:
        return e.symbol_value(e.resources.constants.core(kind, root, steps, node.span))

    word = e.temporary(8, node.span)
    e.f.store("0", word.address, 8)
    memory.read(e, _readable(e, place, node.span), word, relocated(Kind.FIELD_BYTE_SIZE), node.span)
    value = e.f.load(word.address, 8, signed=False)
    value = e.f.binary("shl", value, relocated(Kind.FIELD_LSHIFT_U64))
    return e.f.binary("lshr", value, relocated(Kind.FIELD_RSHIFT_U64))


def _readable(e: Emitter, place: Place, span: Span) -> Place:
    """A place that the probe_read helpers can read."""
    if place.in_bpf_memory:
        return Place(e.f.to_integer(memory.address(e, place, span)), AddressSpace.KERNEL)
    return place


def _fixed_bitfield(e: Emitter, place: Place, field: Field, node: ast.FieldAccess) -> Operand:
    """The same where the offset is known."""
    size = scalar_bits(field.type) // 8
    start = field.offset // (size * 8) * size
    while field.offset + field.bitfield > (start + size) * 8:
        size *= 2
        start = field.offset // (size * 8) * size
    word = memory.load(e, memory.moved(e, place, start, node.span), lattice.Integer(size * 8, False), node.span)
    assert isinstance(word, Operand)
    end = field.offset - start * 8 + field.bitfield
    value = e.f.binary("shl", word, str(64 - end))
    return e.f.binary("lshr", value, str(64 - field.bitfield))


@expression(ast.SizeOf)
def size_of(e: Emitter, node: ast.SizeOf, into: Place | None) -> Operand:
    return memory.size_of(e, node.operand.type, node.span)


@expression(ast.OffsetOf)
def offset_of(e: Emitter, node: ast.OffsetOf, into: Place | None) -> Operand:
    """Of a structure of the kernel; others are numbers already."""
    root = type_ = node.operand.type
    steps: list[Field] = []
    for name in node.fields:
        member = type_.member(name)
        steps.append(member)
        type_ = member.type
    if steps[-1].bitfield:  # whose word is what the target would tell
        return str(sum(member.byte_offset for member in steps))
    return e.symbol_value(e.resources.constants.core(Kind.FIELD_BYTE_OFFSET, root, tuple(steps), node.span))


@expression(ast.ArrayAccess)
def array_access(e: Emitter, node: ast.ArrayAccess, into: Place | None) -> Value:
    array = node.target.type
    size = max(node.type.size, 1)
    if isinstance(array, lattice.Pointer):
        place = memory.pointee(e.scalar(node.target), array.space)
        offset = e.f.binary(
            "mul", e.scalar(node.index), memory.size_of(e, node.type, node.span) if node.type.size else "1"
        )
        return memory.load(e, memory.moved(e, place, offset, node.span), node.type, node.span)
    place = e.place(node.target)
    index = _literal_index(node.index)
    if index is not None:
        if place.core is not None and isinstance(array, lattice.Array):
            place = place.step(index)
        else:
            place = memory.moved(e, place, index * size, node.span)
        return memory.load(e, place, node.type, node.span)
    position = e.scalar(node.index)
    count = array.size // size
    if node in e.program.action_of:
        with e.when(e.f.compare("ugt", position, str(count - 1)), "outside"):
            errors.report(e, node)
    if place.in_bpf_memory:
        # What is outside was reported; the verifier wants to see that it is not read.
        position = e.f.minimum(position, str(count - 1))
    width = str(size) if place.in_bpf_memory else memory.size_of(e, node.type, node.span)
    place = memory.moved(e, place, e.f.binary("mul", position, width), node.span)
    return memory.load(e, place, node.type, node.span)


def _literal_index(node: ast.Expression) -> int | None:
    while isinstance(node, ast.Cast):
        node = node.operand
    return node.value if isinstance(node, ast.Integer) else None


# ---------------------------------------------------------------------------------------------------------- context


def register(e: Emitter, offset: int) -> Operand:
    """A register of the probed code; the context starts with them."""
    return e.f.load(e.f.offset(e.context, offset), 8, signed=False)


def _context_member(e: Emitter, field: Field, type_: Type) -> Operand:
    """Of registers and the like, of which the kernel gives whole words only."""
    word, bit = divmod(field.offset, 64)
    width = field.bitfield or scalar_bits(type_)
    value = e.f.binary("lshr", _argument_word(e, word), str(bit)) if bit else _argument_word(e, word)
    return e.f.narrow(value, width, signed=type_.is_signed and not field.bitfield)


def _argument_word(e: Emitter, index: int) -> Operand:
    """The verifier wants the whole word read at once: volatile keeps LLVM from reading only the part that is used."""
    return e.f.value(f"load volatile i64, ptr {e.f.offset(e.context, 8 * index)}, align 8")


def _argument_by_value(e: Emitter, index: int, type_: Type, span: Span) -> Place:
    """A structure that is passed in registers takes one or two words."""
    words = -(-type_.size // 8)
    place = e.temporary(8 * words, span)
    for word in range(words):
        e.f.store(_argument_word(e, index + word), e.at(place, 8 * word).address, 8)
    return place


def argument(e: Emitter, index: int, type_: Type, span: Span) -> Value:
    """An argument of a program whose context is an array of u64."""
    if not is_scalar(type_):
        return _argument_by_value(e, index, type_, span)
    value = _argument_word(e, index)
    if isinstance(type_, lattice.Bool):
        return e.f.boolean(e.f.compare("ne", e.f.narrow(value, 8, signed=False), "0"))
    return e.f.narrow(value, scalar_bits(type_), signed=type_.is_signed)


def _tracepoint_field(e: Emitter, field: Field, node: ast.FieldAccess) -> Value:
    """A field of the tracepoint's record, at the offset that it has on the target.

    The verifier refuses loads from the context at an offset that an instruction adds. So there are two ways to the
    value, of which it removes the one that is not taken: a load at the offset that the field has on the compiler's
    kernel, and a read that works for any.
    """
    f = e.f
    point = e.bpf.attach_points[0]
    symbol = e.resources.constants.tracepoint_field(
        point.target, point.event, field.name, pb.TracepointField.Property.OFFSET, node.span
    )
    offset = e.symbol_value(symbol)
    if field.dynamic is None and not is_scalar(node.type):
        return Place(f.binary("add", f.to_integer(e.context), offset), AddressSpace.KERNEL)
    size = 4 if field.dynamic else scalar_bits(field.type) // 8
    signed = field.type.is_signed and field.dynamic is None
    known, other, done = f.label("offset.known"), f.label("offset.other"), f.label("offset.done")
    f.branch_if(f.compare("eq", offset, str(field.byte_offset)), known, other)
    f.enter(known)
    direct = f.load(f.offset(e.context, field.byte_offset), size, signed=signed)
    after_direct = f.current
    f.branch(done)
    f.enter(other)
    place = Place(f.binary("add", f.to_integer(e.context), offset), AddressSpace.KERNEL)
    read = memory.load(e, place, lattice.Integer(size * 8, signed), node.span)
    assert isinstance(read, Operand)
    after_read = f.current
    f.enter(done)
    value = f.phi([(direct, after_direct), (read, after_read)])
    if field.dynamic is None:
        return f.boolean(f.compare("ne", value, "0")) if isinstance(node.type, lattice.Bool) else value
    start = f.binary("add", f.to_integer(e.context), f.binary("and", value, "65535"))
    if field.dynamic is DynamicArray.RELATIVE:
        start = f.binary("add", start, f.binary("add", offset, "4"))
    return start


def read_argument_register(e: Emitter, index: int) -> Operand:
    """`argN` of a probe whose context is registers."""
    offset = e.program.arch.argument_offset(index)
    assert offset is not None
    return register(e, offset)


def _user_argument(e: Emitter, location: Location | None, type_: Type, span: Span) -> Value:
    """An argument of a program's function, which has just been entered."""
    assert location is not None
    if location.registers and not location.is_address:
        return _in_registers(e, location.registers, type_, span)
    if location.registers:
        assert location.registers[0] is not None
        address = read_argument_register(e, location.registers[0])
    else:
        stack = register(e, e.program.arch.registers[e.program.arch.stack_pointer])
        address = e.f.binary("add", stack, str(location.stack))
        if location.is_address:
            pointer = memory.load(e, Place(address, AddressSpace.USER), lattice.UINT64, span)
            assert isinstance(pointer, Operand)
            address = pointer
    return memory.load(e, Place(address, AddressSpace.USER), type_, span)


def _in_registers(e: Emitter, registers: Sequence[int | None], type_: Type, span: Span) -> Value:
    """What a register for floating point has of a structure is zero: no member of it can be asked for."""
    words = ["0" if number is None else read_argument_register(e, number) for number in registers]
    if is_scalar(type_):
        return e.f.narrow(words[0], scalar_bits(type_), signed=type_.is_signed)
    place = e.temporary(_WORD * len(words), span)
    for index, word in enumerate(words):
        e.f.store(word, e.at(place, _WORD * index).address, _WORD)
    return place


def function_address(e: Emitter, span: Span) -> Operand:
    """Address of the probed function.

    Only a kprobe's registers have it. For others the target looks it up by name, as the kernel can be asked only from
    5.15 on; but of those with a wildcard nobody else knows.
    """
    if e.bpf.probe_type.name == "kprobe":
        return register(e, e.program.arch.registers[e.program.arch.instruction_pointer])
    point = e.bpf.attach_points[0]
    if point.has_late_name or point.target == BPF_PROGRAMS:
        return e.helper("get_func_ip", ptr(e.context))
    return e.symbol_value(e.resources.constants.kernel_symbol(point.event, span))
