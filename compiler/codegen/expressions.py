"""Literals, variables, tuples, conditions and blocks."""

from __future__ import annotations

from compiler.analysis.program import VariableSymbol
from compiler.codegen import c_modules, memory
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import PTR, Operand, constant
from compiler.codegen.lowering import BUILTINS, expression
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.interop.module import CFunction
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.lattice import AddressSpace, Type

_FEW_BOOLS = 6


@expression(ast.Integer)
def integer(e: Emitter, node: ast.Integer, into: Place | None) -> Operand:
    return constant(node.value, scalar_bits(node.type), signed=node.type.is_signed)


@expression(ast.Boolean)
def boolean(e: Emitter, node: ast.Boolean, into: Place | None) -> Operand:
    return str(int(node.value))


@expression(ast.String)
def string(e: Emitter, node: ast.String, into: Place | None) -> Place:
    data = node.data[: node.type.size].ljust(node.type.size, b"\0")
    return Place(e.f.module.constant(data))


@expression(ast.Builtin, ast.Call)
def builtin(e: Emitter, node: ast.Builtin | ast.Call, into: Place | None) -> Value:
    if isinstance(node.builtin, CFunction):
        assert isinstance(node, ast.Call)
        return c_modules.call(e, node)
    return BUILTINS[node.builtin.name](e, node, into)


# -------------------------------------------------------------------------------------------------------- variables


def is_reference(type_: Type) -> bool:
    """Whether a variable of this type holds the address of a value that stays in kernel or user memory."""
    return isinstance(type_, lattice.Struct | lattice.Array) and type_.space is not AddressSpace.NONE


def variable_storage(e: Emitter, symbol: VariableSymbol) -> Place:
    """The memory of a variable, the same throughout the program."""
    storage = e.variables.get(symbol)
    if storage is None:
        size = 8 if is_scalar(symbol.type) or is_reference(symbol.type) else symbol.type.size
        storage = e.variables[symbol] = e.variable_memory(size, symbol.span)
    return storage


@expression(ast.Variable)
def variable(e: Emitter, node: ast.Variable, into: Place | None) -> Value:
    symbol: VariableSymbol = node.symbol
    storage = variable_storage(e, symbol)
    if is_reference(symbol.type):
        return Place(e.f.load(storage.address, 8, signed=False), memory.space_of(symbol.type))
    return memory.load(e, storage, symbol.type, node.span)


def assign_variable(e: Emitter, symbol: VariableSymbol, value: ast.Expression) -> None:
    storage = variable_storage(e, symbol)
    if is_reference(symbol.type):
        place = e.place(value)
        address = memory.address(e, place, value.span)
        e.f.store(e.f.to_integer(address) if place.in_bpf_memory else address, storage.address, 8)
        return
    # Not evaluated into the variable: it may be read in the value (`$x = (1, $x.0)`).
    result = e.value(value)
    if isinstance(result, Place) and result.address == storage.address:
        return
    if isinstance(symbol.type, lattice.Bool) and not isinstance(result, Place) and _has_many_bools(e):
        result = _forgotten(e, result, value.span)
    memory.store_value(e, result, symbol.type, storage, value.span)


def _forgotten(e: Emitter, value: Operand, span: Span) -> Operand:
    """The same 0 or 1, of which the verifier does not know the value.

    A comparison is a branch, behind which the verifier knows what came out. A program that keeps it, to test it later,
    has two ways to go for each such variable, and the verifier follows all combinations. What is in working memory
    it does not know.
    """
    slot = e.working_memory(1, span).address
    e.f.emit(f"store volatile i8 {e.f.value(f'trunc i64 {value} to i8')}, ptr {slot}, align 1")
    return e.f.value(f"zext i8 {e.f.value(f'load volatile i8, ptr {slot}, align 1')} to i64")


def _has_many_bools(e: Emitter) -> bool:
    """Whether so many comparisons are kept in variables that the verifier would take long to follow."""
    if e.has_many_bools is None:
        kept = 0
        for node in e.bpf.probe.walk():
            match node:
                case ast.Assign(ast.Variable() as variable) | ast.VariableDeclaration(variable):
                    kept += isinstance(variable.symbol.type, lattice.Bool)
        e.has_many_bools = kept > _FEW_BOOLS
    return e.has_many_bools


@expression(ast.AddressOf)
def address_of(e: Emitter, node: ast.AddressOf, into: Place | None) -> Operand:
    if isinstance(node.target, ast.Map):
        return e.f.to_integer(e.f.module.symbol(e.resources.map_symbol(node.target.symbol.name)))
    return e.f.to_integer(variable_storage(e, node.target.symbol).address)


# ----------------------------------------------------------------------------------------------------------- tuples


@expression(ast.Tuple)
def tuple_(e: Emitter, node: ast.Tuple, into: Place | None) -> Place:
    return _compose(e, node, node.elements, node.type.layout, into)


@expression(ast.Record)
def record(e: Emitter, node: ast.Record, into: Place | None) -> Place:
    by_name = {field.name: field.value for field in node.fields}
    if isinstance(node.type, lattice.Struct):  # `args`
        members = node.type.fields
        layout = lattice.TupleLayout(node.type.size, 1, tuple(member.byte_offset for member in members))
        return _compose(e, node, [by_name[member.name] for member in members], layout, into)
    return _compose(e, node, [by_name[name] for name, _ in node.type.fields], node.type.layout, into)


def _compose(
    e: Emitter, node: ast.Expression, elements: list[ast.Expression], layout: lattice.TupleLayout, into: Place | None
) -> Place:
    target = into or e.temporary(layout.size, node.span)
    end = 0
    for element, offset in zip(elements, layout.offsets, strict=True):
        memory.clear(e, e.at(target, end), offset - end, node.span)
        memory.store(e, element, e.at(target, offset))
        end = offset + element.type.size
    memory.clear(e, e.at(target, end), layout.size - end, node.span)
    return target


@expression(ast.TupleAccess)
def tuple_access(e: Emitter, node: ast.TupleAccess, into: Place | None) -> Value:
    target = e.place(node.target)
    return memory.load(e, e.at(target, node.target.type.layout.offsets[node.index]), node.type, node.span)


# ------------------------------------------------------------------------------------------------------- conditions


@expression(ast.If)
def condition(e: Emitter, node: ast.If, into: Place | None) -> Value:
    f = e.f
    then, otherwise, done = f.label("then"), f.label("else"), f.label("endif")
    test = e.truth(node.condition)
    is_none = isinstance(node.type, lattice.None_ | lattice.Void)
    # Before the branch: both arms write there.
    in_memory = not (is_none or is_scalar(node.type) or is_reference(node.type))
    target = into or e.temporary(node.type.size, node.span) if in_memory else None
    f.branch_if(test, then, otherwise if node.orelse is not None else done)
    arms: list[tuple[Operand, str]] = []
    address_space = AddressSpace.NONE
    for label, arm in ((then, node.then), (otherwise, node.orelse)):
        if arm is None:
            continue
        f.enter(label)
        if target is not None:
            memory.store(e, arm, target)
        elif is_none:
            with e.temporaries():
                e.value(arm)
        elif is_scalar(node.type):
            value = e.scalar(arm)
            arms.append((value, f.current))
        else:  # a reference
            place = e.place(arm)
            address_space = place.space
            arms.append((memory.address(e, place, arm.span), f.current))
        f.branch(done)
    f.enter(done)
    if target is not None:
        return target
    if not arms:
        return "0"
    if is_reference(node.type):
        return Place(f.phi(arms, PTR if address_space is AddressSpace.NONE else "i64"), address_space)
    return f.phi(arms)


@expression(ast.Block)
def block(e: Emitter, node: ast.Block, into: Place | None) -> Value:
    e.block(node)
    return "0" if node.result is None else e.value(node.result, into)
