"""Pass: code generation.

Before: an AnalyzedProgram. After: its LLVM IR, and in the ResourcesBuilder the constants and the working memory that
the code refers to. Language errors are impossible here; a value that is too large for BPF is reported.
"""

from __future__ import annotations

from compiler.analysis.program import AnalyzedProgram, BpfProgram

# Imported for what they register.
from compiler.codegen import (  # noqa: F401
    aggregations,
    casts,
    cold,
    expressions,
    fields,
    loops,
    lowering,
    maps,
    operators,
    parameters,
    statements,
)
from compiler.codegen.builtins import (  # noqa: F401
    data,
    kernel,
    names,
    output,
    probe,
    process,
    stacks,
    text,
    times,
    user_symbols,
)
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import PTR, Function, Module, Operand
from compiler.object.resources import ResourcesBuilder
from compiler.object.sections import FUNCTION_PREFIX, PROGRAM_PREFIX
from compiler.probe_types import Context
from compiler.syntax.diagnostics import DiagnosticError, DiagnosticSink
from proto import required_resources_pb2 as pb


def run(
    program: AnalyzedProgram, resources: ResourcesBuilder, sink: DiagnosticSink, *, helper_errors: int = 1
) -> Module:
    """`helper_errors` says which failed helpers the tracer reports: 0 none, 1 all but reads, 2 all."""
    module = Module()
    for bpf in program.programs:
        try:
            _generate(program, bpf, resources, module, helper_errors)
        except DiagnosticError as error:
            sink.add(error.diagnostic)
    return module


def _generate(
    program: AnalyzedProgram, bpf: BpfProgram, resources: ResourcesBuilder, module: Module, helper_errors: int
) -> None:
    f = Function(module, bpf.name, PROGRAM_PREFIX + bpf.name, [(PTR, "%ctx")], "")
    if bpf.halves is None:
        _body(program, bpf, resources, f, helper_errors)
        return
    # Each half is a function of its own, with a stack of its own.
    is_return = resources.constants.kfunc("bpf_session_is_return", bpf.probe.span)
    module.declare(f'i64 @"{is_return}"()')
    enters, returns = f.label("enters"), f.label("returns")
    answer = f.narrow(f.value(f'call i64 @"{is_return}"()'), 8, signed=False)
    f.branch_if(f.compare("ne", answer, "0"), returns, enters)
    for label, half in zip((enters, returns), bpf.halves, strict=True):
        name = f"{bpf.name}_{label.partition('.')[0]}"
        part = Function(module, name, FUNCTION_PREFIX + name, [(PTR, "%ctx")], "internal")
        _body(program, half, resources, part, helper_errors)
        f.enter(label)
        f.ret(f.value(f'call i64 @"{name}"(ptr %ctx)'))


def _body(
    program: AnalyzedProgram, bpf: BpfProgram, resources: ResourcesBuilder, f: Function, helper_errors: int
) -> None:
    module = f.module
    e = Emitter(program, bpf, resources, f, helper_errors, _return_value(bpf, resources, module))
    # Keeps the offsets of loads from the context constant, as the verifier wants them.
    module.declare("ptr @llvm.preserve.static.offset(ptr)")
    e.context = f.at_start("call ptr @llvm.preserve.static.offset(ptr %ctx)")
    if program.is_recursive:
        e.guard_against_recursion()
    if bpf.probe_type.name in _FILTERED_BY_PID:
        _filter_by_pid(e)
    predicate = bpf.probe.predicate
    if predicate is not None:
        holds, fails = f.label("predicate.holds"), f.label("predicate.fails")
        with e.temporaries():
            f.branch_if(e.truth(predicate), holds, fails)
            f.enter(fails)
            f.ret(e.return_value)
            f.enter(holds)
    e.block(bpf.probe.body)
    f.ret(e.return_value)


def _return_value(bpf: BpfProgram, resources: ResourcesBuilder, module: Module) -> Operand:
    """For perf a tracepoint's zero is "filtered out": other users of it would see no event. Of fentry and others the
    verifier wants a zero.
    """
    match bpf.probe_type.context:
        case Context.UNKNOWN:
            return module.symbol_value(resources.constants.host(pb.HostValue.PROGRAM_RESULT))
        case Context.RECORD:
            return "1"
        case _:
            return "0"


_FILTERED_BY_PID = frozenset({"kprobe", "kretprobe", "fentry", "fexit", "tracepoint", "rawtracepoint"})
"""Probe types that the kernel cannot attach to one process only."""


def _filter_by_pid(e: Emitter) -> None:
    """Ends the program in other processes than the one given by -p. Without -p the verifier removes all of it."""
    f = e.f
    target = e.symbol_value(e.resources.constants.host(pb.HostValue.TARGET_PID))
    check, other, wanted = f.label("pid.check"), f.label("pid.other"), f.label("pid.wanted")
    f.branch_if(f.compare("ne", target, "0"), check, wanted)
    f.enter(check)
    f.branch_if(f.compare("ne", cold.is_other_process(f, e.resources.constants), "0"), other, wanted)
    f.enter(other)
    f.ret(e.return_value)
    f.enter(wanted)
