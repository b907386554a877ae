"""Reader of tracepoint formats: `events/<category>/<event>/format` of tracefs.

    name: sys_enter_openat
    ID: 703
    format:
            field:unsigned short common_type;       offset:0;       size:2; signed:0;
            ...
            field:const char * filename;    offset:24;      size:8; signed:0;

    print fmt: "dfd: 0x%08lx, filename: 0x%08lx", ...

A field's C type says what it means, `size` and `signed` what is really in the record: a system call's `int fd` takes
eight bytes. Where C types are not known, size and sign alone give the type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from compiler.types.c_names import c_type
from compiler.types.errors import SnapshotError
from compiler.types.lattice import (
    INT64,
    NONE,
    AddressSpace,
    Array,
    Bool,
    DynamicArray,
    Enum,
    Field,
    Integer,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
    TypeSource,
)


class TracepointError(SnapshotError):
    """A tracepoint format that does not read as one."""


@dataclass(frozen=True, slots=True)
class Tracepoint:
    """A tracepoint and the layout of its record, offsets from the record's start (the program's context)."""

    category: str
    event: str
    id: int
    """The kernel's number for the event; it differs between boots of differing kernels and is for display only."""
    layout: StructLayout

    @property
    def space(self) -> AddressSpace:
        """Where the pointers in the record point that do not say it themselves: system call arguments are user's."""
        return AddressSpace.USER if self.category == "syscalls" else AddressSpace.KERNEL

    def member(self, name: str) -> Field | None:
        return next((field for field in self.layout.fields if field.name == name), None)


_FIELD = re.compile(r"\s*field:(?P<declaration>[^;]*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(-?\d+);)?\s*")
_ARRAY = re.compile(r"(?P<rest>.*?)\[(?P<count>[^\]]*)\]")
_NAME = re.compile(r"(?P<type>.*?)(?P<name>\w+)\s*", re.DOTALL)


def parse_format(category: str, event: str, text: str, source: TypeSource) -> Tracepoint:
    """Read a format; C types are looked up in `source`. Raises TracepointError."""
    number = re.search(r"^ID:\s*(\d+)\s*$", text, re.MULTILINE)
    if not number:
        raise TracepointError(f"{category}:{event}: format has no ID")
    body = text[: text.find("\nprint fmt:")] if "\nprint fmt:" in text else text
    fields = tuple(_fields(f"{category}:{event}", body, source))
    size = max((field.byte_offset + _room(field) for field in fields), default=0)
    return Tracepoint(category, event, int(number[1]), StructLayout(size, fields))


def _room(field: Field) -> int:
    """Bytes that a field takes in the record itself."""
    return 4 if field.dynamic else field.type.size


def _fields(where: str, text: str, source: TypeSource) -> Iterator[Field]:
    for line in text.splitlines():
        if "field:" not in line:
            continue
        match = _FIELD.fullmatch(line)
        if not match:
            raise TracepointError(f"{where}: cannot read the line '{line.strip()}'")
        declaration = match["declaration"].strip()
        yield _field(where, declaration, int(match[2]), int(match[3]), (match[4] or "0") != "0", source)


def _field(where: str, declaration: str, offset: int, size: int, signed: bool, source: TypeSource) -> Field:
    text, dynamic = declaration, None
    for form in DynamicArray:
        if text.startswith(f"{form.value} "):
            text, dynamic = text[len(form.value) + 1 :], form
    # `char comm[16]`, and `__data_loc char[] name`: the name is the last word that is not in brackets.
    array = _ARRAY.search(text)
    plain = _ARRAY.sub(r"\g<rest>", text)
    name = _NAME.fullmatch(plain)
    if not name or (not name["type"].strip() and not dynamic):
        raise TracepointError(f"{where}: cannot read the declaration '{declaration}'")
    c_text = name["type"].strip()
    type_: Type
    if dynamic:
        # As upstream has it, the value of the field is the address of the data, which `str` and `buf` take.
        type_ = INT64
    elif array:
        type_ = _array(c_text, size, source)
    else:
        type_ = _scalar(c_text, size, signed, source)
    return Field(name["name"], type_, offset * 8, dynamic=dynamic, declaration=declaration)


def _array(c_text: str, size: int, source: TypeSource) -> Type:
    """An array of as many elements as fit: the count may be printed as a macro's name."""
    if c_text.removeprefix("const ").strip() == "char":
        return String(size)
    element = c_type(c_text, source)
    if element is None or not element.size or size % element.size:
        element = Integer(8, False)
    return Array(element, size // element.size)


def _scalar(c_text: str, size: int, signed: bool, source: TypeSource) -> Type:
    known = c_type(c_text, source)
    match known:
        case Pointer() if size == known.size:
            return known
        case Bool() if size == 1:
            return known
        case Struct() if size == known.size:
            return known
        case Enum() if size == known.size:
            return known
        case Integer() if size == 8 and c_text == "int":
            # In the record of a system call, whose arguments take eight bytes each and count as unsigned.
            return INT64
        case _ if size in (1, 2, 4, 8):
            return Integer(size * 8, signed)
        case _ if known is not None and size == known.size:
            return known
        case _ if size:
            return Array(Integer(8, False), size)
        case _:
            return NONE
