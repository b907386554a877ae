"""The passes of the compiler's back half: from the analyzed program to the resources of the tracer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from compiler.analysis.program import AnalyzedProgram
from compiler.backend import Backend, BackendError
from compiler.codegen import c_modules, generator
from compiler.object import elf
from compiler.object.flatten import flatten
from compiler.object.resources import ResourcesBuilder
from compiler.object.sections import ObjectError
from compiler.pipeline import CompileError, Timings
from compiler.syntax.diagnostics import DiagnosticSink
from proto import required_resources_pb2 as pb

VERSION = "0.1.0"

_STACK_EXCEEDED = re.compile(r"in function (?P<function>\w+) .*stack limit is exceeded")


@dataclass(frozen=True, slots=True)
class Compiled:
    """The message, and the texts that were asked for on the way to it."""

    resources: pb.RequiredResources
    ir: str
    optimized_ir: str
    assembly: str


def compile_program(
    program: AnalyzedProgram,
    backend: Backend,
    sink: DiagnosticSink,
    timings: Timings,
    *,
    helper_errors: int = 1,
    texts: bool = False,
) -> Compiled:
    """Raises CompileError when errors were reported, BackendError and ObjectError where the compiler is at fault."""
    with timings.measure("codegen"):
        builder = ResourcesBuilder(program, VERSION)
        module = generator.run(program, builder, sink, helper_errors=helper_errors)
        ir = str(module)
        linked = [c_modules.linked_ir(c_module, number, builder) for number, c_module in enumerate(program.c_modules)]
    if sink.has_errors:
        raise CompileError("codegen")
    with timings.measure("llvm"):
        try:
            result = backend.compile_ir(ir, linked=linked, texts=texts)
        except BackendError as error:
            _explain(error, program, sink)
            raise CompileError("llvm") from error
    with timings.measure("object"):
        try:
            sections = elf.read(result.object)
            programs = flatten(sections, builder.constants.by_symbol)
            resources = builder.finish(programs, sections)
        except ObjectError as error:
            if not program.c_modules:
                raise
            # What C can say and we do not: a call that LLVM makes of a loop, an address in a variable.
            sink.error("not-supported", f"C sources: {error}", program.c_modules[0].imported)
            raise CompileError("object") from error
    return Compiled(resources, ir, result.optimized_ir, result.assembly)


def _explain(error: BackendError, program: AnalyzedProgram, sink: DiagnosticSink) -> None:
    """Reports what a script can be the cause of; raises `error` again where the compiler is at fault."""
    match = _STACK_EXCEEDED.search(str(error))
    if match is None:
        raise error
    probe = next((bpf.probe for bpf in program.programs if bpf.name == match["function"]), program.programs[0].probe)
    message = "This probe needs more stack than the 512 bytes that a BPF program has"
    hint = "Fewer scratch variables in use at once, and less deeply nested expressions, need less."
    sink.error("stack-size", message, probe.span, hints=[hint])
