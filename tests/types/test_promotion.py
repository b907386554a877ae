from __future__ import annotations

import pytest

from compiler.types.lattice import (
    BOOL,
    INT8,
    INT16,
    INT32,
    INT64,
    NONE,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    VOID,
    AddressSpace,
    Array,
    Enum,
    Integer,
    KStack,
    Pointer,
    Record,
    String,
    Struct,
    Tuple,
    Type,
    UStack,
)
from compiler.types.map_values import Count, Max, Stats, Sum
from compiler.types.promotion import fits_into, is_compatible, promoted

LITERAL8 = Integer(8, False, flexible=True)
LITERAL64 = Integer(64, False, flexible=True)


def record(**fields: Type) -> Record:
    return Record(tuple(fields.items()))


PROMOTIONS: list[tuple[Type, Type, Type | None]] = [
    # current, new, both
    (NONE, UINT8, UINT8),
    (NONE, Count(), UINT64),
    (NONE, Sum(True), INT64),
    (NONE, Stats(True), Stats(True)),
    (UINT8, UINT8, UINT8),
    (UINT8, UINT32, UINT32),
    (INT64, INT8, INT64),
    (INT32, UINT8, INT32),
    (UINT8, INT32, INT32),
    (INT8, UINT8, INT16),
    (UINT16, INT8, INT32),
    (INT32, UINT32, INT64),
    (UINT64, INT8, INT64),
    (INT64, UINT64, INT64),
    (LITERAL8, INT32, INT32),
    (INT8, LITERAL64, INT64),
    (LITERAL8, LITERAL64, UINT64),
    (UINT64, LITERAL8, UINT64),
    (Enum(32, name="a"), Enum(32, name="a"), Enum(32, name="a")),
    (Enum(32, name="a"), Enum(32, name="b"), UINT32),
    (Enum(32, name="a"), UINT64, UINT64),
    (BOOL, UINT8, None),
    (UINT8, String(8), None),
    (String(8), String(16), String(16)),
    (String(16), String(8), String(16)),
    (Count(), UINT8, UINT64),
    (INT8, Count(), INT64),
    (UINT32, Sum(True), INT64),
    (Sum(False), Sum(True), Sum(True)),
    (Sum(True), Sum(False), Sum(True)),
    (Sum(True), Max(True), None),
    (Stats(True), UINT64, None),
    (Tuple((UINT8, String(4))), Tuple((INT32, String(9))), Tuple((INT32, String(9)))),
    (Tuple((UINT8,)), Tuple((UINT8, UINT8)), None),
    (Tuple((UINT8, Tuple((UINT8,)))), Tuple((UINT8, Tuple((UINT16,)))), Tuple((UINT8, Tuple((UINT16,))))),
    (record(a=UINT8, b=String(2)), record(b=String(5), a=UINT32), record(a=UINT32, b=String(5))),
    (record(a=UINT8), record(b=UINT8), None),
    (Pointer(Struct("a")), Pointer(Struct("a")), Pointer(Struct("a"))),
    (Pointer(Struct("a")), Pointer(Struct("b")), None),
    (Pointer(INT8), Pointer(INT64), Pointer(INT64)),
    (Pointer(VOID), Pointer(INT8), None),
    (Pointer(INT8), UINT64, None),
    (Struct("a"), Struct("a"), Struct("a")),
    (Struct("a"), Struct("a", is_union=True), None),
    (Array(INT8, 4), Array(INT8, 4), Array(INT8, 4)),
    (Array(INT8, 4), Array(INT8, 5), None),
    (Array(INT8, 4), Array(UINT8, 4), None),
    (KStack(5), KStack(6), None),
    (KStack(5), UStack(5), None),
]


@pytest.mark.parametrize(("current", "new", "both"), PROMOTIONS, ids=lambda type_: str(type_))
def test_promoted(current: Type, new: Type, both: Type | None) -> None:
    assert promoted(current, new) == both


def test_a_sum_of_literals_stays_a_literal() -> None:
    both = promoted(LITERAL8, LITERAL64)
    assert isinstance(both, Integer) and both.flexible
    mixed = promoted(LITERAL8, INT64)
    assert isinstance(mixed, Integer) and not mixed.flexible


def test_a_promoted_pointer_points_where_the_new_one_does() -> None:
    both = promoted(Pointer(INT8, AddressSpace.KERNEL), Pointer(INT16, AddressSpace.USER))
    assert isinstance(both, Pointer) and both.space is AddressSpace.USER


FITS: list[tuple[Type, Type, bool]] = [
    (UINT8, UINT8, True),
    (UINT8, UINT64, True),
    (UINT64, UINT8, False),
    (UINT32, INT64, True),
    (UINT32, INT32, False),
    (INT8, UINT64, False),
    (LITERAL8, INT8, True),
    (LITERAL64, INT32, False),
    (Enum(32, name="a"), UINT64, True),
    (String(4), String(8), True),
    (String(8), String(4), False),
    (Tuple((UINT8,)), Tuple((UINT16,)), True),
    (Tuple((UINT16,)), Tuple((UINT8,)), False),
    (Tuple((UINT8,)), Tuple((UINT8, UINT8)), False),
    (record(a=UINT8, b=UINT8), record(b=UINT16, a=UINT8), True),
    (record(a=UINT16), record(a=UINT8), False),
    (Pointer(INT8), Pointer(INT8), True),
    (Pointer(INT8), Pointer(INT16), False),
    (Struct("a"), Struct("b"), False),
    (UINT8, String(8), False),
]


@pytest.mark.parametrize(("source", "target", "fits"), FITS, ids=lambda value: str(value))
def test_fits_into(source: Type, target: Type, fits: bool) -> None:
    assert fits_into(source, target) is fits


def test_arrays_of_unknown_length_are_compatible() -> None:
    assert is_compatible(Array(INT8, 0), Array(INT8, 4))
    assert not is_compatible(Array(INT8, 3), Array(INT8, 4))
    assert not is_compatible(Array(INT8, 0), Array(INT16, 4))
