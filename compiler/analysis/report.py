"""Collects the diagnostics of a pass that looks at every node more than once."""

from __future__ import annotations

from compiler.syntax.diagnostics import Diagnostic, DiagnosticSink, Severity
from compiler.syntax.source import Span


class Report(DiagnosticSink):
    """Of each kind of error there is one at a place, the first: later sweeps know larger types and would word it
    differently. Warnings count only if the last sweep still has them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._errors: set[tuple[str, Span | None]] = set()

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity is Severity.ERROR:
            place = diagnostic.code, diagnostic.span
            if place in self._errors:
                return
            self._errors.add(place)
        super().add(diagnostic)

    def forget_warnings(self) -> None:
        self._diagnostics = {
            key: diagnostic for key, diagnostic in self._diagnostics.items() if diagnostic.severity is Severity.ERROR
        }

    def flush(self, sink: DiagnosticSink) -> None:
        for diagnostic in self:
            sink.add(diagnostic)
