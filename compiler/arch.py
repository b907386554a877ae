"""What the compiler knows of a target architecture: its registers as probes see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """One target.

    `registers` maps every name that `reg()` takes to its byte offset in the record that a kprobe's program gets
    (the kernel's `struct pt_regs`, `struct user_pt_regs` on arm64), whose members are 8 bytes each.
    """

    name: str
    """The name that the command line and `uname -m` use."""
    registers: Mapping[str, int]
    arguments: tuple[str, ...]
    """Registers of the integer arguments of a function call, `arg0` first."""
    return_value: str
    instruction_pointer: str
    stack_pointer: str
    syscall_prefix: str
    """What the kernel puts before `sys_NAME` in the names of its system call functions."""

    def argument_offset(self, index: int) -> int | None:
        """Byte offset of `argN` in the registers, None if this architecture passes it elsewhere."""
        return self.registers[self.arguments[index]] if index < len(self.arguments) else None

    @property
    def return_offset(self) -> int:
        return self.registers[self.return_value]


def _in_order(*names: str) -> dict[str, int]:
    return {name: 8 * index for index, name in enumerate(names)}


X86_64 = Architecture(
    name="x86_64",
    # arch/x86/include/asm/ptrace.h
    registers=_in_order(
        "r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "orig_rax",
        "ip", "cs", "flags", "sp", "ss",
    )
    | {"pc": 128},
    arguments=("di", "si", "dx", "cx", "r8", "r9"),
    return_value="ax",
    instruction_pointer="ip",
    stack_pointer="sp",
    syscall_prefix="__x64_",
)  # fmt: skip

ARM64 = Architecture(
    name="arm64",
    # arch/arm64/include/uapi/asm/ptrace.h
    registers=_in_order(*(f"r{index}" for index in range(31)), "sp", "pc", "pstate") | {"fp": 8 * 29, "lr": 8 * 30},
    arguments=tuple(f"r{index}" for index in range(8)),
    return_value="r0",
    instruction_pointer="pc",
    stack_pointer="sp",
    syscall_prefix="__arm64_",
)

ARCHITECTURES: Mapping[str, Architecture] = {"x86_64": X86_64, "arm64": ARM64, "aarch64": ARM64}
