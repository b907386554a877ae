"""Addresses of symbols in the file that the probe is in."""

from __future__ import annotations

from compiler.codegen import fields, targets
from compiler.codegen.builtins.stacks import probe_index
from compiler.codegen.emitter import Emitter, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types import lattice
from proto import required_resources_pb2 as pb


@builtin("uaddr")
def uaddr(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """A symbol is as far from the probe in memory as it is in the file: that holds wherever the file was loaded. For an
    executable that is always at the same addresses the verifier drops all of this but the constant.
    """
    name = node.arguments[0]
    assert isinstance(name, ast.String) and isinstance(node.type, lattice.Pointer)
    probe, constants, f = probe_index(e), e.resources.constants, e.f
    size = 0 if isinstance(node.type.pointee, lattice.Void) else node.type.pointee.size
    symbol = pb.UserSymbol(property=pb.UserSymbol.ADDRESS, probe=probe, symbol=name.value, size=size)
    address = e.symbol_value(constants.user_symbol(symbol, node.span))
    fixed = constants.user_symbol(pb.UserSymbol(property=pb.UserSymbol.IS_FIXED, probe=probe), node.span)
    start, moved, done = f.current, f.label("uaddr.moved"), f.label("uaddr")
    f.branch_if(f.compare("ne", e.symbol_value(fixed), "0"), done, moved)
    f.enter(moved)
    distance = f.binary("sub", address, _place(e, probe, node))
    relocated = f.binary("add", distance, _address_of_probe(e))
    end = f.current
    f.enter(done)
    return f.phi([(address, start), (relocated, end)])


def _place(e: Emitter, probe: int, node: ast.Call) -> Operand:
    """Where in its file the target is that runs the program."""
    if not e.bpf.attach_points[0].has_late_name and e.bpf.probe_type.name != "usdt":
        place = pb.UserSymbol(property=pb.UserSymbol.PLACE, probe=probe)
        return e.symbol_value(e.resources.constants.user_symbol(place, node.span))
    return e.f.load(targets.entry(e, e.resources.target_places(e.bpf)), 8, signed=False)


def _address_of_probe(e: Emitter) -> Operand:
    """Where the target is in memory. When a function returns, the processor is somewhere else."""
    if e.bpf.probe_type.is_return:
        return e.helper("get_func_ip", ptr(e.context))
    return fields.register(e, e.program.arch.registers[e.program.arch.instruction_pointer])
