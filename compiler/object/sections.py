"""The sections of LLVM's object file, as the rest of this room sees them.

Code generation puts every function into a section of its own, named after it: `PROGRAM_PREFIX` and the program's name,
or `FUNCTION_PREFIX` and the name for subprograms and callbacks. So a function is its section, and a reference to a
section that holds code is a reference to that function.

The verifier follows every call of such a function. Those in sections of `GLOBAL_PREFIX` are global functions, which it
checks once, for any numbers as arguments. How many they have comes before the name: `global.2.name`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROGRAM_PREFIX = "program."
FUNCTION_PREFIX = "function."
GLOBAL_PREFIX = "global."


class ObjectError(Exception):
    """The object file is not what code generation promises: an error of the compiler, not of its user."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A relocation entry: the instruction or word at byte `offset` refers to `symbol`, of relocation type `kind`.

    `section` names the section that defines the symbol, None if it is undefined; `value` is the symbol's place there.
    """

    offset: int
    kind: int
    symbol: str
    section: str | None
    value: int


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    data: bytes
    executable: bool
    references: tuple[Reference, ...] = field(default=())
