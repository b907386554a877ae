"""The sections of LLVM's object file, as the rest of this room sees them.

Code generation puts every function into a section of its own, named after it: `PROGRAM_PREFIX` and the program's name,
or `FUNCTION_PREFIX` and the name for subprograms and callbacks. So a function is its section, and a reference to a
section that holds code is a reference to that function.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROGRAM_PREFIX = "program."
FUNCTION_PREFIX = "function."


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
