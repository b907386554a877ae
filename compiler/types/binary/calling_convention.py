"""Where the arguments of a function are when it is entered.

Debug information tells where arguments are once the function's first instructions have run, not before; so it is
worked out from their types, as compilers do: System V ABI for x86-64 (section 3.2.3), and the procedure call standard
for the Arm 64-bit architecture (section 6.8). Registers for floating point are not there to be read by probes.

Rust has a convention of its own (`adjust_for_rust_abi` of rustc_ty_utils), on top of that of C: a structure of two
scalars is two arguments, and other large ones are passed by their addresses.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from compiler.types.lattice import Field

_WORD = 8
_MOST_IN_REGISTERS = 2 * _WORD
_MOST_HOMOGENEOUS = 4


class Scalar(enum.Enum):
    INTEGER = "integer"  # and pointers
    FLOAT = "float"  # and vectors
    X87 = "x87"  # long double of x86-64
    OPAQUE = "opaque"


class Contents(enum.Enum):
    """Whether the scalars of a shape are all that there is to know."""

    FIELDS = "fields"
    ELEMENTS = "elements"  # some of an array, which Rust does not pass one by one
    VARIANTS = "variants"  # a union, or an enumeration of Rust


@dataclass(frozen=True, slots=True)
class Shape:
    """A type, as far as passing its values goes; sizes and offsets in bytes."""

    size: int
    scalars: tuple[tuple[int, int, Scalar], ...]
    """Offset, size and kind of what it is made of."""
    is_aggregate: bool = False
    by_reference: bool = False
    """C++ passes the address of a copy: the type has a constructor or destructor that must run."""
    contents: Contents = Contents.FIELDS
    alignment: int = 0
    """Bytes, where the program asks for it; 0 for that of what it is made of."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a value is when the function is entered: in registers, or else on the stack."""

    registers: tuple[int | None, ...] = ()
    """For each of its words the number of an integer register, None for a word that no probe can read."""
    stack: int = 0
    """Bytes from the stack pointer, if it has no registers."""
    is_address: bool = False
    """The value is elsewhere: this is its address."""


@dataclass(frozen=True, slots=True)
class Argument(Field):
    """An argument of a function."""

    location: Location | None = None
    """None if a probe cannot read it."""


def locations(arch: str, parameters: Sequence[Shape], result: Shape | None) -> list[Location | None]:
    """Where each parameter is; None for one that is out of a probe's reach, takes no place, or may be in several."""
    return _CONVENTIONS[arch](parameters, result)


def registers(arch: str, parameters: Sequence[Shape], result: Shape | None) -> list[tuple[int, ...]]:
    """For each parameter the numbers of the integer registers that hold it: none for one that is elsewhere."""
    found = locations(arch, parameters, result)
    return [tuple(number for number in place.registers if number is not None) if place else () for place in found]


class _Stack:
    """The arguments on the stack, one after the other from `start` on."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._used: int | None = 0
        """None behind a value of which it is not known how compilers align it."""

    def push(self, shape: Shape, *, is_address: bool = False) -> Location | None:
        alignment = _WORD if is_address else _alignment_on_stack(shape)
        if self._used is None or alignment is None:
            self._used = None
            return None
        place = self._used + -self._used % alignment
        self._used = place + (_WORD if is_address else shape.size + -shape.size % _WORD)
        return Location(stack=self._start + place, is_address=is_address)


def _alignment_on_stack(shape: Shape) -> int | None:
    if shape.alignment > _WORD or any(kind is Scalar.OPAQUE for *_, kind in shape.scalars):
        return None
    if not shape.is_aggregate and [kind for *_, kind in shape.scalars] == [Scalar.X87]:
        return 2 * _WORD
    return None if any(size > _WORD for _, size, _ in shape.scalars) else _WORD


def _x86_64(parameters: Sequence[Shape], result: Shape | None) -> list[Location | None]:
    most, most_vectors = 6, 8
    # The address of the place for a result that is returned in memory is a hidden first argument.
    free = 1 if result is not None and _x86_64_is_returned_in_memory(result) else 0
    vectors = 0
    stack = _Stack(_WORD)  # behind the return address
    found: list[Location | None] = []
    for shape in parameters:
        words = (0,) if shape.by_reference else _x86_64_words(shape)
        needed_vectors = 0 if shape.by_reference else len(_vector_words(shape) - set(words or ()))
        if words is None or free + len(words) > most or vectors + needed_vectors > most_vectors:
            found.append(stack.push(shape, is_address=shape.by_reference))  # as a whole; later ones may still fit
            continue
        numbers = dict(zip(words, range(free, free + len(words)), strict=True))
        count = 1 if shape.by_reference else -(-shape.size // _WORD)
        place = Location(tuple(map(numbers.get, range(count))), is_address=shape.by_reference)
        found.append(place if words else None)
        free += len(words)
        vectors += needed_vectors
    return found


def _x86_64_is_returned_in_memory(result: Shape) -> bool:
    """Only aggregates can be, and not all that would be passed in memory: a long double alone is returned in st(0)."""
    in_st0 = result.size <= _MOST_IN_REGISTERS and [kind for *_, kind in result.scalars] == [Scalar.X87]
    return result.by_reference or (result.is_aggregate and not in_st0 and _x86_64_words(result) is None)


def _x86_64_words(shape: Shape) -> tuple[int, ...] | None:
    """Which of its words go into integer registers; None for memory."""
    if shape.size > _MOST_IN_REGISTERS:
        return None
    integers = set()
    for offset, size, kind in shape.scalars:
        if kind in (Scalar.X87, Scalar.OPAQUE) or offset % min(size, _WORD):
            return None
        if kind is Scalar.INTEGER:
            integers |= set(range(offset // _WORD, -(-(offset + size) // _WORD)))
    return tuple(sorted(integers))


def _vector_words(shape: Shape) -> set[int]:
    """Where those begin that would go into registers for floating point, were they not with integers."""
    return {offset // _WORD for offset, _, kind in shape.scalars if kind is Scalar.FLOAT}


def _arm64(parameters: Sequence[Shape], result: Shape | None) -> list[Location | None]:
    del result  # the address of its place has a register of its own, x8
    most, free, vectors = 8, 0, 0
    stack = _Stack(0)
    found: list[Location | None] = []
    for shape in parameters:
        count = _arm64_words(shape)
        is_address = shape.by_reference or _arm64_is_copied(shape)
        needed_vectors = 0 if count else len({offset for offset, *_ in shape.scalars})
        if not count and vectors + needed_vectors <= most:
            vectors += needed_vectors
            found.append(None)
            continue
        if count > 1 and any(size == 2 * _WORD for _, size, _ in shape.scalars):
            free += free % 2  # what is aligned to 16 bytes begins at an even register
        if count and free + count <= most:
            found.append(Location(tuple(range(free, free + count)), is_address=is_address))
            free += count
            continue
        # On the stack, as are all that follow of its kind.
        free, vectors = (most, vectors) if count else (free, most)
        found.append(stack.push(shape, is_address=is_address))
    return found


def _arm64_words(shape: Shape) -> int:
    """How many integer registers it takes: none if it goes into those for floating point."""
    if shape.by_reference or _arm64_is_copied(shape):
        return 1
    return 0 if _arm64_is_homogeneous(shape) else -(-shape.size // _WORD)


def _arm64_is_copied(shape: Shape) -> bool:
    """Whether the address of a copy is passed in its place."""
    return shape.is_aggregate and shape.size > _MOST_IN_REGISTERS and not _arm64_is_homogeneous(shape)


def _arm64_is_homogeneous(shape: Shape) -> bool:
    kinds = {(size, kind) for _, size, kind in shape.scalars}
    return len(kinds) == 1 and len(shape.scalars) <= _MOST_HOMOGENEOUS and next(iter(kinds))[1] is Scalar.FLOAT


# -------------------------------------------------------------------------------------------------------------- Rust


def rust_registers(arch: str, parameters: Sequence[Shape], result: Shape | None) -> list[tuple[int, ...] | None]:
    """As `registers`, by Rust's convention. None from the first parameter on of which it is not known what it takes."""
    places: list[tuple[int, ...] | None] = []
    stands_for_result = _rust_result(result)
    if stands_for_result is not _UNKNOWN:
        known = list(_until_none(map(_rust_parts, parameters)))
        flat = iter(registers(arch, [part for parts in known for part in parts], stands_for_result))
        places += [tuple(chain.from_iterable(islice(flat, len(parts)))) for parts in known]
    return places + [None] * (len(parameters) - len(places))


_IN_MEMORY = Shape(2 * _MOST_IN_REGISTERS, (), is_aggregate=True)
_UNKNOWN = Shape(0, ())
_ADDRESS = Shape(_WORD, ((0, _WORD, Scalar.INTEGER),))


def _until_none(items: Iterable[list[Shape] | None]) -> Iterator[list[Shape]]:
    for item in items:
        if item is None:
            return
        yield item


def _rust_parts(shape: Shape) -> list[Shape] | None:
    """The arguments that a value is passed as, None if that is not known."""
    if not shape.is_aggregate or not shape.size:
        return [shape] if shape.size else []
    if shape.contents is Contents.VARIANTS and _may_be_pair(shape.size):
        return None
    scalars = _rust_scalars(shape)
    if scalars:
        return [Shape(size, ((0, size, kind),)) for _, size, kind in scalars]
    return [_ADDRESS if shape.size > _WORD else Shape(shape.size, ((0, shape.size, Scalar.INTEGER),))]


def _may_be_pair(size: int) -> bool:
    """Whether a value of so many bytes may be one scalar or two, which have 16 bytes at most each."""
    return size <= _MOST_IN_REGISTERS or size == 2 * _MOST_IN_REGISTERS


def _rust_scalars(shape: Shape) -> list[tuple[int, int, Scalar]]:
    """The one or two scalars that a structure is; empty if it is more, or aligned to more than they are."""
    scalars = sorted(shape.scalars, key=lambda scalar: scalar[0])
    if shape.contents is not Contents.FIELDS or len(scalars) not in (1, 2):
        return []
    end = scalars[-1][0] + scalars[-1][1]
    return scalars if shape.size == end + -end % max(size for _, size, _ in scalars) else []


def _rust_result(result: Shape | None) -> Shape | None:
    """What stands for the result: _UNKNOWN if that depends on the version of the compiler."""
    if result is None or not result.is_aggregate or result.size <= _WORD:
        return None
    if result.contents is not Contents.VARIANTS and _rust_scalars(result):
        return None
    may_be_pair = result.contents is Contents.VARIANTS and _may_be_pair(result.size)
    return _IN_MEMORY if result.size > _MOST_IN_REGISTERS and not may_be_pair else _UNKNOWN


_CONVENTIONS: Mapping[str, Callable[[Sequence[Shape], Shape | None], list[Location | None]]] = {
    "x86_64": _x86_64,
    "arm64": _arm64,
}
