"""Pass: scratch variables.

Before: desugared bodies. After: every Variable has a symbol, shared by all accesses to the same declaration. Reported:
variables that are undefined, declared twice, never assigned or used before they are assigned.

A variable belongs to the block that declares it with `let`, or else to the block of its first assignment; blocks inside
see it. Shadowing is not allowed, so a name never means two things at one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from compiler.analysis.program import BpfProgram, VariableSymbol
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import Span
from compiler.types.lattice import NONE


@dataclass(slots=True)
class _Entry:
    symbol: VariableSymbol
    origin: str
    """How the variable came to be, for the note of a message."""
    assigned: bool


@dataclass(slots=True)
class _Scope:
    number: int
    entries: dict[str, _Entry] = field(default_factory=dict)


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    pass_ = _Scopes(sink)
    for program in programs:
        pass_.probe(program.probe)


class _Scopes:
    def __init__(self, sink: DiagnosticSink) -> None:
        self.sink = sink
        self.scopes: list[_Scope] = []
        self.count = 0
        self.ended: set[str] = set()
        """Variables of this probe whose block is over."""
        self.introspection = 0
        """How many sizeof, offsetof, typeof and typeinfo we are in: they read the type, not the value."""

    def probe(self, probe: ast.Probe) -> None:
        self.ended.clear()
        self.push()
        if probe.predicate:
            self.visit(probe.predicate)
        self.visit(probe.body)
        self.pop()

    def push(self) -> None:
        self.scopes.append(_Scope(self.count))
        self.count += 1

    def pop(self) -> None:
        for name, entry in self.scopes.pop().entries.items():
            self.ended.add(name)
            if not entry.assigned:
                self.sink.warning("variable-unassigned", f"Variable {name} was never assigned to.", entry.symbol.span)

    def find(self, name: str) -> _Entry | None:
        return next((scope.entries[name] for scope in self.scopes if name in scope.entries), None)

    def undefined_hints(self, name: str) -> list[str]:
        if name in self.ended:
            return [f"{name} ended with its block. One that is to last longer has its first place before that block."]
        visible = [other[1:] for scope in self.scopes for other in scope.entries]
        return [f"Did you mean ${other}?" for other in get_close_matches(name[1:], visible, 1)]

    def define(self, variable: ast.Variable, origin: str, span: Span, *, assigned: bool) -> _Entry:
        scope = self.scopes[-1]
        entry = _Entry(VariableSymbol(variable.name, NONE, span, scope.number), origin, assigned)
        scope.entries[variable.name] = entry
        variable.symbol = entry.symbol
        return entry

    def visit(self, node: ast.Node) -> None:
        match node:
            case ast.Block():
                self.push()
                self.children(node)
                self.pop()
            case ast.VariableDeclaration():
                self.declaration(node)
            case ast.Assign(ast.Variable() as variable, _, value):
                self.visit(value)
                self.assign(variable, node.span)
            case ast.For(variable, iterable, body):
                self.loop(variable, iterable, body)
            case ast.AddressOf(ast.Variable() as variable):
                # What the address is handed to may well assign to it.
                if entry := self.read(variable, assigns=True):
                    entry.assigned = True
            case ast.Variable():
                self.read(node)
            case ast.SizeOf() | ast.OffsetOf() | ast.TypeOf() | ast.TypeInfo():
                self.introspection += 1
                self.children(node)
                self.introspection -= 1
            case _:
                self.children(node)

    def children(self, node: ast.Node) -> None:
        for child in node.children():
            self.visit(child)

    def declaration(self, node: ast.VariableDeclaration) -> None:
        if node.value:
            self.visit(node.value)
        if node.declared:
            self.visit(node.declared)
        name = node.variable.name
        if (previous := self.find(name)) is not None:
            message = f"Variable {name} was already declared. Variable shadowing is not allowed."
            self.already("variable-redeclared", message, node.declaration_span, previous)
            node.variable.symbol = previous.symbol
            return
        self.define(
            node.variable, "This is the initial declaration.", node.declaration_span, assigned=node.value is not None
        )

    def assign(self, variable: ast.Variable, span: Span) -> None:
        entry = self.find(variable.name)
        if entry is None:
            self.define(variable, "This is the initial assignment.", span, assigned=True)
        else:
            entry.assigned = True
            variable.symbol = entry.symbol

    def loop(self, variable: ast.Variable, iterable: ast.Node, body: ast.Block) -> None:
        if (previous := self.find(variable.name)) is not None:
            message = f"Loop declaration shadows existing variable: {variable.name}"
            self.already("variable-redeclared", message, variable.span, previous)
        self.visit(iterable)
        self.push()
        self.define(variable, "This is the loop variable.", variable.span, assigned=True)
        self.visit(body)
        self.pop()

    def already(self, code: str, message: str, span: Span, previous: _Entry) -> None:
        self.sink.error(code, message, span, notes=[Note(previous.origin, previous.symbol.span)])

    def read(self, variable: ast.Variable, *, assigns: bool = False) -> _Entry | None:
        entry = self.find(variable.name)
        if entry is None:
            message = f"Undefined or undeclared variable: {variable.name}"
            self.sink.error("variable-undefined", message, variable.span, hints=self.undefined_hints(variable.name))
            return None
        variable.symbol = entry.symbol
        if not entry.assigned and not assigns and not self.introspection:
            message = f"Variable used before it was assigned: {variable.name}"
            self.sink.warning("variable-unassigned", message, variable.span)
        return entry
