"""Flattening: sections made by hand, instructions looked at one by one."""

import struct

import pytest

from compiler.object.flatten import R_BPF_64_32, R_BPF_64_64, FlatFunction, FlatProgram, SymbolUse, flatten
from compiler.object.sections import ObjectError, Reference, Section

MOV, EXIT, CALL, LD_IMM64 = 0xB7, 0x95, 0x85, 0x18


def insn(opcode: int, registers: int = 0, immediate: int = 0) -> bytes:
    return struct.pack("<BBhi", opcode, registers, 0, immediate)


def immediate(program: FlatProgram, index: int) -> tuple[int, int]:
    """Source register and immediate of an instruction."""
    _, registers, _, value = struct.unpack_from("<BBhi", program.instructions, index * 8)
    return registers >> 4, value


def code(name: str, *instructions: bytes, references: tuple[Reference, ...] = ()) -> Section:
    return Section(name, b"".join(instructions), True, references)


def to_section(at: int, kind: int, name: str) -> Reference:
    return Reference(at * 8, kind, name, name, 0)


def test_calls_are_resolved_and_each_function_is_copied_once() -> None:
    sections = {
        section.name: section
        for section in (
            code(
                "program.p", insn(CALL, 0x10, -1), insn(CALL, 0x10, -1), insn(EXIT),
                references=(to_section(0, R_BPF_64_32, "function.f"), to_section(1, R_BPF_64_32, "global.2.g")),
            ),
            code(
                "function.f", insn(CALL, 0x10, -1), insn(EXIT),
                references=(to_section(0, R_BPF_64_32, "global.2.g"),),
            ),
            code("global.2.g", insn(MOV), insn(EXIT)),
            code("function.unused", insn(EXIT)),
        )
    }  # fmt: skip
    program = flatten(sections, ())["p"]
    assert program.functions == (FlatFunction("p", 0, 0), FlatFunction("f", 3, None), FlatFunction("g", 5, 2))
    assert len(program.instructions) == 7 * 8
    # The distance counts from the instruction behind the call.
    assert [immediate(program, index) for index in (0, 1, 3)] == [(1, 2), (1, 3), (1, 1)]


def test_address_of_a_function_is_relative_too() -> None:
    references = (to_section(1, R_BPF_64_64, "function.callback"),)
    sections = {
        "program.p": code("program.p", insn(MOV), insn(LD_IMM64), insn(0), insn(EXIT), references=references),
        "function.callback": code("function.callback", insn(EXIT)),
    }
    assert immediate(flatten(sections, ())["p"], 1) == (4, 4 - 1 - 1)


def test_programs_do_not_share_functions() -> None:
    calls = (to_section(0, R_BPF_64_32, "function.f"),)
    sections = {
        "program.a": code("program.a", insn(CALL), insn(EXIT), references=calls),
        "program.b": code("program.b", insn(MOV), insn(EXIT)),
        "function.f": code("function.f", insn(EXIT)),
    }
    programs = flatten(sections, ())
    assert [len(programs[name].instructions) // 8 for name in "ab"] == [3, 2]


def test_symbols_and_data_are_left_to_the_target() -> None:
    references = (
        Reference(0, R_BPF_64_64, "map:@x", None, 0),
        Reference(16, R_BPF_64_64, ".rodata", ".rodata", 8),
    )
    instructions = (insn(LD_IMM64), insn(0), insn(LD_IMM64, immediate=24), insn(0), insn(EXIT))
    sections = {
        "program.p": code("program.p", *instructions, references=references),
        ".rodata": Section(".rodata", bytes(64), False),
    }
    uses = flatten(sections, {"map:@x"})["p"].uses
    assert uses == (SymbolUse(0, "map:@x"), SymbolUse(2, ".rodata", 32))


@pytest.mark.parametrize(
    ("opcode", "kind", "message"),
    [
        (CALL, R_BPF_64_32, "call of the undefined symbol strlen"),
        (LD_IMM64, R_BPF_64_64, "reference to the undefined symbol strlen"),
        (MOV, R_BPF_64_64, "relocation of type 1 at an instruction of opcode 0xb7"),
    ],
)
def test_what_code_generation_did_not_ask_for_is_refused(opcode: int, kind: int, message: str) -> None:
    references = (Reference(0, kind, "strlen", None, 0),)
    sections = {"program.p": code("program.p", insn(opcode), insn(0), insn(EXIT), references=references)}
    with pytest.raises(ObjectError, match=message):
        flatten(sections, ())


def test_an_addend_of_a_symbol_is_refused() -> None:
    references = (Reference(0, R_BPF_64_64, "map:@x", None, 0),)
    sections = {"program.p": code("program.p", insn(LD_IMM64, immediate=8), insn(0), references=references)}
    with pytest.raises(ObjectError, match="with an addend"):
        flatten(sections, {"map:@x"})
