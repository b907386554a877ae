"""Stacks, and addresses of a process that print as symbols. Layouts: Type.Kind in required_resources.proto."""

from __future__ import annotations

from compiler.analysis.program import RuntimeErrorKind, UnwindRefreshAction
from compiler.codegen import errors, memory, unwinding
from compiler.codegen.builtins.process import process_id
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import NULL, PTR, Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types import lattice

_USER_STACK = 1 << 8  # BPF_F_USER_STACK
_USER_BUILD_ID = 1 << 11  # BPF_F_USER_BUILD_ID


@builtin("kstack")
def kstack(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Place:
    return _capture(e, node, into, 0, RuntimeErrorKind.KSTACK)


@builtin("ustack")
def ustack(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Place:
    build_id = node.type.mode is lattice.StackMode.BUILD_ID
    flags = _USER_STACK | (_USER_BUILD_ID if build_id else 0)
    return _capture(e, node, into, flags, RuntimeErrorKind.USTACK)


def _capture(
    e: Emitter, node: ast.Builtin | ast.Call, into: Place | None, flags: int, error: RuntimeErrorKind
) -> Place:
    """A stack that cannot be read is empty."""
    type_ = node.type
    assert isinstance(type_, lattice.Stack)
    target = into or e.temporary(type_.size, node.span)
    header = type_.header_size
    size = str(type_.size - header)
    match node:
        case ast.Call(arguments=[*_, ast.PositionalParameter() as limit]):
            memory.clear(e, target, type_.size, node.span)
            size = e.f.minimum(e.f.binary("mul", e.scalar(limit), str(type_.mode.entry_size)), size)
        case _:
            # The helper fills the rest with zeros, and everything if it fails.
            memory.clear(e, target, header, node.span)
    frames = e.at(target, header)
    result = e.helper("get_stack", ptr(e.context), ptr(frames.address), i64(size), i64(str(flags)))
    result = e.f.narrow(result, 32, signed=True)
    errors.check_helper(e, "get_stack", result, node.span)
    failed = e.f.compare("slt", result, "0")
    with e.when(failed, "stack.failed"):
        errors.report_kind(e, error, node.span)
    with e.when(e.f.compare("sge", result, "0"), "stack"):
        count = e.f.binary("udiv", result, str(type_.mode.entry_size))
        last = e.at(target, header - 8)
        e.f.store(count, last.address, 8, alignment=last.alignment)
        if flags:
            _store_origin(e, node, target)
    return target


@builtin("dw_ustack")
def dw_ustack(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Place:
    type_ = node.type
    assert isinstance(type_, lattice.Stack)
    target = into or e.temporary(type_.size, node.span)
    memory.clear(e, target, type_.size, node.span)
    limit = str(type_.limit)
    if isinstance(node, ast.Call) and node.arguments and isinstance(node.arguments[-1], ast.PositionalParameter):
        limit = e.f.minimum(e.scalar(node.arguments[-1]), limit)
    process = process_id(e, node)
    result, working = unwinding.walk(e, process, limit, node.span)
    with e.when(e.f.compare("eq", result, unwinding.NO_TABLES), "unwind.no.tables"):
        errors.report_kind(e, RuntimeErrorKind.USTACK_NO_DWARF, node.span)
    with e.when(e.f.compare("sgt", result, "0"), "unwound"):
        count = e.f.narrow(result, 32, signed=False)
        with e.when(e.f.compare("ne", working, NULL, PTR), "unwind.copy"):
            size = e.f.minimum(e.f.binary("shl", count, "3"), str(type_.size - type_.header_size))
            source = e.f.to_integer(e.f.offset(working, unwinding.FRAMES))
            e.helper("probe_read_kernel", ptr(e.at(target, type_.header_size).address), i64(size), i64(source))
        last = e.at(target, type_.header_size - 8)
        e.f.store(count, last.address, 8, alignment=last.alignment)
        _store_origin(e, node, target)
        asks = e.f.binary("and", result, str(unwinding.REFRESH))
        with e.when(e.f.compare("ne", asks, "0"), "unwind.refresh"):
            errors.send(e, UnwindRefreshAction(node.span, (), 16), process)
    return target


def _store_origin(e: Emitter, node: ast.Builtin | ast.Call, target: Place) -> None:
    """u32 pid and u32 probe: where and when the address means something."""
    e.f.store(process_id(e, node), target.address, 4, alignment=target.alignment)
    probe = e.at(target, 4)
    e.f.store(str(probe_index(e)), probe.address, 4, alignment=probe.alignment)


@builtin("usym")
def usym(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """u64 address, u32 pid, u32 probe."""
    target = into or e.temporary(node.type.size, node.span)
    e.f.store(e.scalar(node.arguments[0]), target.address, 8, alignment=target.alignment)
    _store_origin(e, node, e.at(target, 8))
    return target


def probe_index(e: Emitter) -> int:
    """Of the program's first attach point, in the table of probes."""
    programs = e.program.programs
    return sum(len(program.attach_points) for program in programs[: programs.index(e.bpf)])


def length(e: Emitter, node: ast.Expression) -> Operand:
    """The number of a stack's frames."""
    assert isinstance(node.type, lattice.Stack)
    count = e.at(memory.in_bpf_memory(e, node), node.type.header_size - 8)
    return e.f.load(count.address, 8, signed=False, alignment=count.alignment)
