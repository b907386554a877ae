"""Registers of arguments, by the types' shapes; what compilers do with the same types says the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.types.binary.calling_convention import (
    Contents,
    Location,
    Scalar,
    Shape,
    locations,
    registers,
    rust_registers,
)

I, F, X = Scalar.INTEGER, Scalar.FLOAT, Scalar.X87  # noqa: E741
INT, LONG, DOUBLE = Shape(4, ((0, 4, I),)), Shape(8, ((0, 8, I),)), Shape(8, ((0, 8, F),))
LONG_DOUBLE, INT128 = Shape(16, ((0, 16, X),)), Shape(16, ((0, 16, I),))


def struct(size: int, *scalars: tuple[int, int, Scalar], by_reference: bool = False) -> Shape:
    return Shape(size, scalars, is_aggregate=True, by_reference=by_reference)


TWO_LONGS = struct(16, (0, 8, I), (8, 8, I))
THREE_LONGS = struct(24, (0, 8, I), (8, 8, I), (16, 8, I))
DOUBLE_AND_INT = struct(16, (0, 8, F), (8, 4, I))
TWO_FLOATS = struct(8, (0, 4, F), (4, 4, F))
FLOAT_AND_INT = struct(8, (0, 4, F), (4, 4, I))
PACKED = struct(5, (0, 1, I), (1, 4, I))
EMPTY = struct(0)
LONG_DOUBLE_ALONE = struct(16, (0, 16, X))
TWO_LONG_DOUBLES = struct(32, (0, 16, X), (16, 16, X))
COMPLEX = Shape(16, ((0, 8, F), (8, 8, F)))
VECTOR, WIDE_VECTOR = Shape(16, ((0, 16, F),)), Shape(32, ((0, 32, F),))
WITH_DESTRUCTOR = struct(4, (0, 4, I), by_reference=True)


@pytest.mark.parametrize(
    ("parameters", "result", "expected"),
    [
        ([INT] * 7, None, [(0,), (1,), (2,), (3,), (4,), (5,), ()]),
        ([DOUBLE, INT, LONG_DOUBLE, INT], None, [(), (0,), (), (1,)]),
        ([TWO_LONGS, INT], None, [(0, 1), (2,)]),
        ([THREE_LONGS, INT], None, [(), (0,)]),
        ([DOUBLE_AND_INT, INT], None, [(0,), (1,)]),
        ([TWO_FLOATS, FLOAT_AND_INT, INT], None, [(), (0,), (1,)]),
        ([PACKED, EMPTY, INT], None, [(), (), (0,)]),
        ([WITH_DESTRUCTOR, INT], None, [(0,), (1,)]),
        # what does not fit is on the stack as a whole, and what follows may fit
        ([INT] * 5 + [INT128, INT], None, [(0,), (1,), (2,), (3,), (4,), (), (5,)]),
        ([INT], THREE_LONGS, [(1,)]),
        ([INT], TWO_LONGS, [(0,)]),
        ([INT], DOUBLE, [(0,)]),
        ([INT], LONG_DOUBLE, [(0,)]),
        ([INT], LONG_DOUBLE_ALONE, [(0,)]),
        ([INT], TWO_LONG_DOUBLES, [(1,)]),
        ([COMPLEX, VECTOR, INT], COMPLEX, [(), (), (0,)]),
        ([INT], WIDE_VECTOR, [(0,)]),
        ([INT], WITH_DESTRUCTOR, [(1,)]),
    ],
)
def test_x86_64(parameters: list[Shape], result: Shape | None, expected: list[tuple[int, ...]]) -> None:
    assert registers("x86_64", parameters, result) == expected


@pytest.mark.parametrize(
    ("parameters", "result", "expected"),
    [
        ([INT] * 9, None, [(0,), (1,), (2,), (3,), (4,), (5,), (6,), (7,), ()]),
        ([DOUBLE, INT, INT], None, [(), (0,), (1,)]),
        ([TWO_LONGS, INT], None, [(0, 1), (2,)]),
        ([THREE_LONGS, INT], None, [(0,), (1,)]),  # its address
        ([INT, INT128, INT], None, [(0,), (2, 3), (4,)]),
        ([TWO_FLOATS, FLOAT_AND_INT, INT], None, [(), (0,), (1,)]),
        ([COMPLEX, VECTOR, INT], None, [(), (), (0,)]),
        # what does not fit is on the stack, and all that follows
        ([INT] * 7 + [TWO_LONGS, INT], None, [(0,), (1,), (2,), (3,), (4,), (5,), (6,), (), ()]),
        ([INT], THREE_LONGS, [(0,)]),
    ],
)
def test_arm64(parameters: list[Shape], result: Shape | None, expected: list[tuple[int, ...]]) -> None:
    assert registers("arm64", parameters, result) == expected


ELEMENTS, VARIANTS = Contents.ELEMENTS, Contents.VARIANTS
TWO_INTS = struct(8, (0, 4, I), (4, 4, I))
THREE_INTS = struct(12, (0, 4, I), (4, 4, I), (8, 4, I))
FLOAT_AND_LONG = struct(16, (0, 8, F), (8, 8, I))
ALIGNED = struct(16, (0, 8, I))
UNKNOWN = None
OVERALIGNED = replace(TWO_LONGS, size=32, alignment=32)


@pytest.mark.parametrize(
    ("arch", "parameters", "expected"),
    [
        # each in a slot of its own, and a structure in as many as it needs
        ("x86_64", [INT] * 7 + [PACKED, LONG], [8, 16, 24]),
        ("x86_64", [THREE_LONGS, struct(20, (0, 8, I), (8, 8, I), (16, 4, I)), struct(17)], [8, 32, 56]),
        ("x86_64", [LONG_DOUBLE, THREE_LONGS, LONG_DOUBLE], [8, 24, 56]),
        # more floating point numbers than registers, and a structure of which one word finds none
        ("x86_64", [DOUBLE] * 9 + [DOUBLE_AND_INT], [8, 16]),
        # compilers differ in how these are aligned, so nobody knows where the next ones are
        ("x86_64", [INT] * 6 + [INT128, INT, INT], [UNKNOWN] * 3),
        ("x86_64", [WIDE_VECTOR, THREE_LONGS], [UNKNOWN]),
        ("x86_64", [THREE_LONGS, OVERALIGNED, THREE_LONGS], [8, UNKNOWN, UNKNOWN]),
        ("arm64", [INT] * 9 + [LONG], [0, 8]),
        ("arm64", [LONG] * 7 + [TWO_LONGS, INT], [0, 16]),
        ("arm64", [DOUBLE] * 7 + [TWO_FLOATS, DOUBLE], [0, 8]),
    ],
)
def test_on_the_stack(arch: str, parameters: list[Shape], expected: list[int | None]) -> None:
    """The last ones."""
    found = locations(arch, parameters, None)[-len(expected) :]
    assert found == [None if offset is None else Location(stack=offset) for offset in expected]


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_addresses_of_values(arch: str) -> None:
    copied = [WITH_DESTRUCTOR] * 9
    found = locations(arch, copied, None)
    assert found[0] == Location((0,), is_address=True)
    assert found[-1] == Location(stack=24 if arch == "x86_64" else 0, is_address=True)
    assert locations("arm64", [THREE_LONGS], None) == [Location((0,), is_address=True)]


def test_structures_that_are_in_part_in_registers() -> None:
    assert locations("x86_64", [DOUBLE_AND_INT, TWO_LONGS], None) == [Location((None, 0)), Location((1, 2))]
    assert locations("x86_64", [struct(16, (0, 8, F), (8, 8, F)), EMPTY], None) == [None, None]


# What rustc 1.95 makes of functions with these parameters.
@pytest.mark.parametrize(
    ("parameters", "result", "expected"),
    [
        ([Shape(0, ()), INT], None, [(), (0,)]),
        ([TWO_INTS, LONG], None, [(0, 1), (2,)]),
        ([TWO_LONGS, LONG], None, [(0, 1), (2,)]),
        ([THREE_INTS, LONG], None, [(0,), (1,)]),  # its address
        ([THREE_LONGS, LONG], None, [(0,), (1,)]),
        ([ALIGNED, LONG], None, [(0,), (1,)]),
        ([replace(TWO_INTS, contents=ELEMENTS), LONG], None, [(0,), (1,)]),  # in one register
        ([replace(struct(16, (0, 8, I), (8, 8, I)), contents=ELEMENTS), LONG], None, [(0,), (1,)]),
        ([struct(12, (0, 4, F), (4, 4, F), (8, 4, F)), LONG], None, [(0,), (1,)]),
        ([TWO_FLOATS, LONG], None, [(), (0,)]),
        ([FLOAT_AND_LONG, LONG], None, [(0,), (1,)]),
        ([INT128, LONG], None, [(0, 1), (2,)]),
        # an Option<u32> is two numbers, an Option<&u32> is one
        ([LONG, replace(struct(8), contents=VARIANTS), LONG], None, [(0,), None, None]),
        ([replace(struct(24), contents=VARIANTS), LONG], None, [(0,), (1,)]),
        ([LONG], TWO_LONGS, [(0,)]),
        ([LONG], THREE_LONGS, [(1,)]),
        ([LONG], replace(struct(8), contents=VARIANTS), [(0,)]),
        ([LONG], replace(struct(16), contents=VARIANTS), [None]),
        ([LONG], replace(struct(24), contents=VARIANTS), [(1,)]),
        # in memory or in two registers, by the version of the compiler
        ([LONG], THREE_INTS, [None]),
    ],
)
def test_rust(parameters: list[Shape], result: Shape | None, expected: list[tuple[int, ...] | None]) -> None:
    assert rust_registers("x86_64", parameters, result) == expected
