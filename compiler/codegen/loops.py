"""Loops: plain ones where the verifier can follow them, else callbacks that the kernel calls for each round.

A callback is a function of its own. It reaches the variables that it shares with the code around it, and the program's
context, through a block of pointers on that code's stack, whose address is the callback's last argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from compiler.analysis.program import MapSymbol, VariableSymbol, plain_iterations
from compiler.codegen import errors, maps, memory
from compiler.codegen.builtins import stacks
from compiler.codegen.emitter import Emitter, Loop, i64, ptr
from compiler.codegen.expressions import variable_storage
from compiler.codegen.ir import I64, PTR, Function, Operand
from compiler.codegen.lowering import builtin, statement
from compiler.codegen.values import Place, scalar_bits
from compiler.object.sections import FUNCTION_PREFIX
from compiler.syntax import ast
from compiler.types import lattice
from compiler.types.lattice import Type

_NEXT_ROUND, _LEAVE = "0", "1"
"""What a callback returns."""


@statement(ast.While)
def while_(e: Emitter, node: ast.While) -> None:
    f = e.f
    head, body, done = f.label("while"), f.label("round"), f.label("while.done")
    f.enter(head)
    with e.temporaries():
        condition = e.truth(node.condition)
    f.branch_if(condition, body, done)
    f.enter(body)
    _body(e, node.body, Loop(head, done))
    f.loop_back(head)
    f.enter(done)


@statement(ast.Break)
def break_(e: Emitter, node: ast.Break) -> None:
    e.f.branch(e.loops[-1].done)


@statement(ast.Continue)
def continue_(e: Emitter, node: ast.Continue) -> None:
    e.f.branch(e.loops[-1].next)


@statement(ast.For)
def for_(e: Emitter, node: ast.For) -> None:
    match node.iterable:
        case ast.Map(symbol=symbol):
            _for_entries(e, node, symbol)
        case ast.Range() as range_ if plain_iterations(range_) is not None:
            _plain_for(e, node, range_)
        case ast.Range() as range_:
            _for_numbers(e, node, range_)


def _body(e: Emitter, body: ast.Block, loop: Loop) -> None:
    e.loops.append(loop)
    with e.temporaries():
        e.block(body)
    e.loops.pop()


def _plain_for(e: Emitter, node: ast.For, range_: ast.Range) -> None:
    """The number of rounds is known: the counter is not the variable, which the body may change."""
    f = e.f
    type_ = node.variable.symbol.type
    counter, end = e.stack_memory(8), e.scalar(range_.end)
    f.store(e.scalar(range_.start), counter.address, 8)
    head, body, following, done = (f.label(hint) for hint in ("for", "round", "next", "for.done"))
    f.enter(head)
    value = f.load(counter.address, 8, signed=False)
    f.branch_if(f.compare("slt" if type_.is_signed else "ult", value, end), body, done)
    f.enter(body)
    _set_number(e, node.variable.symbol, value)
    _body(e, node.body, Loop(following, done))
    f.enter(following)
    f.store(f.binary("add", f.load(counter.address, 8, signed=False), "1"), counter.address, 8)
    f.loop_back(head)
    f.enter(done)


def _set_number(e: Emitter, symbol: VariableSymbol, value: Operand) -> None:
    e.f.store(value, variable_storage(e, symbol).address, scalar_bits(symbol.type) // 8)


# --------------------------------------------------------------------------------------------------------- callbacks


def _for_numbers(e: Emitter, node: ast.For, range_: ast.Range) -> None:
    f = e.f
    type_ = node.variable.symbol.type
    start, end = e.scalar(range_.start), e.scalar(range_.end)
    some = f.compare("slt" if type_.is_signed else "ult", start, end)
    # The kernel refuses more than 2^23 rounds, and counts them in 32 bits.
    count = f.minimum(f.select(some, f.binary("sub", end, start), "0"), str(2**32 - 1))
    shared = _shared(e, node)
    size = 8 * (len(shared) + 1)
    context = e.stack_memory(size + 8)
    f.store(start, e.at(context, size).address, 8)
    name = callback_name(e)
    with callback(e, name, [(I64, "%index"), (PTR, "%shared")], shared, context) as inner:
        _hand_on_context(e, inner, context, 8 * len(shared))
        first = inner.f.load(inner.f.offset("%shared", size), 8, signed=False)
        index = inner.f.binary("and", "%index", str(2**32 - 1))
        _set_number(inner, node.variable.symbol, inner.f.binary("add", first, index))
        inner.block(node.body)
    result = e.helper("loop", i64(count), (PTR, f'@"{name}"'), ptr(context.address), i64("0"))
    errors.check_helper(e, "loop", result, node.span)


def _for_entries(e: Emitter, node: ast.For, symbol: MapSymbol) -> None:
    shared = _shared(e, node)
    context = e.stack_memory(8 * (len(shared) + 1))
    name = callback_name(e)
    parameters = [(PTR, "%map"), (PTR, "%key"), (PTR, "%value"), (PTR, "%shared")]
    with callback(e, name, parameters, shared, context) as inner:
        _hand_on_context(e, inner, context, 8 * len(shared))
        _set_entry(inner, node, symbol)
        inner.block(node.body)
    arguments = maps.handle(e, symbol), (PTR, f'@"{name}"'), ptr(context.address), i64("0")
    result = e.helper("for_each_map_elem", *arguments)
    errors.check_helper(e, "for_each_map_elem", result, node.span)


@builtin("len")
def len_(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """The helper returns how many entries it has gone through."""
    map_ = node.arguments[0]
    if not isinstance(map_, ast.Map):
        return stacks.length(e, map_)
    name = callback_name(e)
    parameters = [(PTR, "%map"), (PTR, "%key"), (PTR, "%value"), (PTR, "%shared")]
    Function(e.f.module, name, FUNCTION_PREFIX + name, parameters, "internal").ret(_NEXT_ROUND)
    context = e.stack_memory(8)
    e.f.store("0", context.address, 8)
    arguments = maps.handle(e, map_.symbol), (PTR, f'@"{name}"'), ptr(context.address), i64("0")
    return e.helper("for_each_map_elem", *arguments)


def _set_entry(e: Emitter, node: ast.For, symbol: MapSymbol) -> None:
    """Makes the tuple of key and value that the loop's variable is."""
    variable: VariableSymbol = node.variable.symbol
    assert isinstance(variable.type, lattice.Tuple)
    storage = variable_storage(e, variable)
    key_type, value_type = variable.type.elements
    memory.clear(e, storage, variable.type.size, node.span)
    key_offset, value_offset = variable.type.layout.offsets
    _copy(e, "%key", key_type, e.at(storage, key_offset), node)
    target = e.at(storage, value_offset)
    if symbol.value_type.is_map_value:
        value = maps.aggregate_at(e, symbol, "%key")
        e.f.store(value, target.address, value_type.size, alignment=target.alignment)
    else:
        _copy(e, "%value", value_type, target, node)


def _copy(e: Emitter, source: Operand, type_: Type, target: Place, node: ast.For) -> None:
    memory.copy(e, Place(source), target, type_.size, node.span)


def _hand_on_context(e: Emitter, inner: Emitter, block: Place, offset: int) -> None:
    """Puts the program's context into the block of pointers, where the rounds find it."""
    e.f.store(e.f.to_integer(e.context), e.at(block, offset).address, 8)
    address = inner.f.at_start(f"load ptr, ptr {inner.f.offset_at_start('%shared', offset)}, align 8")
    inner.context = inner.f.at_start(f"call ptr @llvm.preserve.static.offset(ptr {address})")


def callback_name(e: Emitter) -> str:
    return f"{e.bpf.name}_loop{len(e.f.module.functions)}"


def _shared(e: Emitter, node: ast.For) -> list[VariableSymbol]:
    """The variables of the loop that are used outside of it too."""
    inside = {item for item in node.body.walk() if isinstance(item, ast.Variable)}
    ours = {item.symbol for item in inside}
    elsewhere = (
        item.symbol
        for item in e.bpf.probe.walk()
        if isinstance(item, ast.Variable) and item not in inside and item is not node.variable
    )
    return [symbol for symbol in dict.fromkeys(elsewhere) if symbol in ours]


@contextmanager
def callback(
    e: Emitter,
    name: str,
    parameters: Sequence[tuple[str, str]],
    shared: Sequence[VariableSymbol],
    context: Place,
) -> Iterator[Emitter]:
    """Begins the function `name`, whose code goes into the emitter that this yields.

    There, `loops[-1]` has the labels of the next round and of the end.
    """
    f = Function(e.f.module, name, FUNCTION_PREFIX + name, parameters, "internal")
    places: dict[VariableSymbol, Place] = {}
    for index, symbol in enumerate(shared):
        outside = variable_storage(e, symbol)
        e.f.emit(f"store ptr {outside.address}, ptr {e.at(context, 8 * index).address}, align 8")
        slot = f.offset_at_start("%shared", 8 * index)
        places[symbol] = replace(outside, address=f.at_start(f"load ptr, ptr {slot}, align 8"))
    following, done = f.label("next"), f.label("leave")
    inner = replace(
        e, f=f, return_value=_LEAVE, variables=places, loops=[Loop(following, done)], _temporaries=[[]],
        _scratch_bases={},
    )  # fmt: skip
    with inner.temporaries():
        yield inner
    f.enter(following)
    f.ret(_NEXT_ROUND)
    f.enter(done)
    f.ret(_LEAVE)
