"""DWARF as a source of types: lattice types for its entries, by name or as the arguments of a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from elftools.dwarf.die import DIE

from compiler.types.binary import calling_convention
from compiler.types.binary.calling_convention import Argument, Contents, Location, Scalar, Shape
from compiler.types.binary.dwarf import ALIASES, ENUMERATIONS, STRUCTURES, UNIONS, Dwarf, origin, referred, text
from compiler.types.binary.reading import reading
from compiler.types.lattice import (
    MAX_INTEGER_BITS,
    NONE,
    VOID,
    Array,
    Enum,
    Field,
    Integer,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
)

_LOOKED_THROUGH = frozenset(
    f"DW_TAG_{name}_type" for name in ("const", "volatile", "restrict", "atomic", "shared", "packed", "immutable")
) | {"DW_TAG_typedef", "DW_TAG_template_alias"}
_POINTERS = frozenset({"DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type"})
_NOTHING = frozenset({"DW_TAG_subroutine_type", "DW_TAG_unspecified_type"})
_RECORDS = STRUCTURES | UNIONS
_MAX_DEPTH = 32
_WORD = 8

# DW_ATE_*
_BOOLEAN, _COMPLEX, _FLOAT, _SIGNED, _SIGNED_CHAR, _UNSIGNED, _UNSIGNED_CHAR, _UTF = 2, 3, 4, 5, 6, 7, 8, 0x10
_INTEGERS = frozenset({_BOOLEAN, _SIGNED, _SIGNED_CHAR, _UNSIGNED, _UNSIGNED_CHAR, _UTF})
_CHARACTERS = frozenset({_SIGNED_CHAR, _UNSIGNED_CHAR})
_DOUBLE = 8

_PLUS_UCONST = 0x23  # DW_OP_plus_uconst
# DW_CC_*
_NOCALL, _PASS_BY_REFERENCE = 3, 4

# DW_LANG_*. Go passes arguments in registers of its own choice.
_GO, _RUST = 0x16, 0x1C
_RUST_MANGLED = ("_R", "_ZN")


class DwarfSource:
    """A `TypeSource` over one binary's DWARF; `arch` is the architecture of the binary, `path` its file, for errors.

    As for BTF, arrays of bytes are strings, and typedefs and qualifiers are looked through. Reading raises BinaryError.
    """

    def __init__(self, dwarf: Dwarf, arch: str, path: Path) -> None:
        self._dwarf = dwarf
        self._arch = arch
        self._path = path
        self.is_used = False
        """Whether any name was found here."""
        self._entries: list[DIE] = []
        self._types: dict[tuple[int, int], Type] = {}
        self._layouts: dict[int, StructLayout] = {}

    # By name

    def struct(self, name: str) -> Struct | None:
        return self._record(name, STRUCTURES)

    def union(self, name: str) -> Struct | None:
        return self._record(name, UNIONS)

    def _record(self, name: str, tags: frozenset[str]) -> Struct | None:
        type_ = self._named(name, tags)
        return type_ if isinstance(type_, Struct) else None

    def enum(self, name: str) -> Enum | None:
        type_ = self._named(name, ENUMERATIONS)
        return type_ if isinstance(type_, Enum) else None

    def typedef(self, name: str) -> Type | None:
        return self._named(name, ALIASES)

    def _named(self, name: str, tags: frozenset[str]) -> Type | None:
        with reading(self._path):
            found = self._dwarf.find(name, tags)
            self.is_used = self.is_used or found is not None
            return None if found is None else self._type(found)

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        with reading(self._path):
            found = self._dwarf.enumerator(name)
            if found is None:
                return None
            self.is_used = True
            type_ = self._type(found[0])
            assert isinstance(type_, Integer)
            return type_, int(found[1].attributes["DW_AT_const_value"].value)

    # Functions

    def arguments(self, function: DIE) -> tuple[Argument, ...] | None:
        """The arguments that a function is called with; None if the compiler has changed how this one is called.

        Their offsets are those of the members of a structure that holds copies of them all. The type of one that cannot
        be read is NONE.
        """
        convention = origin(function, "DW_AT_calling_convention")
        if convention is not None and convention.attributes["DW_AT_calling_convention"].value == _NOCALL:
            return None
        language = _number(function.cu.get_top_DIE(), "DW_AT_language")
        if language == _GO:
            return None
        declared = _declaration(function)
        parameters = [child for child in declared.iter_children() if child.tag == "DW_TAG_formal_parameter"]
        types = [_target(parameter) for parameter in parameters]
        result = _target(function)
        shapes = [self._shape(type_) for type_ in types]
        locations = self._locations(function, language, shapes, None if result is None else self._shape(result))
        found = []
        end = 0
        for parameter, die, location in zip(parameters, types, locations, strict=True):
            type_ = NONE if location is None else self._type(die)
            start = end + -end % min(max(type_.size, 1), _WORD)
            end = start + type_.size
            found.append(Argument(text(parameter, "DW_AT_name"), type_, start * 8, location=location))
        return tuple(found)

    def _locations(
        self, function: DIE, language: int, parameters: Sequence[Shape], result: Shape | None
    ) -> Sequence[Location | None]:
        """Where each parameter is, None if a probe cannot read it, or nobody knows."""
        locations = calling_convention.locations(self._arch, parameters, result)
        if language != _RUST:
            return locations
        own = [
            Location(place) if place and not shape.is_aggregate else None
            for place, shape in zip(
                calling_convention.rust_registers(self._arch, parameters, result), parameters, strict=True
            )
        ]
        if text(function, "DW_AT_linkage_name").startswith(_RUST_MANGLED):
            return own
        # It may be `extern "C"`, of which there is no word in the debug information.
        return [place if place == of_c else None for place, of_c in zip(own, locations, strict=True)]

    def _shape(self, die: DIE | None) -> Shape:
        whole = _peeled(die)
        if whole is None:
            return Shape(0, ())
        is_aggregate = whole.tag in _RECORDS or _is_array(whole)
        by_reference = is_aggregate and _number(whole, "DW_AT_calling_convention") == _PASS_BY_REFERENCE
        return Shape(
            self._size(whole),
            tuple(self._scalars(whole, 0, 0)),
            is_aggregate,
            by_reference,
            self._contents(whole, 0),
            self._alignment(die, 0),
        )

    def _alignment(self, die: DIE | None, depth: int) -> int:
        """What the program asks for, anywhere in the type."""
        if die is None or depth > _MAX_DEPTH:
            return 0
        found = _number(die, "DW_AT_alignment")
        if die.tag in _RECORDS:
            for member in _members(self._defined(die)):
                found = max(found, _number(member, "DW_AT_alignment"), self._alignment(_target(member), depth + 1))
        elif die.tag in _LOOKED_THROUGH or die.tag == "DW_TAG_array_type":
            found = max(found, self._alignment(_target(die), depth + 1))
        return found

    def _contents(self, die: DIE | None, depth: int) -> Contents:
        peeled = _peeled(die)
        if peeled is None or depth > _MAX_DEPTH or not self._size(peeled):
            return Contents.FIELDS
        if _is_array(peeled):
            return Contents.ELEMENTS
        if peeled.tag not in _RECORDS:
            return Contents.FIELDS
        whole = self._defined(peeled)
        if whole.tag in UNIONS or any(child.tag == "DW_TAG_variant_part" for child in whole.iter_children()):
            return Contents.VARIANTS
        inside = {self._contents(_target(member), depth + 1) for member in _members(whole)}
        return next((one for one in (Contents.VARIANTS, Contents.ELEMENTS) if one in inside), Contents.FIELDS)

    def _scalars(self, die: DIE, start: int, depth: int) -> Iterator[tuple[int, int, Scalar]]:
        peeled = _peeled(die)
        size = self._size(peeled) if peeled is not None else 0
        if peeled is None or depth > _MAX_DEPTH or not size:  # Rust's () is a base type of no size
            return
        if peeled.tag == "DW_TAG_base_type":
            encoding = _number(peeled, "DW_AT_encoding")
            count = 2 if encoding == _COMPLEX else 1
            kind = Scalar.OPAQUE
            if encoding in _INTEGERS:
                kind = Scalar.INTEGER
            elif encoding in (_FLOAT, _COMPLEX):
                kind = Scalar.X87 if self._arch == "x86_64" and size // count > _DOUBLE else Scalar.FLOAT
            for index in range(count):
                yield start + index * (size // count), size // count, kind
        elif _is_array(peeled):
            element = _target(peeled)
            if element is not None:
                step = self._size(element)
                for index in range(size // step if step else 0):
                    yield from self._scalars(element, start + index * step, depth + 1)
        elif peeled.tag in _RECORDS:
            for member in _members(self._defined(peeled)):
                type_ = _target(member)
                if type_ is not None:
                    offset, bits = _place(member, self._size(type_))
                    at = start + offset // 8
                    if bits:
                        yield at, 1, Scalar.INTEGER
                    else:
                        yield from self._scalars(type_, at, depth + 1)
        elif peeled.tag == "DW_TAG_array_type":  # a vector
            yield start, size, Scalar.FLOAT
        else:
            yield start, size, Scalar.INTEGER

    # Types

    def _type(self, die: DIE | None, depth: int = 0) -> Type:
        peeled = _peeled(die)
        if peeled is None:
            return VOID
        key = id(peeled.dwarfinfo), peeled.offset
        known = self._types.get(key)
        if known is None:
            known = self._types[key] = self._convert(peeled, depth)
        return known

    def _convert(self, die: DIE, depth: int) -> Type:
        if depth > _MAX_DEPTH:
            return NONE
        match die.tag:
            case "DW_TAG_base_type":
                encoding = _number(die, "DW_AT_encoding")
                return _integer(self._size(die), encoding in (_SIGNED, _SIGNED_CHAR)) if encoding in _INTEGERS else NONE
            case "DW_TAG_enumeration_type":
                return self._enumeration(die)
            case "DW_TAG_array_type":
                return self._array(die, depth)
            case tag if tag in _POINTERS:
                return Pointer(self._type(_target(die), depth + 1))
            case tag if tag in _NOTHING:
                return VOID
            case tag if tag in _RECORDS:
                name = text(die, "DW_AT_name")
                key = self._key(die)
                return Struct(name or f"(anonymous DWARF {key})", die.tag in UNIONS, source=self, key=key)
            case _:
                return NONE

    def _key(self, die: DIE) -> int:
        self._entries.append(die)
        return len(self._entries) - 1

    def _enumeration(self, die: DIE) -> Type:
        """An anonymous enumeration is just an integer."""
        signed = any(value < 0 for value in _values(die).values())
        underlying = _integer(self._size(die), signed)
        name = text(die, "DW_AT_name")
        if not isinstance(underlying, Integer) or not name:
            return underlying
        return Enum(underlying.bits, signed, name, source=self, key=self._key(die))

    def _array(self, die: DIE, depth: int) -> Type:
        type_ = self._type(_target(die), depth + 1)
        innermost = _peeled(_target(die))
        is_text = innermost is not None and _number(innermost, "DW_AT_encoding") in _CHARACTERS
        for count in reversed(_counts(die)):
            type_ = String(count) if is_text and isinstance(type_, Integer) else Array(type_, count)
        return type_

    def _size(self, die: DIE) -> int:
        """Bytes of a value."""
        peeled = _peeled(die)
        if peeled is None:
            return 0
        if peeled.tag in _RECORDS:
            peeled = self._defined(peeled)
        if "DW_AT_byte_size" in peeled.attributes:
            return int(peeled.attributes["DW_AT_byte_size"].value)
        if peeled.tag in _POINTERS:
            return int(peeled.cu["address_size"])
        target = _target(peeled)
        if target is None:
            return 0
        size = self._size(target)
        if peeled.tag == "DW_TAG_array_type":
            for count in _counts(peeled):
                size *= count
        return size

    def _defined(self, die: DIE) -> DIE:
        """The entry that a declaration's type is defined by, in any unit; `die` itself if there is none."""
        if "DW_AT_declaration" not in die.attributes:
            return die
        return self._dwarf.find(text(die, "DW_AT_name"), UNIONS if die.tag in UNIONS else STRUCTURES) or die

    # What the types ask their source

    def layout(self, struct: Struct) -> StructLayout:
        layout = self._layouts.get(struct.key)
        if layout is None:
            with reading(self._path):
                layout = self._layouts[struct.key] = self._layout(self._defined(self._entries[struct.key]))
        return layout

    def _layout(self, die: DIE) -> StructLayout:
        if "DW_AT_declaration" in die.attributes:
            return StructLayout(0, (), complete=False)
        return StructLayout(self._size(die), tuple(self._fields(die, 0, 0)))

    def _fields(self, die: DIE, start: int, depth: int) -> Iterator[Field]:
        if depth > _MAX_DEPTH:
            return
        for member in _members(die):
            type_ = _target(member)
            offset, bits = _place(member, 0 if type_ is None else self._size(type_))
            name = text(member, "DW_AT_name")
            if name:
                yield Field(name, self._type(type_), start + offset, bits)
                continue
            inner = _peeled(type_)
            if inner is not None and inner.tag in _RECORDS:  # an unnamed member, or a base class
                yield from self._fields(self._defined(inner), start + offset, depth + 1)

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        with reading(self._path):
            return _values(self._entries[enum.key])


def _declaration(function: DIE) -> DIE:
    """The entry that has the parameters as they were declared: an instance may lack those that it does not use."""
    for _ in range(_MAX_DEPTH):
        if "DW_AT_abstract_origin" not in function.attributes:
            break
        function = referred(function, "DW_AT_abstract_origin")
    return function


def _target(die: DIE) -> DIE | None:
    """The entry of `DW_AT_type`; None for void."""
    found = origin(die, "DW_AT_type")
    return None if found is None else referred(found, "DW_AT_type")


def _peeled(die: DIE | None) -> DIE | None:
    """The type behind typedefs, qualifiers and stand-ins; None for void."""
    for _ in range(_MAX_DEPTH):
        if die is not None and "DW_AT_signature" in die.attributes:
            die = referred(die, "DW_AT_signature")  # stands for the type of a type unit
        elif die is None or die.tag not in _LOOKED_THROUGH:
            return die
        else:
            die = _target(die)
    raise RecursionError("a type contains itself")


def _is_array(die: DIE) -> bool:
    """Whether it is an array, and not a vector."""
    return die.tag == "DW_TAG_array_type" and "DW_AT_GNU_vector" not in die.attributes


def _number(die: DIE, name: str) -> int:
    attribute = die.attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, int) else 0


def _members(die: DIE) -> Iterator[DIE]:
    """Members and base classes, without static members and without virtual base classes, whose place is not fixed."""
    for child in die.iter_children():
        is_base = child.tag == "DW_TAG_inheritance" and not _number(child, "DW_AT_virtuality")
        if is_base or (child.tag == "DW_TAG_member" and "DW_AT_external" not in child.attributes):
            yield child


def _place(member: DIE, size: int) -> tuple[int, int]:
    """Offset in bits, and width of a bitfield or 0. `size` is that of the member's type in bytes."""
    attributes = member.attributes
    width = _number(member, "DW_AT_bit_size")
    if "DW_AT_data_bit_offset" in attributes:
        return _number(member, "DW_AT_data_bit_offset"), width
    offset = 8 * _byte_offset(member)
    if width and "DW_AT_bit_offset" in attributes:
        # DWARF 2 and 3 count from the most significant bit of the storage unit.
        storage = 8 * (_number(member, "DW_AT_byte_size") or size)
        return offset + storage - _number(member, "DW_AT_bit_offset") - width, width
    return offset, width


def _byte_offset(member: DIE) -> int:
    location = member.attributes.get("DW_AT_data_member_location")
    match location and location.value:
        case int(offset):
            return offset
        case [operation, *rest] if operation == _PLUS_UCONST:
            return sum((byte & 0x7F) << 7 * index for index, byte in enumerate(rest))
        case _:
            return 0


def _counts(array: DIE) -> list[int]:
    """Elements of each dimension, 0 where that is not known."""
    result = []
    for child in array.iter_children():
        if child.tag == "DW_TAG_subrange_type":
            count = _number(child, "DW_AT_count")
            bound = child.attributes.get("DW_AT_upper_bound")
            if not count and bound is not None and isinstance(bound.value, int):
                count = bound.value + 1
            result.append(max(count, 0))
    return result


def _values(enumeration: DIE) -> dict[str, int]:
    return {
        text(child, "DW_AT_name"): int(child.attributes["DW_AT_const_value"].value)
        for child in enumeration.iter_children()
        if child.tag == "DW_TAG_enumerator"
    }


def _integer(size: int, signed: bool) -> Type:
    """What is wider than a register (`__int128`) reads as its low half."""
    return Integer(min(8 * size, MAX_INTEGER_BITS), signed) if size in (1, 2, 4, 8, 16) else NONE
