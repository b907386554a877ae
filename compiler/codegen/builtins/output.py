"""What is printed; the end of the tracer, and of watchpoints."""

from __future__ import annotations

from compiler.analysis.iterators import is_iterator
from compiler.analysis.program import JoinAction, PrintMapAction
from compiler.codegen import events, memory
from compiler.codegen.builtins import iterator
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import builtin
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.types import lattice


@builtin("printf", "errorf", "warnf", "exit", "unwatch", "system", "cat")
def send(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    if node.name == "printf" and is_iterator(e.bpf):
        return iterator.print_formatted(e, node)
    events.emit(e, node)
    return "0"


@builtin("print")
def print_(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    index = e.program.action_of[node]
    action = e.program.actions[index]
    if not isinstance(action, PrintMapAction):
        events.emit(e, node)
        return "0"
    event = events.begin(e, index, action.size, node.span)
    limits = [e.scalar(argument) for argument in node.arguments[1:]]
    for offset, limit in zip((8, 12), [*limits, "0", "0"], strict=False):
        e.f.store(limit, e.at(event, offset).address, 4, alignment=4)
    events.send(e, event, str(action.size))
    return "0"


@builtin("join")
def join(e: Emitter, node: ast.Call, into: Place | None) -> Operand:
    """Reads the pointers of an array one by one, and the string behind each; a null pointer reads as an empty one."""
    index = e.program.action_of[node]
    action = e.program.actions[index]
    assert isinstance(action, JoinAction)
    argument = node.arguments[0]
    space = memory.space_of(argument.type)
    event = events.begin(e, index, action.size, node.span)
    array = e.scalar(argument)
    pointer = e.stack_memory(8)
    for position in range(action.count):
        entry = Place(e.f.binary("add", array, str(8 * position)), space)
        memory.read(e, entry, pointer, lattice.POINTER_SIZE, node.span)
        text = e.at(event, 8 + position * action.length)
        e.f.store("0", text.address, 1)
        memory.read_text(e, e.f.load(pointer.address, 8, signed=False), space, text, str(action.length), node.span)
    events.send(e, event, str(action.size))
    return "0"
