"""Which types go together: compatibility, common type, and assignment without loss.

All functions are pure. "Promotion" is what a map, scratch variable or operator does with values of two types: it finds
the type that holds both. The rules are upstream's, and so are their surprises, which the docstrings name.
"""

from __future__ import annotations

from compiler.types.lattice import (
    INT64,
    MAX_INTEGER_BITS,
    UINT64,
    Array,
    Integer,
    None_,
    Pointer,
    Record,
    Stack,
    String,
    Struct,
    Tuple,
    Type,
)


def is_compatible(left: Type, right: Type) -> bool:
    """Whether the types are of one sort, so that promotion may find a type for both.

    Integers of all widths and signs are, enums included; so are strings of all lengths; tuples element by element,
    records name by name in any order. Array elements must be equal, and so must be the counts unless one is unknown.
    """
    match left, right:
        case Integer(), Integer():
            return True
        case Struct(), Struct():
            return left.name == right.name and left.is_union == right.is_union
        case Pointer(), Pointer():
            return is_compatible(left.to, right.to)
        case Tuple(), Tuple():
            return len(left.elements) == len(right.elements) and all(map(is_compatible, left.elements, right.elements))
        case Record(), Record():
            others = dict(right.fields)
            return len(left.fields) == len(others) and all(
                name in others and is_compatible(type_, others[name]) for name, type_ in left.fields
            )
        case Array(), Array():
            return left.element == right.element and (not left.size or not right.size or left.size == right.size)
        case Stack(), Stack():
            return left == right
        case _:
            return type(left) is type(right)


def promoted(current: Type, new: Type) -> Type | None:
    """The type that holds values of both, None if there is none.

    `current` NONE stands for "no value yet": the new type wins, and an aggregation that reads as an integer yields
    the integer.
    """
    if isinstance(current, None_):
        if new.is_castable_map_value:
            return INT64 if new.is_signed else UINT64
        return new
    if current == new:
        return new
    if is_compatible(current, new):
        return _promoted_compatible(current, new)
    integers = sum(isinstance(side, Integer) for side in (current, new))
    counters = sum(side.is_castable_map_value for side in (current, new))
    if integers == 1 and counters == 1:
        return promoted_integer(_as_integer(current), _as_integer(new))
    return None


def _as_integer(type_: Type) -> Integer:
    if isinstance(type_, Integer):
        return type_
    return INT64 if type_.is_signed else UINT64


def promoted_integer(left: Integer, right: Integer) -> Integer:
    """The integer that holds both.

    Of equal sign: the wider. Of different sign: signed, and wide enough for the unsigned side, but never more than
    64 bits: int64 with uint64 is int64. A literal takes the sign of the other side. Enums lose their name.
    """
    bits = max(left.bits, right.bits)
    flexible = left.flexible and right.flexible
    if left.signed == right.signed:
        return Integer(bits, left.signed, flexible=flexible)
    if left.flexible or right.flexible:
        signed = (left.signed and not left.flexible) or (right.signed and not right.flexible)
        return Integer(bits, signed, flexible=flexible)
    signed_side, unsigned_side = (left, right) if left.signed else (right, left)
    if signed_side.bits > unsigned_side.bits:
        return Integer(signed_side.bits, True)
    return Integer(min(2 * bits, MAX_INTEGER_BITS), True)


def _promoted_compatible(current: Type, new: Type) -> Type | None:
    match current, new:
        case Integer(), Integer():
            return promoted_integer(current, new)
        case String(), String():
            return String(max(current.length, new.length))
        case Tuple(), Tuple():
            elements = [_promoted_compatible(*pair) for pair in zip(current.elements, new.elements, strict=True)]
            return None if None in elements else Tuple(tuple(e for e in elements if e is not None))
        case Record(), Record():
            # The order of `current` stays, whatever order the new value is written in.
            others = dict(new.fields)
            fields = [(name, _promoted_compatible(type_, others[name])) for name, type_ in current.fields]
            kept = tuple((name, type_) for name, type_ in fields if type_ is not None)
            return Record(kept) if len(kept) == len(fields) else None
        case Pointer(), Pointer():
            pointee = _promoted_compatible(current.to, new.to)
            return None if pointee is None else Pointer(pointee, new.space)
        case _ if current.is_castable_map_value:
            return new if new.is_signed and not current.is_signed else current
        case _:
            return current


def fits_into(source: Type, target: Type) -> bool:
    """Whether every value of `source` is a value of `target`, so that it may be assigned without a cast.

    Signed never fits into unsigned; unsigned fits into signed of more bits; a literal disregards the sign.
    """
    if not is_compatible(source, target):
        return False
    match source, target:
        case String(), String():
            return source.length <= target.length
        case Integer(), Integer():
            if source.signed == target.signed or source.flexible:
                return source.bits <= target.bits
            return not source.signed and source.bits < target.bits
        case Tuple(), Tuple():
            return all(map(fits_into, source.elements, target.elements))
        case Record(), Record():
            others = dict(target.fields)
            return all(fits_into(type_, others[name]) for name, type_ in source.fields)
        case _:
            return source == target
