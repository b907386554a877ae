"""What only the kernel can say: paths, per-CPU variables, cookies of sockets; its trace pipe and its results."""

from __future__ import annotations

import errno

from compiler.analysis.iterators import kernel_format
from compiler.analysis.program import LARGEST_PACKET
from compiler.codegen import cold, events, memory
from compiler.codegen.builtins.stacks import probe_index
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.syntax.source import encode
from compiler.types.lattice import String
from proto import required_resources_pb2 as pb

_CURRENT_CPU = 0xFFFFFFFF  # BPF_F_CURRENT_CPU


@builtin("debugf")
def debugf(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    template, *arguments = node.arguments
    assert isinstance(template, ast.String)
    text = encode(kernel_format(template.value, [argument.type for argument in arguments])) + b"\0"
    values = [
        ptr(memory.in_bpf_memory(e, argument).address) if isinstance(argument.type, String) else i64(e.scalar(argument))
        for argument in arguments
    ]
    e.helper("trace_printk", ptr(e.f.module.constant(text)), i64(str(len(text))), *values)
    return "0"


@builtin("path")
def path(e: Emitter, node: ast.Call, into: Place | None) -> Place:
    """A path that is longer than its room loses its beginning: the helper fills the room from its end, and fails."""
    source, size = node.arguments[0], node.type.size
    # The pointer is the kernel's own: what was read into memory is no address that the verifier lets the helper follow.
    pointer, _ = memory.pointer_to(e, source)
    target = into or e.temporary(size, node.span)
    memory.clear(e, target, size, node.span)
    e.helper("d_path", i64(pointer), ptr(target.address), i64(str(size)))
    return target


@builtin("percpu_kaddr")
def percpu_kaddr(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """Of a given processor, which may not be there: then it is null."""
    name, *cpu = node.arguments
    assert isinstance(name, ast.String)
    variable = ptr(e.f.module.symbol(e.resources.constants.kernel_variable(name.value, node.span)))
    if cpu:
        return e.f.to_integer(e.pointer_helper("per_cpu_ptr", variable, i64(e.scalar(cpu[0]))))
    return e.f.to_integer(e.pointer_helper("this_cpu_ptr", variable))


@builtin("override")
def override(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    e.helper("override_return", ptr(e.context), i64(e.scalar(node.arguments[0])))
    return "0"


@builtin("skboutput")
def skboutput(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """A ring without room for the packet is an event lost, as with other events; the script sees the error too."""
    index = e.program.action_of[node]
    size = e.program.actions[index].size
    skb, length = e.scalar(node.arguments[1]), e.scalar(node.arguments[2])
    captured = e.f.minimum(length, str(LARGEST_PACKET))
    event = events.begin(e, index, size, node.span)
    e.f.store(e.helper("ktime_get_boot_ns"), e.at(event, 8).address, 8)
    e.f.store(captured, e.at(event, 16).address, 4)
    e.f.store(length, e.at(event, 20).address, 4, alignment=4)
    flags = e.f.binary("or", e.f.binary("shl", captured, "32"), str(_CURRENT_CPU))
    result = e.helper(
        "skb_output", i64(skb), e.map(e.resources.packets()), i64(flags), ptr(event.address), i64(str(size))
    )
    with e.when(e.f.compare("eq", result, str(-errno.ENOSPC)), "packet.lost"):
        cold.count_lost_event(e.f, e.resources.event_loss)
    return e.f.narrow(result, 32, signed=False)


@builtin("kfunc_exist", "kfunc_allowed")
def kfunc_test(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    name = node.arguments[0]
    assert isinstance(name, ast.String)
    question = pb.KfuncTest.ALLOWED if node.name == "kfunc_allowed" else pb.KfuncTest.EXISTS
    test = pb.KfuncTest(name=name.value, question=question)
    if question == pb.KfuncTest.ALLOWED:
        test.probe = probe_index(e)
    return e.symbol_value(e.resources.constants.kfunc_test(test, node.span))


@builtin("socket_cookie")
def socket_cookie(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    return e.helper("get_socket_cookie", i64(e.scalar(node.arguments[0])))
