"""How values of the language are represented in generated code.

* Integers, booleans and pointers are *scalars*: an i64 operand that holds the value extended to 64 bits by its type's
  sign. Operations on narrower types cut and extend their result again; LLVM removes what is redundant.
* Aggregates (strings, structures, arrays, tuples, ...) are *places*: an address and the memory that it points into. In
  BPF memory (stack, map values) the address is a `ptr`, which loads and stores may go through, and which the verifier
  follows; in kernel and user memory it is an i64, which only the probe_read helpers may use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from compiler.codegen.ir import Operand
from compiler.object.core import Step
from compiler.types import lattice
from compiler.types.lattice import AddressSpace, Struct, Type


@dataclass(frozen=True, slots=True)
class CorePath:
    """A way from the structure at a place's address to the place itself, which the target kernel works out."""

    root: Struct
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an aggregate is.

    `alignment` is what is known of a place in BPF memory. With `core`, the place is what that path leads to from
    `address`; `memory.address` works the address out.
    """

    address: Operand
    space: AddressSpace = AddressSpace.NONE
    alignment: int = 8
    core: CorePath | None = None
    text_only: bool = False
    """Of a place that a string is made in: nothing looks at what is behind its NUL, so it need not be zeros."""
    used: Operand | None = None
    """Of a string that was made: how many bytes it takes with its NUL, where that is known to the program."""

    @property
    def in_bpf_memory(self) -> bool:
        return self.space is AddressSpace.NONE

    def aligned_at(self, offset: int) -> int:
        """The alignment `offset` bytes further."""
        return min(self.alignment, (offset | 8) & -(offset | 8))

    def step(self, step: Step) -> Place:
        assert self.core is not None
        return replace(self, core=CorePath(self.core.root, (*self.core.steps, step)))


Value = Operand | Place


def scalar_bits(type_: Type) -> int:
    """The width of a scalar in its type."""
    match type_:
        case lattice.Integer(bits):
            return max(bits, 8)
        case lattice.Bool():
            return 8
        case _:
            return 64


def is_scalar(type_: Type) -> bool:
    return not type_.is_aggregate
