"""Equality of strings, buffers and arrays."""

from __future__ import annotations

from compiler.analysis.program import string_literal
from compiler.codegen import memory
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types import lattice

# Up to this many bytes are compared word by word, without a loop.
_UNROLLED_BYTES = 64


def equal(e: Emitter, left: ast.Expression, right: ast.Expression, size: int | None = None) -> Operand:
    """An i1. Strings are compared up to the NUL, and no further than the shorter one's capacity or `size` bytes."""
    size = min(left.type.size, right.type.size) if size is None else size
    first, second = memory.in_bpf_memory(e, left), memory.in_bpf_memory(e, right)
    if not isinstance(left.type, lattice.String):
        return same_bytes(e, first, second, size)
    for node in (left, right):
        known = string_literal(node)
        # All of a literal up to its NUL must be there: no need to look for the end of the other one.
        if known is not None and b"\0" not in known.data:
            return same_bytes(e, first, second, min(len(known.data) + 1, size))
    return _loop(e, first, second, str(size), until_nul=True)


def equal_up_to(e: Emitter, left: ast.Expression, right: ast.Expression, most: Operand) -> Operand:
    """An i1: whether two strings are equal up to a NUL, within `most` bytes and the shorter one's capacity."""
    first, second = memory.in_bpf_memory(e, left), memory.in_bpf_memory(e, right)
    size = e.f.minimum(most, str(min(left.type.size, right.type.size)))
    same = _loop(e, first, second, size, until_nul=True)
    return e.f.value(f"or i1 {e.f.compare('eq', size, '0')}, {same}")


def same_bytes(e: Emitter, left: Place, right: Place, size: int) -> Operand:
    """An i1: whether `size` bytes in BPF memory are equal."""
    if size > _UNROLLED_BYTES:
        return _loop(e, left, right, str(size), until_nul=False)
    f = e.f
    difference: Operand = "0"
    offset = 0
    alignment = min(left.alignment, right.alignment)
    while offset < size:
        width = min(1 << (size - offset).bit_length() - 1, alignment, (offset | 8) & -(offset | 8))
        pair = [f.load(f.offset(place.address, offset), width, signed=False) for place in (left, right)]
        difference = f.binary("or", difference, f.binary("xor", *pair))
        offset += width
    return f.compare("eq", difference, "0")


def _loop(e: Emitter, left: Place, right: Place, size: Operand, *, until_nul: bool) -> Operand:
    """Byte by byte; ends at the first difference, or at a NUL."""
    f = e.f
    head, same, next_, done = (f.label(f"compare.{part}") for part in ("byte", "same", "next", "done"))
    counter = e.stack_memory(8)
    f.store("0", counter.address, 8)
    f.enter(head)
    index = f.load(counter.address, 8, signed=False)
    first, second = (f.load(f.offset(place.address, index), 1, signed=False) for place in (left, right))
    is_same = f.compare("eq", first, second)
    at_difference = f.current
    f.branch_if(is_same, same, done)
    f.enter(same)
    if until_nul:
        at_nul = f.label("compare.nul")
        f.branch_if(f.compare("eq", first, "0"), done, at_nul)
        f.enter(at_nul)
    more = f.binary("add", index, "1")
    f.store(more, counter.address, 8)
    at_end = f.current
    f.branch_if(f.compare("ult", more, size), next_, done)
    f.enter(next_)
    f.loop_back(head)
    f.enter(done)
    incoming = [("false", at_difference), ("true", at_end)]
    if until_nul:
        incoming.append(("true", same))
    return f.phi(incoming, "i1")
