"""Strings, buffers and addresses from memory."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from compiler.codegen import memory
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.syntax import ast
from compiler.types import lattice

AF_INET = 2
AF_INET6 = 10


@builtin("str")
def str_(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    size: int = node.type.size
    source = node.arguments[0]
    # One byte more is read than the string holds, so that one that is cut has no NUL: that is how the tracer knows.
    room = size + 1 if _may_be_cut(e, node) else size
    target = into if into is not None and room == size else e.temporary(room, node.span)
    limit = _limit(e, node, room)
    if len(node.arguments) > 1 and target.text_only:
        e.f.store("0", target.address, 1)  # for a limit of nothing at all
    pointer, space = memory.pointer_to(e, source)
    if not target.text_only:
        memory.clear(e, target, room, node.span)
    read = memory.read_text(e, pointer, space, target, limit, node.span)
    # What cannot be read is empty: the helper has put a NUL there.
    used = e.f.minimum(e.f.select(e.f.compare("sgt", read, "0"), read, "1"), str(size))
    return replace(target, used=used)


def _limit(e: Emitter, node: ast.Call, room: int) -> Operand:
    """Most bytes to read. The length that a script gives counts the NUL, but for a text that upstream knows when it
    compiles: a parameter's, cut to a literal length.
    """
    match node.arguments:
        case [_] | [ast.PositionalParameter() | ast.Binary(type=lattice.String()), ast.Integer()]:
            return str(room)
        case [_, ast.Integer(length)]:
            return str(min(length, room))
        case _:
            return e.f.minimum(e.scalar(node.arguments[1]), str(room))


def _may_be_cut(e: Emitter, node: ast.Call) -> bool:
    return bool(node.type.size == e.program.config.max_strlen < 1024)


@builtin("buf")
def buf(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """u32 length, then the bytes, zeros behind them."""
    assert isinstance(node.type, lattice.Buffer)
    capacity = node.type.capacity
    target = into or e.temporary(node.type.size, node.span)
    length = str(capacity)
    if len(node.arguments) > 1:
        length = e.f.minimum(e.scalar(node.arguments[1]), length)
    source, space = memory.pointer_to(e, node.arguments[0])
    memory.clear(e, target, node.type.size, node.span)
    e.f.store(length, target.address, 4, alignment=target.alignment)
    data = e.at(target, lattice.Buffer.HEADER_SIZE)
    memory.read(e, Place(source, space), data, length, node.span)
    return target


@builtin("ntop")
def ntop(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """u64 address family, then 16 bytes of address."""
    target = into or e.temporary(node.type.size, node.span)
    memory.clear(e, target, node.type.size, node.span)
    address = node.arguments[-1]
    if len(node.arguments) > 1:
        family = e.scalar(node.arguments[0])
    else:
        family = str(AF_INET if address.type.size == 4 or is_scalar(address.type) else AF_INET6)
    e.f.store(family, target.address, 8, alignment=target.alignment)
    data = e.at(target, 8)
    if is_scalar(address.type):
        e.f.store(e.scalar(address), data.address, 4, alignment=data.alignment)
    else:
        place = e.place(address)
        memory.copy(e, place, data, min(address.type.size, 16), node.span)
    return target


@builtin("ksym", "kptr", "uptr")
def same_value(e: Emitter, node: ast.Call, into: Place | None) -> Value:
    """Only the type changes."""
    return e.value(node.arguments[0], into)


@builtin("kaddr")
def kaddr(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    name = node.arguments[0]
    assert isinstance(name, ast.String)
    return e.symbol_value(e.resources.constants.kernel_symbol(name.value, node.span))


@builtin("cgroupid")
def cgroupid(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    path = node.arguments[0]
    assert isinstance(path, ast.String)
    return e.symbol_value(e.resources.constants.cgroup_id(path.value, node.span))


@builtin("cgroup_path")
def cgroup_path(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """u64 cgroup id, u64 filter."""
    target = into or e.temporary(node.type.size, node.span)
    e.f.store(e.scalar(node.arguments[0]), target.address, 8, alignment=target.alignment)
    e.f.store(str(e.program.cgroup_filter_of[node]), e.at(target, 8).address, 8, alignment=target.aligned_at(8))
    return target


@builtin("macaddr")
def macaddr(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """A number or a pointer is the address of the bytes."""
    target = into or e.temporary(node.type.size, node.span)
    source, space = memory.pointer_to(e, node.arguments[0])
    memory.read(e, Place(source, space), target, node.type.size, node.span)
    return target


@builtin("pton")
def pton(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """The bytes of an address, known when compiling."""
    text = node.arguments[0]
    assert isinstance(text, ast.String)
    return Place(e.f.module.constant(ip_address(text.value).packed))


@builtin("bswap")
def bswap(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    value = e.scalar(node.arguments[0])
    bits = scalar_bits(node.type)
    if bits == 8:
        return value
    swapped = e.f.intrinsic("llvm.bswap.i64", "i64", ("i64", value))
    return swapped if bits == 64 else e.f.binary("lshr", swapped, str(64 - bits))
