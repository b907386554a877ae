"""What the probe is about: its name, the traced function, arguments, results, registers."""

from __future__ import annotations

import re

from compiler.analysis.program import TARGET_NAME_SIZE
from compiler.codegen import cold, fields, targets
from compiler.codegen.emitter import Emitter, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place, Value, is_scalar
from compiler.probe_types import Context
from compiler.syntax import ast
from compiler.syntax.source import encode


@builtin("probe")
def probe(e: Emitter, node: ast.Builtin, into: Place | None) -> Place:
    if e.bpf.attach_points[0].has_late_name:
        return _target_names(e)
    return _text(e, node, e.bpf.attach_points[0].name)


def _target_names(e: Emitter) -> Place:
    """The name of the target that runs the program, and behind it that of its function."""
    return Place(targets.entry(e, e.resources.target_names(e.bpf)))


@builtin("probetype")
def probetype(e: Emitter, node: ast.Builtin, into: Place | None) -> Place:
    return _text(e, node, e.bpf.probe_type.name)


def _text(e: Emitter, node: ast.Builtin, text: str) -> Place:
    size = node.type.size
    return Place(e.f.module.constant(encode(text)[:size].ljust(size, b"\0")))


@builtin("func")
def func(e: Emitter, node: ast.Builtin, into: Place | None) -> Value:
    point = e.bpf.attach_points[0]
    if is_scalar(node.type):
        return fields.function_address(e, node.span)
    return e.at(_target_names(e), TARGET_NAME_SIZE) if point.has_late_name else _text(e, node, point.event)


@builtin(*(f"arg{index}" for index in range(10)))
def argument(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    match = re.fullmatch(r"arg(\d+)", node.name)
    assert match is not None
    if e.bpf.probe_type.name == "usdt":
        where = e.resources.usdt_arguments(e.bpf)
        cookie = e.helper("get_attach_cookie", ptr(e.context))
        return cold.usdt_argument(e.f, where, e.f.to_integer(e.context), cookie, int(match[1]))
    if e.bpf.probe_type.context is Context.ARGUMENTS:
        value = fields.argument(e, int(match[1]), node.type, node.span)
        assert isinstance(value, Operand)
        return value
    return fields.read_argument_register(e, int(match[1]))


@builtin("retval")
def retval(e: Emitter, node: ast.Builtin, into: Place | None) -> Value:
    if e.bpf.probe_type.context is Context.ARGUMENTS:
        return fields.argument(e, e.bpf.argument_types[-1].offset // 64, node.type, node.span)
    return fields.register(e, e.program.arch.return_offset)


@builtin("ctx")
def context(e: Emitter, node: ast.Builtin, into: Place | None) -> Value:
    """What is behind it is read as any other memory of the kernel; an iterator's is never used as a whole."""
    return e.f.to_integer(e.context)


@builtin("usermode")
def usermode(e: Emitter, node: ast.Builtin, into: Place | None) -> Operand:
    """The lowest two bits of the code segment are the privilege level: 3 is user mode."""
    segment = fields.register(e, e.program.arch.registers["cs"])
    return e.f.boolean(e.f.compare("eq", e.f.binary("and", segment, "3"), "3"))


@builtin("reg")
def reg(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    name = node.arguments[0]
    assert isinstance(name, ast.String)
    return fields.register(e, e.program.arch.registers[name.value])
