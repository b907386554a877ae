"""Errors at run time: events that make the tracer print a warning with a place in the script."""

from __future__ import annotations

from compiler.analysis.program import Action, RuntimeErrorAction, RuntimeErrorKind
from compiler.codegen import cold
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.syntax import ast
from compiler.syntax.source import Span

# A failed read yields zero, which the script can see for itself: reported only if asked for.
_QUIET = frozenset(
    {
        "probe_read",
        "probe_read_str",
        "probe_read_kernel",
        "probe_read_kernel_str",
        "probe_read_user",
        "probe_read_user_str",
        "map_lookup_elem",
    }
)


def report(e: Emitter, node: ast.Expression) -> None:
    """Reports the run-time error that analysis foresaw at `node`."""
    _send(e, e.program.action_of[node], "0")


def report_kind(e: Emitter, kind: RuntimeErrorKind, span: Span) -> None:
    """Reports a run-time error that only code generation knows of."""
    send(e, RuntimeErrorAction(span, (), 16, kind), "0")


def send(e: Emitter, action: Action, number: Operand) -> None:
    """Sends the event of an action that code generation adds: one with a number at 8, in the lower 32 bits."""
    index = len(e.program.actions)
    e.program.actions.append(action)
    _send(e, index, number)


def check_helper(e: Emitter, helper: str, result: Operand, span: Span) -> None:
    """Reports a negative result of a helper."""
    if e.helper_errors == 0 or (e.helper_errors == 1 and helper in _QUIET):
        return
    # Helpers that return an int leave the upper half of the register to chance.
    status = e.f.value(f"trunc i64 {result} to i32")
    with e.when(e.f.compare("slt", status, "0", "i32"), "helper.failed"):
        send(e, RuntimeErrorAction(span, (), 16, RuntimeErrorKind.HELPER, helper), result)


def _send(e: Emitter, action: int, result: Operand) -> None:
    cold.report_error(e.f, e.resources.ring_buffer, e.resources.event_loss, action, result)
