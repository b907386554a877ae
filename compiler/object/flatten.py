"""Makes one instruction array of each program: the entry function and the functions that it reaches, calls resolved."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from compiler.object.sections import FUNCTION_PREFIX, GLOBAL_PREFIX, PROGRAM_PREFIX, ObjectError, Reference, Section

INSTRUCTION_SIZE = 8
R_BPF_64_64 = 1  # the 64-bit immediate of ld_imm64
R_BPF_64_32 = 10  # the immediate of a call
OPCODE_LD_IMM64 = 0x18
OPCODE_CALL = 0x85
PSEUDO_CALL = 1
PSEUDO_FUNC = 4

_REGISTERS = struct.Struct("<BBhi")  # opcode, source << 4 | destination, offset, immediate


@dataclass(frozen=True, slots=True)
class SymbolUse:
    """An instruction that the target host completes: `symbol` is code generation's, or a section of data.

    `addend` is the place inside that section; it is 0 for a symbol.
    """

    instruction: int
    symbol: str
    addend: int = 0


@dataclass(frozen=True, slots=True)
class FlatFunction:
    """`start` is the first instruction; `arguments` how many u64 a global function takes, None for a static one.

    The context that a program's entry gets does not count: the kernel knows about it.
    """

    name: str
    start: int
    arguments: int | None


@dataclass(frozen=True, slots=True)
class FlatProgram:
    """Instructions of a program; `functions` has the entry, a global one, and then each subprogram."""

    name: str
    instructions: bytes
    uses: tuple[SymbolUse, ...]
    functions: tuple[FlatFunction, ...]


def flatten(sections: Mapping[str, Section], symbols: Collection[str]) -> dict[str, FlatProgram]:
    """All programs of the object by name.

    `symbols` are the undefined symbols that code generation knows what to do with; any other one is an ObjectError
    that names it.
    """
    return {
        name.removeprefix(PROGRAM_PREFIX): _Flattener(sections, symbols).flatten(section)
        for name, section in sections.items()
        if name.startswith(PROGRAM_PREFIX)
    }


class _Flattener:
    def __init__(self, sections: Mapping[str, Section], symbols: Collection[str]) -> None:
        self._sections = sections
        self._symbols = symbols
        self._code = bytearray()
        self._starts: dict[str, int] = {}
        self._pending: list[tuple[str, int, Reference]] = []  # section, its first instruction, reference
        self._uses: list[SymbolUse] = []

    def flatten(self, entry: Section) -> FlatProgram:
        self._append(entry)
        # Appending a function may add to the pending references: the list grows while it is walked.
        for section, start, reference in self._pending:
            self._resolve(section, start + reference.offset // INSTRUCTION_SIZE, reference)
        functions = tuple(_function(name, start) for name, start in self._starts.items())
        uses = tuple(sorted(self._uses, key=lambda use: use.instruction))
        return FlatProgram(functions[0].name, bytes(self._code), uses, functions)

    def _append(self, section: Section) -> None:
        start = len(self._code) // INSTRUCTION_SIZE
        self._starts[section.name] = start
        self._code += section.data
        self._pending += [(section.name, start, reference) for reference in section.references]

    def _resolve(self, home: str, instruction: int, reference: Reference) -> None:
        at = instruction * INSTRUCTION_SIZE
        opcode, registers, offset, immediate = _REGISTERS.unpack_from(self._code, at)
        expected = {R_BPF_64_64: OPCODE_LD_IMM64, R_BPF_64_32: OPCODE_CALL}.get(reference.kind)
        if opcode != expected:
            raise ObjectError(f"{home}: relocation of type {reference.kind} at an instruction of opcode {opcode:#x}")
        target = self._sections.get(reference.section) if reference.section else None
        if target is not None and target.executable:
            if target.name not in self._starts:
                self._append(target)
            kind = PSEUDO_CALL if opcode == OPCODE_CALL else PSEUDO_FUNC
            distance = self._starts[target.name] - instruction - 1
            _REGISTERS.pack_into(self._code, at, opcode, registers & 0xF | kind << 4, offset, distance)
        elif target is not None:
            self._uses.append(SymbolUse(instruction, target.name, reference.value + immediate))
        elif reference.symbol in self._symbols:
            if opcode == OPCODE_LD_IMM64 and immediate:
                raise ObjectError(f"{home}: reference to {reference.symbol} with an addend")
            self._uses.append(SymbolUse(instruction, reference.symbol))
        else:
            what = "call of" if opcode == OPCODE_CALL else "reference to"
            raise ObjectError(f"{home}: {what} the undefined symbol {reference.symbol}")


def _function(section: str, start: int) -> FlatFunction:
    if section.startswith(GLOBAL_PREFIX):
        arguments, _, name = section.removeprefix(GLOBAL_PREFIX).partition(".")
        return FlatFunction(name, start, int(arguments))
    if section.startswith(PROGRAM_PREFIX):
        return FlatFunction(section.removeprefix(PROGRAM_PREFIX), start, 0)
    return FlatFunction(section.removeprefix(FUNCTION_PREFIX), start, None)
