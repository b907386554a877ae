"""Numbers as texts, by tables in read-only memory."""

from __future__ import annotations

from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.stdlib import tables
from compiler.syntax import ast


@builtin("strerror")
def strerror(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """Of a number or of its negative, as the kernel returns it."""
    number = e.scalar(node.arguments[0])
    negative = e.f.compare("slt", number, "0")
    return _entry(e, e.f.select(negative, e.f.binary("sub", "0", number), number), "errors", "Unknown error")


@builtin("signal_name")
def signal_name(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    return _entry(e, e.scalar(node.arguments[0]), "signals", "N/A")


@builtin("syscall_name")
def syscall_name(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    return _entry(e, e.scalar(node.arguments[0]), f"syscalls_{e.program.arch.name}", "Unknown syscall")


def _entry(e: Emitter, number: Operand, table: str, unknown: str) -> Place:
    data = tables.packed(table, unknown)
    last = len(data) // tables.ENTRY_SIZE - 1
    offset = e.f.binary("mul", e.f.minimum(number, str(last)), str(tables.ENTRY_SIZE))
    return Place(e.f.offset(e.f.module.constant(data), offset))
