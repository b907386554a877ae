"""Pass: macros of the language (not of C).

Before: a parsed program, imports merged in. After: it has no macro and no call of one. Such a call, or the bare name of
a macro without parameters, is a Block instead: the macro's body, whose spans say where it was expanded.

What a parameter takes depends on how it is written: `$x` a scratch variable, `@x` a map, both of which the body may
change, and `x` any expression or type, which is put in wherever the body names it. Among macros of one name a call
takes the first that its arguments fit; the script's own come before the library's (compiler.stdlib), whose bodies see
library macros alone. Variables of the body get names that the script cannot write; a map must be a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler import builtins, stdlib
from compiler.analysis.growth import Growth, TooLarge
from compiler.analysis.type_names import spelling
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import Span

_MAX_DEPTH = 100
_KINDS = {ast.Map: "map", ast.Variable: "variable"}


def run(program: ast.Program, sink: DiagnosticSink) -> None:
    expander = _Expander(_by_name(program.macros, sink), sink)
    program.macros = []
    try:
        expander.children(program, None)
        for probe in program.probes:
            expander.growth.add(probe, probe.span)
    except TooLarge as error:
        sink.error("macro-size", str(error), error.span)
        return
    for node in program.walk():
        if isinstance(node, ast.TypeArgument):
            message = (
                "When used as a call argument, `typeof` builtin only valid for macro calls that are expecting a type "
                "parameter"
            )
            sink.error("type-argument", message, node.span)


# ------------------------------------------------------------------------------------------------------- definitions


def _by_name(macros: Sequence[ast.Macro], sink: DiagnosticSink) -> dict[str, list[ast.Macro]]:
    """The macros that are defined rightly, those of one name in the order of their definition."""
    found: dict[str, list[ast.Macro]] = {}
    for macro in macros:
        others = found.setdefault(macro.name, [])
        original = next((other for other in others if _distance(other, macro.parameters) == 0), None)
        if original is not None:
            note = Note("This is the original definition.", original.span)
            sink.error("macro-redefined", f"Redefinition of macro: {macro.name}", macro.span, notes=[note])
        elif _check_parameters(macro, sink):
            others.append(macro)
    return found


def _check_parameters(macro: ast.Macro, sink: DiagnosticSink) -> bool:
    seen: set[str] = set()  # Sigils keep the three kinds apart.
    for parameter in macro.parameters:
        if parameter.name in seen:
            kind = _KINDS.get(type(parameter), "ident").capitalize()
            message = f"{kind} for macro argument has already been used: {parameter.name}"
            sink.error("macro-parameter", message, parameter.span)
            return False
        seen.add(parameter.name)
    return True


def _distance(macro: ast.Macro, arguments: Sequence[ast.Expression]) -> int:
    """How badly the arguments fit: 0 is a fit, and a wrong number of them is worse than any wrong kind."""
    missing = abs(len(macro.parameters) - len(arguments))
    return 1024 * missing + sum(not _fits(*pair) for pair in zip(macro.parameters, arguments, strict=False))


def _fits(parameter: ast.Expression, argument: ast.Expression) -> bool:
    return isinstance(parameter, ast.Identifier) or type(parameter) is type(argument)


# --------------------------------------------------------------------------------------------------------- expansion


@dataclass(slots=True)
class _Expansion:
    """One use of a macro, while its body is being rewritten."""

    macro: ast.Macro
    in_library: bool
    outer: _Expansion | None
    prefix: str
    variables: dict[str, str] = field(default_factory=dict)
    """New names of variables: parameters', and those of the body's own."""
    maps: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, ast.Expression] = field(default_factory=dict)

    @property
    def chain(self) -> list[ast.Macro]:
        """This macro and those that it is expanded in, outermost first."""
        return [*(self.outer.chain if self.outer else []), self.macro]

    def is_parameter(self, variable: str) -> bool:
        return any(isinstance(own, ast.Variable) and own.name == variable for own in self.macro.parameters)

    def declare(self, variable: str) -> None:
        self.variables.setdefault(variable, f"{self.prefix}_{variable}")


class _Expander:
    """Rewrites nodes in place, those of a macro's body (a copy) within an _Expansion."""

    def __init__(self, macros: dict[str, list[ast.Macro]], sink: DiagnosticSink) -> None:
        self.macros = macros
        self.sink = sink
        self.uses: dict[str, int] = {}
        self.growth = Growth("macros")

    def children(self, node: ast.Node, within: _Expansion | None) -> None:
        ast.replace_children(node, lambda child: self.visit(child, within))

    def visit(self, node: ast.Node, within: _Expansion | None) -> ast.Node:
        match node:
            case ast.Identifier(name):
                if within and name in within.arguments:
                    return self.copy(within.arguments[name], node.span)
                return self.call(node, name, [], within)
            case ast.Call(name, arguments):
                self.children(node, within)
                return self.call(node, name, arguments, within)
            case ast.SizeOf() | ast.TypeInfo():
                node.operand = self.operand(node.operand, within)
            case ast.OffsetOf():
                node.operand = self.operand(node.operand, within)
                if within:
                    self.members(node, within)
            case ast.TypeExpression():
                return self.type(node, within)
            case ast.Variable(name) if within:
                node.name = within.variables.get(name, name)
            case ast.Map() if within:
                self.map(node, within)
            case _:
                if within:
                    self.declare(node, within)
                self.children(node, within)
        return node

    def declare(self, node: ast.Node, within: _Expansion) -> None:
        """Takes note of a variable that a statement of a macro's body makes."""
        match node:
            case ast.Assign(ast.Variable(name)) | ast.For(ast.Variable(name)):
                within.declare(name)
            case ast.VariableDeclaration(ast.Variable(name)):
                if within.is_parameter(name):
                    message = f"Variable declaration shadows macro arg {name}"
                    self.sink.error("macro-shadow", message, node.declaration_span)
                within.declare(name)

    def map(self, node: ast.Map, within: _Expansion) -> None:
        if node.name in within.maps:
            node.name = within.maps[node.name]
            return
        message = f"Unhygienic access to map: {node.name}. Maps must be passed into the macro as arguments."
        self.sink.error("macro-map", message, node.span)

    def copy(self, node: ast.Expression, at: Span) -> ast.Expression:
        copied = node.clone(at)
        self.growth.add(copied, at)
        return copied

    # --------------------------------------------------------------------------------------------------------- calls

    def call(
        self, node: ast.Expression, name: str, arguments: list[ast.Expression], within: _Expansion | None
    ) -> ast.Expression:
        """What stands in the place of a call: the expansion, or `node` itself if it is not one of a macro."""
        own = [] if within and within.in_library else self.macros.get(name, [])
        library = stdlib.macros(name)
        candidates = [*own, *library]
        macro = next((macro for macro in candidates if _distance(macro, arguments) == 0), None)
        if macro is None:
            if candidates and (library or name not in builtins.BUILTINS):
                self.no_match(node, min(candidates, key=lambda macro: _distance(macro, arguments)), arguments)
            return node
        chain = within.chain if within else []
        if macro in chain:
            names = " > ".join(caller.name for caller in [*chain[chain.index(macro) :], macro])
            self.sink.error("macro-recursion", f"Recursive macro call detected. Call chain: {names}", node.span)
            return node
        if len(chain) >= _MAX_DEPTH:
            raise TooLarge(f"macro calls nest too deeply, the limit is {_MAX_DEPTH}", node.span)
        expansion = _Expansion(macro, macro in library, within, self.prefix(name))
        for parameter, argument in zip(macro.parameters, arguments, strict=True):
            match parameter, argument:
                case ast.Variable(), ast.Variable():
                    expansion.variables[parameter.name] = argument.name
                case ast.Map(), ast.Map():
                    expansion.maps[parameter.name] = argument.name
                case _, ast.Variable() | ast.Map():
                    # As the value of a block the variable can only be read.
                    expansion.arguments[parameter.name] = ast.Block([], argument, span=node.span)
                case _:
                    expansion.arguments[parameter.name] = argument
        body = macro.body.clone(node.span)
        self.children(body, expansion)
        self.growth.add(body, node.span)
        return body

    def prefix(self, name: str) -> str:
        """What names of variables begin with, different for each use of a macro."""
        self.uses[name] = count = self.uses.get(name, 0) + 1
        return f"$${name}" if count == 1 else f"$${name}_{count}"

    def no_match(self, node: ast.Expression, closest: ast.Macro, arguments: Sequence[ast.Expression]) -> None:
        name, wanted, given = closest.name, len(closest.parameters), len(arguments)
        notes = []
        if wanted != given:
            message = (
                f"The closest definition of {name}() has a different number of arguments. "
                f"Expected: {wanted} but got {given}"
            )
            notes = [Note(message, closest.span)]
        message = f"Call to {name}() has arguments that do not match any definition."
        self.sink.error("macro-mismatch", message, node.span, notes=notes)
        if wanted != given:
            return
        for parameter, argument in zip(closest.parameters, arguments, strict=True):
            if not _fits(parameter, argument):
                message = (
                    f"Mismatched arg. {name}() expects a {_KINDS[type(parameter)]} for arg {parameter.name} "
                    f"but got {_described(argument)}."
                )
                note = Note("This is the argument in the closest definition.", parameter.span)
                self.sink.error("macro-mismatch", message, argument.span, notes=[note])

    # --------------------------------------------------------------------------------------------------------- types

    def operand(
        self, node: ast.Expression | ast.TypeExpression, within: _Expansion | None
    ) -> ast.Expression | ast.TypeExpression:
        """Where an expression or a type may stand: a bare name is a type's or a builtin's there, never a macro's."""
        match node:
            case ast.TypeExpression():
                return self.type(node, within)
            case ast.Identifier(name):
                argument = within.arguments.get(name) if within else None
                if argument is None and (name in self.macros or name not in builtins.BUILTINS):
                    return node
                if isinstance(argument, ast.TypeArgument):
                    return argument.of.operand.clone(node.span)
        visited = self.visit(node, within)
        assert isinstance(visited, ast.Expression)
        return visited

    def type(self, node: ast.TypeExpression, within: _Expansion | None) -> ast.TypeExpression:
        """A type in which the parameters of a macro are replaced."""
        if isinstance(node, ast.TypeOf):
            node.operand = self.operand(node.operand, within)
            return node
        if within is None:
            return node
        parent, leaf = None, node
        while isinstance(leaf, ast.PointerType | ast.ArrayType):
            parent, leaf = leaf, leaf.pointee if isinstance(leaf, ast.PointerType) else leaf.element
        if not isinstance(leaf, ast.NamedType | ast.RecordType) or leaf.name not in within.arguments:
            return node
        argument = within.arguments[leaf.name]
        replacement = _as_type(argument, leaf, alone=parent is None)
        if replacement is None:
            message = (
                f"Invalid replacement for macro '{within.macro.name}' type parameter '{leaf.name}' which makes up the "
                f"type '{spelling(node)}'"
            )
            self.sink.error("macro-type", message, argument.span)
            return node
        if parent is None:
            return replacement
        if isinstance(parent, ast.PointerType):
            parent.pointee = replacement
        else:
            parent.element = replacement
        return node

    def members(self, node: ast.OffsetOf, within: _Expansion) -> None:
        """`offsetof(type, member)` where `member` is a parameter: a name, or several with dots between."""
        argument = within.arguments.get(node.fields[0]) if len(node.fields) == 1 else None
        match argument:
            case ast.Identifier(name):
                node.fields = [name]
            case ast.FieldAccess():
                names = _dotted(argument)
                if names is None:
                    message = (
                        "FieldAccess expressions must be made up entirely of idents (e.g. a.b.c) to replace the second "
                        "argument in `offsetof`"
                    )
                    self.sink.error("macro-type", message, argument.span)
                else:
                    node.fields = names


def _described(argument: ast.Expression) -> str:
    kind = _KINDS.get(type(argument))
    return f"a {kind}" if kind else "an expression"


def _as_type(
    argument: ast.Expression, leaf: ast.NamedType | ast.RecordType, *, alone: bool
) -> ast.TypeExpression | None:
    """What takes the place of `leaf`, the parameter; `alone` if no `*` or `[]` follows it. None if nothing can."""
    at = leaf.span
    operand = argument.of.operand if isinstance(argument, ast.TypeArgument) else argument
    match leaf, operand:
        case ast.RecordType(kind), ast.Identifier(name) | ast.NamedType(name):
            return ast.RecordType(kind, name, span=at)
        case ast.NamedType(), ast.Identifier(name):
            return ast.NamedType(name, span=at)
        case ast.NamedType(), ast.TypeExpression():
            return operand.clone(at)
        case ast.NamedType(), _ if alone and isinstance(argument, ast.TypeArgument):
            return argument.of.clone(at)
        case _:
            return None


def _dotted(node: ast.Expression) -> list[str] | None:
    """The names of `a.b.c`; None if anything in it is not a name."""
    match node:
        case ast.Identifier(name):
            return [name]
        case ast.FieldAccess(target, name):
            names = _dotted(target)
            return names and [*names, name]
        case _:
            return None
