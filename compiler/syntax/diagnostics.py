"""What the compiler tells its user: errors and warnings with a place, hints and related places.

The text form is that of upstream bpftrace:

    opensnoop.bt:3:5-9: ERROR: message
        the source line
        ~~~~
    HINT: what to do
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from compiler.syntax.source import Span


class Severity(Enum):
    ERROR = "ERROR"
    WARNING = "WARNING"


_COLORS = {Severity.ERROR: "\033[31m", Severity.WARNING: "\033[33m"}
_COLOR_RESET = "\033[0m"


@dataclass(frozen=True, slots=True)
class Note:
    """A further message at a related place; shown with its diagnostic's severity."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is stable and made for tests and tools (`syntax-expected`, `type-mismatch`); `message` is for humans.
    `span` is None only for what has no place in any source, such as a bad command line.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    hints: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    def render(self, *, color: bool = False) -> str:
        """The text for a terminal or a build log, newline-terminated."""
        lines: list[str] = []

        def emit(message: str, span: Span | None) -> None:
            place = "" if span is None else f"{span}: "
            line = f"{place}{self.severity.value}: {message}"
            lines.append(f"{_COLORS[self.severity]}{line}{_COLOR_RESET}" if color else line)
            if span is not None:
                lines.extend(span.context())

        emit(self.message, self.span)
        for note in self.notes:
            emit(note.message, note.span)
        lines.extend(f"HINT: {hint}" for hint in self.hints)
        outer = None if self.span is None else self.span.expanded_from
        while outer is not None:
            emit("expanded from", outer)
            outer = outer.expanded_from
        return "\n".join(lines) + "\n"


class DiagnosticError(Exception):
    """Carries one diagnostic out of code that cannot go on; whoever catches it adds it to the sink."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class DiagnosticSink:
    """Collects the diagnostics of a compilation; the same finding at the same place is kept once."""

    def __init__(self) -> None:
        self._diagnostics: dict[tuple[Severity, str, Span | None], Diagnostic] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        self._diagnostics.setdefault((diagnostic.severity, diagnostic.message, diagnostic.span), diagnostic)

    def error(
        self, code: str, message: str, span: Span | None, *, hints: Sequence[str] = (), notes: Sequence[Note] = ()
    ) -> None:
        self.add(Diagnostic(code, Severity.ERROR, message, span, tuple(hints), tuple(notes)))

    def warning(
        self, code: str, message: str, span: Span | None, *, hints: Sequence[str] = (), notes: Sequence[Note] = ()
    ) -> None:
        self.add(Diagnostic(code, Severity.WARNING, message, span, tuple(hints), tuple(notes)))

    @property
    def has_errors(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self._diagnostics.values())

    def __len__(self) -> int:
        return len(self._diagnostics)

    def __iter__(self) -> Iterator[Diagnostic]:
        """Errors first, then warnings; each by file (in order of first mention), place and order of report."""
        sources: dict[int, int] = {}

        def place(diagnostic: Diagnostic) -> tuple[bool, int, int, int]:
            warning = diagnostic.severity is Severity.WARNING
            if diagnostic.span is None:
                return warning, -1, 0, 0
            source = sources.setdefault(id(diagnostic.span.source), len(sources))
            return warning, source, diagnostic.span.start, diagnostic.span.end

        return iter(sorted(self._diagnostics.values(), key=place))

    def render(self, *, color: bool = False) -> str:
        return "".join(diagnostic.render(color=color) for diagnostic in self)
