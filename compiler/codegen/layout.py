"""Structures of the kernel that are copied as a whole: printed, or put into maps, tuples and variables.

The bytes are the target's, but what reads them afterwards knows the compiler's kernel. So the program compares the
places of all members, which the verifier sees as constants: where none differs it takes the branch out.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.analysis.program import RuntimeErrorKind
from compiler.codegen import errors
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.object.core import Kind, Step
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.btf_source import is_relocatable
from compiler.types.lattice import Field, Type

_MOST_MEMBERS = 128
"""So many are compared; of larger structures the first ones, and the size of the whole."""

_COMPARED = lattice.Integer | lattice.Bool | lattice.Pointer | lattice.String | lattice.Array


def check(e: Emitter, type_: Type, span: Span) -> None:
    """Reports at run time that a structure, or the elements of an array, lie otherwise on the target."""
    while isinstance(type_, lattice.Array):
        type_ = type_.element
    if not isinstance(type_, lattice.Struct) or not is_relocatable(type_):
        return
    f = e.f
    difference: Operand = "0"

    def compare(kind: Kind, root: lattice.Struct, steps: tuple[Step, ...], local: int) -> None:
        nonlocal difference
        target = e.symbol_value(e.resources.constants.core(kind, root, steps, span))
        difference = f.binary("or", difference, f.binary("xor", target, str(local)))

    compare(Kind.TYPE_SIZE, type_, (), type_.size)
    for count, (steps, offset) in enumerate(_members(type_, (), 0)):
        if count == _MOST_MEMBERS:
            break
        compare(Kind.FIELD_BYTE_OFFSET, type_, steps, offset)
    with e.when(f.compare("ne", difference, "0"), "other.layout"):
        errors.report_kind(e, RuntimeErrorKind.LAYOUT, span)


def _members(struct: lattice.Struct, steps: tuple[Field, ...], start: int) -> Iterator[tuple[tuple[Field, ...], int]]:
    """The members that are no structures, with their byte offsets; bitfields are where their neighbours are."""
    for member in struct.fields:
        offset = start + member.byte_offset
        match member.type:
            case lattice.Struct() as inner:
                yield from _members(inner, (*steps, member), offset)
            case _ if isinstance(member.type, _COMPARED) and not member.bitfield:
                yield (*steps, member), offset
