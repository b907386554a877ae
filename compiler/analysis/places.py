"""What a variable, a map's key or a map's value becomes of the types that go into it."""

from __future__ import annotations

import dataclasses

from compiler.types.lattice import (
    INT64,
    UINT64,
    AddressSpace,
    Array,
    Integer,
    None_,
    Pointer,
    Struct,
    Type,
    Void,
)


def read_type(type_: Type) -> Type:
    """What a value is when it is read: an aggregation is the integer that it reads as."""
    if type_.is_castable_map_value:
        return INT64 if type_.is_signed else UINT64
    return stored_type(type_)


def stored_type(type_: Type) -> Type:
    """What a value is outside of the place where it was found: `args` is a copy then."""
    return dataclasses.replace(type_, context=False) if isinstance(type_, Struct) and type_.context else type_


def may_be_assigned(type_: Type, current: Type, *, to_map: bool = False) -> bool:
    """Whether a value of `type_` may go where `current` is: the aggregates stay in their maps, those that read as an
    integer may go where there is an integer already.
    """
    if isinstance(type_, Void) or (type_.is_map_value and not type_.is_castable_map_value):
        return False
    if type_.is_castable_map_value and not isinstance(current, Integer):
        return not to_map and isinstance(current, None_)
    return True


def grown(current: Type, new: Type) -> Type:
    """What a place of type `current` holds after `new` was promoted into it. Of equal types it is the one that says
    more: a sign that no longer adapts, an address space that is known.
    """
    if current != new:
        return new
    match current, new:
        case Integer(), Integer():
            flexible = current.flexible and new.flexible
            space = new.space if current.space is AddressSpace.NONE else current.space
            if (flexible, space) == (current.flexible, current.space):
                return current
            return dataclasses.replace(current, flexible=flexible, space=space)
        case ((Pointer() | Array() | Struct()), (Pointer() | Array() | Struct())):
            return new if current.space is AddressSpace.NONE and new.space is not AddressSpace.NONE else current
        case _:
            return current
