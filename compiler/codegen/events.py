"""Events: what a program sends to the tracer through the ring buffer. Layouts are decided by resource analysis."""

from __future__ import annotations

from dataclasses import replace

from compiler.analysis.program import Action
from compiler.codegen import cold, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import Operand
from compiler.codegen.values import Place
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice

# Events up to this size are built on the stack: no other memory is as cheap.
LARGEST_ON_STACK = 64


def begin(e: Emitter, action: int, size: int, span: Span) -> Place:
    """Memory for an event, its header filled in."""
    event = e.temporary(size, span, LARGEST_ON_STACK)
    e.f.store(str(action), event.address, 8)
    return event


def send(e: Emitter, event: Place, size: Operand) -> None:
    """Sends an event; one that the buffer has no room for is counted as lost."""
    result = e.helper("ringbuf_output", e.map(e.resources.ring_buffer), ptr(event.address), i64(size), i64("0"))
    with e.when(e.f.compare("slt", result, "0"), "event.lost"):
        cold.count_lost_event(e.f, e.resources.event_loss)


def emit(e: Emitter, node: ast.Expression) -> None:
    """Evaluates the fields of a call's action into an event and sends it."""
    index = e.program.action_of[node]
    action = e.program.actions[index]
    event = begin(e, index, action.size, node.span)
    if action.size <= LARGEST_ON_STACK:
        _clear_gaps(e, event, action)
    size = str(action.size)
    last = max((field.offset for field in action.fields), default=0)
    for field in action.fields:
        place = e.at(event, field.offset)
        if isinstance(field.type, lattice.String):
            place = replace(place, text_only=True)
        value = e.value(field.expression, place)
        memory.store_value(e, value, field.type, place, field.expression.span)
        if field.offset == last and isinstance(value, Place) and value.used and value.address == place.address:
            # The rest of the string need not be sent: what the tracer does not get reads as zeros.
            size = e.f.binary("add", value.used, str(field.offset))
    send(e, event, size)


def _clear_gaps(e: Emitter, event: Place, action: Action) -> None:
    """The verifier refuses to send stack memory that was never written."""
    end = 8
    for field in sorted(action.fields, key=lambda field: field.offset):
        if field.offset > end:
            e.f.zero(e.at(event, end).address, field.offset - end, event.aligned_at(end))
        end = field.offset + field.type.size
    if action.size > end:
        e.f.zero(e.at(event, end).address, action.size - end, event.aligned_at(end))
