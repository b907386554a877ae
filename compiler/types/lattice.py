"""The types that a bpftrace expression, field or map value can have.

Every type is an immutable, hashable value; passes take it apart with `match`. A class without fields of its own
inherits all that and needs no decorator, which costs half a millisecond. Two spellings matter and are kept apart:
`str(type)` is the language's (`uint64`, `struct task_struct *`, `(uint64,string[16])`), which diagnostics show;
`repr(type)` is for debugging.

Sizes are bytes, integer widths and field offsets are bits. `alignment` is the alignment that a value has *inside a
tuple, record or map key* (see `tuple_layout`), which is not the alignment that C gives it: strings and the other byte
arrays, and structures copied from C, are packed.

What does not change what a value *is* takes no part in equality and hashing: the address space that a value lives in,
whether a pointer is the program's context, BTF type tags, and whether an integer came from a literal.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Protocol

POINTER_SIZE = 8
MAX_INTEGER_BITS = 64
DEFAULT_STACK_LIMIT = 127


class AddressSpace(enum.Enum):
    """Which memory an address points into, and so which probe_read helper fetches it."""

    NONE = "none"  # BPF's own memory: stack, map value, context
    KERNEL = "kernel"
    USER = "user"
    ANY = "any"  # kernel or user, not known when compiling: bpf_probe_read, which tells them apart by the address


class StackMode(enum.Enum):
    """How a stack is captured and printed."""

    BPFTRACE = "bpftrace"
    PERF = "perf"
    RAW = "raw"
    BUILD_ID = "build_id"

    @property
    def entry_size(self) -> int:
        """Bytes of one frame: a program counter, or the kernel's `struct bpf_stack_build_id`."""
        return 32 if self is StackMode.BUILD_ID else 8


class Clock(enum.Enum):
    """The clock that a timestamp was read from (the argument of `nsecs`)."""

    MONOTONIC = "monotonic"
    BOOT = "boot"
    TAI = "tai"
    SW_TAI = "sw_tai"


@dataclass(frozen=True)
class Type:
    """Base of all types. Class attributes classify; fixed-size types only set them."""

    __slots__ = ()

    _size: ClassVar[int] = 0
    _spelling: ClassVar[str] = ""

    is_byte_array: ClassVar[bool] = False
    """Laid out as plain bytes: packed in tuples."""
    is_aggregate: ClassVar[bool] = False
    """Lives in memory and is handled by address, never in a register."""
    is_map_value: ClassVar[bool] = False
    """Made by an aggregation function such as `count()`; only a map can hold it, in a per-CPU map."""
    is_castable_map_value: ClassVar[bool] = False
    """A map value that reads as an integer (`count`, `sum`, `min`, `max`, `avg`)."""
    is_multi_key_map_value: ClassVar[bool] = False
    """One value as the user sees it is many entries of the BPF map (`hist`, `lhist`, `tseries`)."""

    @property
    def size(self) -> int:
        """Bytes of a value; 0 where there is none or it is not known."""
        return self._size

    @property
    def alignment(self) -> int:
        """Bytes, inside a tuple."""
        if self.is_byte_array:
            return 1
        if self.size <= 2:
            return max(self.size, 1)
        return 4 if self.size <= 4 else 8

    @property
    def is_signed(self) -> bool:
        return False

    def __str__(self) -> str:
        return self._spelling


class TypeSource(Protocol):
    """Where named types come from: a kernel snapshot, C definitions, a tracepoint format, DWARF.

    A lookup answers None for a name that the source does not know.
    """

    def struct(self, name: str) -> Struct | None: ...
    def union(self, name: str) -> Struct | None: ...
    def enum(self, name: str) -> Enum | None: ...
    def typedef(self, name: str) -> Type | None: ...

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        """The enumeration that declares the constant `name` (an integer if it has no name), and the value."""

    def layout(self, struct: Struct) -> StructLayout:
        """Size and members of a struct that this source made."""

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        """Names and values of an enumeration that this source made, in order of declaration."""


# Scalars


class None_(Type):  # noqa: N801  (`None` is taken)
    """No type yet, or an expression without a value."""

    __slots__ = ()

    _spelling: ClassVar[str] = "none"


class Void(Type):
    """C's void; as a pointee it also stands for functions."""

    __slots__ = ()

    _spelling: ClassVar[str] = "void"


class Bool(Type):
    __slots__ = ()

    _size: ClassVar[int] = 1
    _spelling: ClassVar[str] = "bool"


@dataclass(frozen=True, slots=True)
class Integer(Type):
    """An integer of 8, 16, 32 or 64 bits (0 while type resolution has not yet found the width).

    `flexible` marks a non-negative literal: its sign adapts to what it is combined with or assigned to. `space` is
    where the integer points if it is used as an address, NONE if nothing says so; `clock` is where a time in
    nanoseconds was read from.
    """

    bits: int
    signed: bool
    flexible: bool = field(default=False, compare=False, kw_only=True)
    space: AddressSpace = field(default=AddressSpace.NONE, compare=False, kw_only=True)
    clock: Clock = field(default=Clock.BOOT, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.bits not in (0, 1, 8, 16, 32, 64):
            raise ValueError(f"integer of {self.bits} bits")

    @property
    def size(self) -> int:
        return self.bits // 8

    @property
    def is_signed(self) -> bool:
        return self.signed

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.size * 8}"


@dataclass(frozen=True, slots=True)
class Enum(Integer):
    """A C enumeration: an integer that prints as the name of its value."""

    signed: bool = False
    name: str = ""
    source: TypeSource | None = field(default=None, compare=False, repr=False, kw_only=True)
    key: int = field(default=0, compare=False, repr=False, kw_only=True)
    """What `source` knows this enumeration by."""

    @property
    def enumerators(self) -> Mapping[str, int]:
        return self.source.enumerators(self) if self.source else {}

    def __str__(self) -> str:
        return f"enum {self.name}"


# Addresses and memory


@dataclass(frozen=True, slots=True)
class Pointer(Type):
    _size: ClassVar[int] = POINTER_SIZE

    to: Type
    space: AddressSpace = field(default=AddressSpace.NONE, compare=False)
    context: bool = field(default=False, compare=False, kw_only=True)
    """Points to the program's context: only direct loads may go through it."""
    tags: frozenset[str] = field(default=frozenset(), compare=False, kw_only=True)
    """BTF type tags of the pointee, such as `percpu`, `rcu`, `user`."""

    @property
    def pointee(self) -> Type:
        """What a dereference yields."""
        return in_space(self.to, self.space)

    def __str__(self) -> str:
        return f"{self.to} *"


@dataclass(frozen=True, slots=True)
class Array(Type):
    """`count` elements; 0 is an array of unknown length (a flexible member, or `int8[]`)."""

    is_aggregate: ClassVar[bool] = True

    element: Type
    count: int
    space: AddressSpace = field(default=AddressSpace.NONE, compare=False, kw_only=True)

    @property
    def size(self) -> int:
        return self.count * self.element.size

    @property
    def alignment(self) -> int:
        return max(self.size, 1) if self.size <= 2 else self.element.alignment

    def __str__(self) -> str:
        return f"{self.element}[{self.count}]"


class DynamicArray(enum.Enum):
    """How a tracepoint member says where its data is: a 32-bit word, length in the upper 16 bits, position below."""

    ABSOLUTE = "__data_loc"  # position counts from the start of the record
    RELATIVE = "__rel_loc"  # position counts from the end of the word itself


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a structure, or an argument of a probe."""

    name: str
    type: Type
    offset: int
    """Bits from the start of the outermost structure that was asked; a multiple of 8 unless it is a bitfield."""
    bitfield: int = 0
    """Width in bits of a bitfield, 0 for any other member."""
    path: tuple[int, ...] = ()
    """CO-RE access path from that structure: indexes of members, including the anonymous ones on the way."""
    owner: int = 0
    """The BTF type id that the path starts at; 0 where there is none."""
    dynamic: DynamicArray | None = None
    declaration: str = ""
    """The member as C declares it, where the source prints it so (tracepoint formats)."""

    @property
    def byte_offset(self) -> int:
        return self.offset // 8


@dataclass(frozen=True, slots=True)
class StructLayout:
    """Size in bytes and members of a structure, members of anonymous members included, in order of declaration."""

    size: int
    fields: tuple[Field, ...]
    complete: bool = True
    """False for a forward declaration."""


_UNKNOWN_LAYOUT = StructLayout(0, (), complete=False)


@dataclass(frozen=True, slots=True)
class Struct(Type):
    """A C structure or union, known by its name; its members are looked up in `source` when they are asked for.

    An anonymous one has a name that its source made up, in parentheses, which no script can write.
    """

    is_aggregate: ClassVar[bool] = True

    name: str
    is_union: bool = False
    source: TypeSource | None = field(default=None, compare=False, repr=False, kw_only=True)
    key: int = field(default=0, compare=False, repr=False, kw_only=True)
    """What `source` knows this structure by (for BTF, the type id)."""
    space: AddressSpace = field(default=AddressSpace.NONE, compare=False, kw_only=True)
    context: bool = field(default=False, compare=False, kw_only=True)

    @property
    def tag(self) -> str:
        return "union" if self.is_union else "struct"

    @property
    def is_anonymous(self) -> bool:
        return self.name.startswith("(")

    @property
    def layout(self) -> StructLayout:
        return self.source.layout(self) if self.source else _UNKNOWN_LAYOUT

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    def alignment(self) -> int:
        return 1

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.layout.fields

    def member(self, name: str) -> Field | None:
        """The member `name`, also one of an anonymous member."""
        return next((member for member in self.fields if member.name == name), None)

    def __str__(self) -> str:
        if self.is_anonymous:
            return f"{self.tag} {{{','.join(str(member.type) for member in self.fields)}}}"
        return f"{self.tag} {self.name}"


@dataclass(frozen=True, slots=True)
class String(Type):
    """`length` bytes with the terminating NUL; 0 is a string whose length is not settled."""

    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True

    length: int = 0

    @property
    def size(self) -> int:
        return self.length

    def __str__(self) -> str:
        return f"string[{self.length}]" if self.length else "string"


@dataclass(frozen=True, slots=True)
class Buffer(Type):
    """Up to `capacity` bytes behind a 32-bit length. The spelling names the whole size, as upstream does."""

    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True
    HEADER_SIZE: ClassVar[int] = 4

    capacity: int = 0

    @property
    def size(self) -> int:
        return self.HEADER_SIZE + self.capacity

    def __str__(self) -> str:
        return f"buffer[{self.size}]"


@dataclass(frozen=True, slots=True)
class Inet(Type):
    """An address family and an IP address, as `ntop` makes it."""

    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True

    length: int = 0

    @property
    def size(self) -> int:
        return self.length

    def __str__(self) -> str:
        return f"inet[{self.length}]"


class MacAddress(Type):
    __slots__ = ()

    _size: ClassVar[int] = 6
    _spelling: ClassVar[str] = "mac_address"
    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True


# Values that the tracer turns into text when it prints them


class Word(Type):
    """A positional parameter as the command line has it: it prints as a number or as text, whichever it is."""

    __slots__ = ()

    _size: ClassVar[int] = 8
    _spelling: ClassVar[str] = "parameter"


class Username(Type):
    __slots__ = ()

    _size: ClassVar[int] = 8
    _spelling: ClassVar[str] = "username_t"


@dataclass(frozen=True, slots=True)
class Timestamp(Type):
    """Format and nanoseconds of a `strftime`."""

    _size: ClassVar[int] = 16
    _spelling: ClassVar[str] = "timestamp"
    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True

    clock: Clock = field(default=Clock.BOOT, compare=False)


@dataclass(frozen=True, slots=True)
class TimestampMode(Type):
    """The name of a clock, as the argument of `nsecs`."""

    _spelling: ClassVar[str] = "timestamp_mode"

    clock: Clock = field(default=Clock.BOOT, compare=False)


class CgroupPath(Type):
    __slots__ = ()

    _size: ClassVar[int] = 16
    _spelling: ClassVar[str] = "cgroup_path_t"
    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True


class KSym(Type):
    """A kernel address that prints as a symbol."""

    __slots__ = ()

    _size: ClassVar[int] = 8
    _spelling: ClassVar[str] = "ksym_t"


class USym(Type):
    """A user address and its process, printed as a symbol."""

    __slots__ = ()

    _size: ClassVar[int] = 16
    _spelling: ClassVar[str] = "usym_t"
    is_byte_array: ClassVar[bool] = True
    is_aggregate: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Stack(Type):
    """Base of the two kinds of stack: at most `limit` frames."""

    is_aggregate: ClassVar[bool] = True
    _letter: ClassVar[str] = ""
    header_size: ClassVar[int] = 0
    """Bytes before the first frame; the last 8 of them are the number of frames."""

    limit: int = DEFAULT_STACK_LIMIT
    mode: StackMode = StackMode.BPFTRACE

    @property
    def size(self) -> int:
        return self.header_size + self.limit * self.mode.entry_size

    def __str__(self) -> str:
        return f"{self._letter}stack_{self.mode.value}_{self.limit}"


class KStack(Stack):
    __slots__ = ()

    _letter: ClassVar[str] = "k"
    header_size: ClassVar[int] = 8  # number of frames


class UStack(Stack):
    __slots__ = ()

    _letter: ClassVar[str] = "u"
    header_size: ClassVar[int] = 16  # process and probe, number of frames


# Compositions


@dataclass(frozen=True, slots=True)
class TupleLayout:
    """Size and alignment in bytes, and the byte offset of each element."""

    size: int
    alignment: int
    offsets: tuple[int, ...]


@lru_cache(maxsize=4096)
def tuple_layout(elements: tuple[Type, ...]) -> TupleLayout:
    """Lay `elements` out one after the other, each at its in-tuple alignment, padded at the end to the largest."""
    offset, alignment, offsets = 0, 1, []
    for element in elements:
        offset += -offset % element.alignment
        offsets.append(offset)
        offset += element.size
        alignment = max(alignment, element.alignment)
    return TupleLayout(offset + -offset % alignment, alignment, tuple(offsets))


@dataclass(frozen=True, slots=True)
class Tuple(Type):
    is_aggregate: ClassVar[bool] = True

    elements: tuple[Type, ...]

    @property
    def layout(self) -> TupleLayout:
        return tuple_layout(self.elements)

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    def alignment(self) -> int:
        return self.layout.alignment

    def __str__(self) -> str:
        return f"({','.join(map(str, self.elements))})"


@dataclass(frozen=True, slots=True)
class Record(Type):
    """A tuple whose elements have names: `(pid = 1, name = "a")`."""

    is_aggregate: ClassVar[bool] = True

    fields: tuple[tuple[str, Type], ...]

    @property
    def layout(self) -> TupleLayout:
        return tuple_layout(tuple(type_ for _, type_ in self.fields))

    @property
    def size(self) -> int:
        return self.layout.size

    @property
    def alignment(self) -> int:
        return self.layout.alignment

    def index(self, name: str) -> int | None:
        """Position of the element `name`."""
        return next((i for i, (own, _) in enumerate(self.fields) if own == name), None)

    def __str__(self) -> str:
        return f"record {{ {', '.join(f'.{name} = {type_}' for name, type_ in self.fields)} }}"


NONE = None_()
VOID = Void()
BOOL = Bool()
INT8, INT16, INT32, INT64 = (Integer(bits, True) for bits in (8, 16, 32, 64))
UINT8, UINT16, UINT32, UINT64 = (Integer(bits, False) for bits in (8, 16, 32, 64))


def in_space(type_: Type, space: AddressSpace) -> Type:
    """The type that a member or pointee of type `type_` has when it is found in memory of `space`.

    Structures and arrays live where they were found; so do pointers and integers by default point there, but a pointer
    that is declared to point elsewhere (a `__user` pointer in a kernel structure) keeps its space, except that user
    memory holds user pointers only.
    """
    match type_:
        case Pointer(space=own) if own is not AddressSpace.NONE and space is not AddressSpace.USER:
            return type_
        case Pointer() | Array() | Struct() | Integer() if space is not AddressSpace.NONE:
            return dataclasses.replace(type_, space=space)
        case _:
            return type_
