"""The only file that touches llvmlite: IR in, a BPF object file out.

LLVM ends the process on many errors, so this runs in a process of its own: see compiler/backend.py. Importing llvmlite
takes about 0.1 s, which is why it happens in that process only, while the compiler does other work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm

# Instructions up to Linux 5.1 (32-bit ALU and jumps): what every kernel since 5.10 has. The next set, v4, needs 6.6.
CPU = "v3"


@dataclass(frozen=True, slots=True)
class LlvmOutput:
    """The object file; optimized IR and assembly if they were asked for."""

    object: bytes
    optimized_ir: str = ""
    assembly: str = ""


@cache
def initialize() -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


@dataclass(frozen=True, slots=True)
class Described:
    """A module of bitcode as text, and the object that it makes by itself."""

    ir: str
    object: bytes


def describe(bitcode: bytes) -> Described:
    """Raises RuntimeError on bitcode of an LLVM that is newer than this one."""
    module = llvm.parse_bitcode(bitcode, llvm.create_context())
    module.verify()
    ir = str(module)
    return Described(ir, _machine().emit_object(module))


def _machine() -> llvm.TargetMachine:
    # Level 1 of translation gives the same code as level 3, sooner; level 0 gives worse.
    return llvm.Target.from_triple("bpf").create_target_machine(cpu=CPU, opt=1, reloc="default", codemodel="default")


def _link(module: llvm.ModuleRef, texts: Sequence[str], context: llvm.ContextRef) -> None:
    """Makes other modules part of one; nothing refers to them from outside."""
    for text in texts:
        other = llvm.parse_assembly(text, context)
        names = [value.name for value in (*other.functions, *other.global_variables) if not value.is_declaration]
        module.link_in(other)
        for name in names:
            value = _find(module, name)
            if value is not None:
                value.linkage = llvm.Linkage.internal


def _find(module: llvm.ModuleRef, name: str) -> llvm.ValueRef | None:
    for find in (module.get_function, module.get_global_variable):
        try:
            return find(name)
        except NameError:
            continue
    return None  # one that is internal already may have got another name


def _optimize(module: llvm.ModuleRef, machine: llvm.TargetMachine, *, inline: bool) -> None:
    """Our own functions are called because they are cold: what the passes over whole modules could do for them is not
    worth half of LLVM's time. With `inline`, for C that is linked in, these run too.
    """
    builder = llvm.create_pass_builder(machine, _tuning(2 if inline else 0))
    passes = builder.getModulePassManager()  # At level 0 it is what the target cannot do without.
    passes.run(module, builder)
    if inline:
        return
    builder = llvm.create_pass_builder(machine, _tuning(2))
    simplification = builder.getFunctionPassManager()
    for function in module.functions:
        if not function.is_declaration:
            simplification.run(function, builder)


def _tuning(level: int) -> llvm.PipelineTuningOptions:
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    # The verifier follows every path: unrolled loops cost instructions, and BPF has no vectors.
    options.loop_unrolling = False
    options.loop_interleaving = False
    options.loop_vectorization = False
    options.slp_vectorization = False
    return options


def compile_ir(ir: str, *, linked: Sequence[str] = (), texts: bool = False) -> LlvmOutput:
    """Optimizes and translates a module; raises RuntimeError on IR that LLVM refuses politely.

    The modules in `linked` become part of it. With `texts` the optimized IR and the assembly come too.
    """
    context = llvm.create_context()  # its own, or what modules before it named would change the names in this one
    module = llvm.parse_assembly(ir, context)
    _link(module, linked, context)
    module.verify()
    machine = _machine()
    _optimize(module, machine, inline=bool(linked))
    optimized = str(module) if texts else ""
    # From a copy: translating changes a module, and a second translation of it comes out worse.
    assembly = machine.emit_assembly(llvm.parse_assembly(optimized, context)) if texts else ""
    return LlvmOutput(machine.emit_object(module), optimized, assembly)
