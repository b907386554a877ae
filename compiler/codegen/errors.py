"""Errors at run time: events that make the tracer print a warning with a place in the script."""

from __future__ import annotations

from compiler.analysis.program import EVENT_HEADER_SIZE, RuntimeErrorAction, RuntimeErrorKind
from compiler.codegen import events
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.syntax import ast
from compiler.syntax.source import Span

# A failed read yields zero, which the script can see for itself: reported only if asked for.
_QUIET = frozenset(
    {"probe_read_kernel", "probe_read_user", "probe_read_kernel_str", "probe_read_user_str", "map_lookup_elem"}
)


def report(e: Emitter, node: ast.Expression) -> None:
    """Reports the run-time error that analysis foresaw at `node`."""
    index = e.program.action_of[node]
    action = e.program.actions[index]
    assert isinstance(action, RuntimeErrorAction)
    with e.temporaries():
        event = events.begin(e, index, action.size, action.span)
        if action.size > EVENT_HEADER_SIZE:
            e.f.zero(e.at(event, EVENT_HEADER_SIZE).address, action.size - EVENT_HEADER_SIZE)
        events.send(e, event, str(action.size))


def check_helper(e: Emitter, helper: str, result: Operand, span: Span) -> None:
    """Reports a negative result of a helper."""
    if e.helper_errors == 0 or (e.helper_errors == 1 and helper in _QUIET):
        return
    # Helpers that return an int leave the upper half of the register to chance.
    result = e.f.narrow(result, 32, signed=True)
    size = EVENT_HEADER_SIZE + 8
    with e.when(e.f.compare("slt", result, "0"), "helper.failed"), e.temporaries():
        index = len(e.program.actions)
        e.program.actions.append(RuntimeErrorAction(span, (), size, RuntimeErrorKind.HELPER, helper))
        event = events.begin(e, index, size, span)
        e.f.store(result, e.at(event, EVENT_HEADER_SIZE).address, 8)
        events.send(e, event, str(size))
