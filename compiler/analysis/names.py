"""Pass: names.

Before: parsed bodies. After: every builtin variable is a Builtin and every function a Call, both with their entry of
compiler.builtins (a call of a C source's function: with its CFunction); enumerators are Integers typed as their Enum;
an operand of sizeof and the like that names a type is a type. Reported: unknown names, functions and variables that are
not supported yet or not allowed in the probe, wrong numbers of arguments.

Identifiers stay only where a function gives them a meaning of its own: `nsecs(boot)`, `pid(init)`.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from compiler import builtins
from compiler.analysis.config import Config, record
from compiler.analysis.fold import Folder
from compiler.analysis.program import COOKIE_PROBES, BpfProgram
from compiler.arch import Architecture
from compiler.builtins import BUILTINS, Accept, Builtin, Kind
from compiler.interop.module import LINKAGE_STATIC, CFunction
from compiler.probe_types import UNKNOWN
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.builtin_names import BUILTIN_TYPES
from compiler.types.c_names import c_type
from compiler.types.kernel import Kernel

_NAMESPACES = frozenset({"curr_ns", "init"})
_PREFIX = "__builtin_"
"""With it, a builtin variable's name means the builtin even where a macro has the name."""
_SIMILAR = 0.66
"""How much of two names must agree: `pdi` is near enough to `pid`."""
_ARGUMENT = re.compile(r"arg(\d+)")


def run(
    programs: Sequence[BpfProgram],
    kernel: Kernel,
    arch: Architecture,
    config: Config,
    sink: DiagnosticSink,
    *,
    unsafe: bool,
    c_functions: Mapping[str, CFunction],
) -> None:
    for program in programs:
        _Names(program, program.types(kernel), arch, config, sink, unsafe, c_functions).children(program.probe)


@dataclass(slots=True)
class _Names:
    program: BpfProgram
    kernel: Kernel
    """With the types of the traced binary, if there is one."""
    arch: Architecture
    config: Config
    sink: DiagnosticSink
    unsafe: bool
    c_functions: Mapping[str, CFunction]
    in_comptime: bool = False

    @property
    def provider(self) -> str:
        return self.program.probe_type.name

    def children(self, node: ast.Node) -> None:
        ast.replace_children(node, self.visit)

    def visit(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.Identifier() | ast.Builtin():
                return self.identifier(node)
            case ast.Call():
                return self.call(node)
            case ast.SizeOf() | ast.OffsetOf() | ast.TypeOf() | ast.TypeInfo():
                node.operand = self.operand(node.operand)
                return node
            case ast.TypeExpression():
                return node
            case ast.Comptime():
                outer, self.in_comptime = self.in_comptime, True
                self.children(node)
                self.in_comptime = outer
                return node
            case ast.FieldAccess():
                self.children(node)
                return Folder(self.sink).rewrite(node)  # of `config`, which is a literal now
            case _:
                self.children(node)
                return node

    # ------------------------------------------------------------------------------------------- names without calls

    def identifier(self, node: ast.Identifier | ast.Builtin) -> ast.Expression:
        name = node.name.removeprefix(_PREFIX)
        found = BUILTINS.get(name)
        if found is not None and found.kind is Kind.VARIABLE:
            return self.variable(found, node)
        if (match := _ARGUMENT.fullmatch(name)) is not None:
            self.sink.error("argument-number", f"{self.arch.name} doesn't support arg{match[1]}", node.span)
            return node
        name = node.name
        enumerator = self.kernel.enumerator(name)
        if enumerator is not None:
            literal = ast.Integer(enumerator[1], name, span=node.span)
            literal.type = dataclasses.replace(enumerator[0], bits=64)
            return literal
        hints = [f"{name} is a function: did you mean {found.signature}?"] if found is not None else _similar(name)
        self.sink.error("unknown-identifier", f"Unknown identifier: '{name}'", node.span, hints=hints)
        return node

    def variable(self, found: Builtin, node: ast.Expression) -> ast.Expression:
        self.check_variable(found, node)
        match found.name:
            case "probe" | "func" as name if self.program.attach_points[0].has_late_name:
                if self.provider not in COOKIE_PROBES:
                    what = "parameters" if self.program.attach_points[0].late else "wildcards"
                    message = f"{name} is not supported yet in {self.provider} probes with {what}"
                    self.sink.error("not-supported", message, node.span)
            case "func" if self.provider in ("uprobe", "uretprobe") and self.program.attach_points[0].event:
                return ast.String(self.program.attach_points[0].event, span=node.span)
            case "probe":
                return ast.String(self.program.attach_points[0].name, span=node.span)
            case "probetype" | "usermode" if self.program.probe_type is UNKNOWN:
                message = f"{found.name} is not known in a probe whose type is a parameter"
                self.sink.error("probe-builtin", message, node.span)
            case "probetype":
                return ast.String(self.provider, span=node.span)
            case "usermode":
                return self.usermode(found, node)
            case "config":
                return record(self.config, node.span)
        result = node if isinstance(node, ast.Builtin) else ast.Builtin(found.name, span=node.span)
        result.name = found.name
        result.builtin = found
        return result

    def usermode(self, found: Builtin, node: ast.Expression) -> ast.Expression:
        """Only some probes interrupt other code; the tracer's own run in user mode, the others in the kernel."""
        if "cs" not in self.arch.registers:
            self.sink.error("probe-builtin", "'usermode' builtin is only supported on x86_64", node.span)
        if self.provider not in builtins.BUILTINS["reg"].probes:
            return ast.Integer(int(self.provider in ("begin", "end", "self", "test", "bench")), span=node.span)
        result = ast.Builtin(found.name, span=node.span)
        result.builtin = found
        return result

    def check_variable(self, found: Builtin, node: ast.Expression) -> None:
        if not self.check_supported(found, node):
            return
        if not found.probes or self.provider in found.probes:
            self.check_argument(found, node)
            return
        name = found.name
        hints = []
        if name == "args":
            message = (
                "The args builtin can only be used with tracepoint, rawtracepoint, fentry/fexit, and uprobe probes "
                f"({self.provider} used here)"
            )
        elif name == "ctx" and self.provider == "tracepoint":
            message = "Use args instead of ctx in tracepoint"
        elif name == "retval":
            message = "The retval builtin can only be used with 'kretprobe' and 'uretprobe' and 'fentry' probes" + (
                " (try to use args.ret instead)" if self.provider == "tracepoint" else ""
            )
        elif _ARGUMENT.fullmatch(name):
            message = f"The {name} builtin can only be used with 'kprobes', 'uprobes' and 'usdt' probes"
        else:
            message = f"The {name} builtin can not be used with '{self.provider}' probes"
            hints = [_for_probes(found)]
        self.sink.error("probe-builtin", message, node.span, hints=hints)

    def check_argument(self, found: Builtin, node: ast.Expression) -> None:
        match = _ARGUMENT.fullmatch(found.name)
        if match and self.provider != "usdt" and int(match[1]) >= len(self.arch.arguments):
            self.sink.error("argument-number", f"{self.arch.name} doesn't support {found.name}", node.span)

    def check_supported(self, found: Builtin, node: ast.Expression) -> bool:
        if found.library:  # The script's own calls of it are expanded by now.
            hint = "A macro of the language can use it."
            self.sink.error("not-supported", f"{found.name} can not be used in macros of C", node.span, hints=[hint])
            return False
        if found.arch not in ("", self.arch.name):
            self.sink.error("not-supported", f"{found.name} is only available on {found.arch}", node.span)
        return True

    # --------------------------------------------------------------------------------------------------------- calls

    def call(self, node: ast.Call) -> ast.Expression:
        found = BUILTINS.get(node.name)
        if found is None:
            self.children(node)
            return self.c_call(node)
        node.builtin = found
        if found.kind is Kind.VARIABLE and not node.arguments:
            return self.variable(found, node)
        if found.unsafe and not self.unsafe:
            message = f"{found.name}() is an unsafe function being used in safe mode"
            self.sink.error("unsafe", message, node.span, hints=["--unsafe allows it"])
        if not self.check_supported(found, node):
            return node
        if found.probes and self.provider not in found.probes:
            message = f'{found.name} can not be used with "{self.provider}" probes'
            self.sink.error("probe-builtin", message, node.span, hints=[_for_probes(found)])
        if self.check_count(found, node):
            if found.name in ("kfunc_exist", "kfunc_allowed"):
                return self.kfunc_test(node)
            self.arguments(found, node)
        return node

    def c_call(self, node: ast.Call) -> ast.Expression:
        """A call of a function of a C source."""
        function = self.c_functions.get(node.name)
        given = len(node.arguments)
        if function is None:
            hints = _similar(node.name, call=True, others=self.c_functions)
            self.sink.error("unknown-function", f"Unknown function: '{node.name}'", node.span, hints=hints)
        elif function.linkage == LINKAGE_STATIC:
            message = f"Unsupported function linkage: '{node.name}'"
            hint = "A script can call functions of C sources that are not static."
            self.sink.error("function-linkage", message, node.span, hints=[hint])
        elif given != len(function.parameters):
            message = f"Function `{node.name}` requires {len(function.parameters)} arguments, got "
            message += str(given) if given > len(function.parameters) else f"only {given}"
            self.sink.error("argument-count", message, node.span)
        else:
            node.builtin = function
        return node

    def kfunc_test(self, node: ast.Call) -> ast.Expression:
        """A question to the target; `comptime` can only ask the kernel of the build."""
        match node.name, node.arguments:
            case "kfunc_exist", [ast.String(name)] if self.in_comptime:
                return ast.Boolean(self.kernel.function(name) is not None, span=node.span)
            case "kfunc_allowed", [ast.String()] if self.in_comptime:
                message = "kfunc_allowed() is known when the tracer starts, not when it is compiled"
                hint = "Without comptime, a branch that is not taken may call functions that the target does not have."
                self.sink.error("comptime", message, node.span, hints=[hint])
            case _, [ast.String()]:
                pass
            case _:
                self.sink.error("argument-type", f"{node.name}() accepts a string literal only", node.span)
        return node

    def check_count(self, found: Builtin, node: ast.Call) -> bool:
        least, most, given = found.least_arguments, found.most_arguments, len(node.arguments)
        if least <= given <= most:
            return True
        if least == most:
            wants = "requires no arguments" if not least else f"requires {_count(least)}"
        elif given < least:
            wants = f"requires at least {_count(least)}"
        else:
            wants = f"takes up to {_count(most)}"
        self.sink.error("argument-count", f"{found.name}() {wants} ({given} provided)", node.span)
        return False

    def arguments(self, found: Builtin, node: ast.Call) -> None:
        for index, argument in enumerate(node.arguments):
            parameter = found.parameters[min(index, len(found.parameters) - 1)]
            match parameter.accept, argument:
                case (Accept.NAME, ast.Identifier(name)) if name not in _NAMESPACES:
                    message = f"Invalid PID namespace mode: {name} (expects: curr_ns or init)"
                    self.sink.error("argument-value", message, argument.span)
                case ((Accept.NAME | Accept.CLOCK | Accept.STACK), ast.Identifier()):
                    pass
                case Accept.NAME, _:
                    self.sink.error(
                        "argument-type",
                        f"{found.name}() only supports curr_ns and init as the argument",
                        node.span,
                    )
                case _:
                    visited = self.visit(argument)
                    assert isinstance(visited, ast.Expression)
                    node.arguments[index] = visited

    # ------------------------------------------------------------------------------------------- types and their names

    def operand(self, node: ast.Expression | ast.TypeExpression) -> ast.Expression | ast.TypeExpression:
        """An operand that may be an expression or a type."""
        if isinstance(node, ast.Identifier) and node.name not in BUILTINS and self.is_type(node.name):
            return ast.NamedType(node.name, span=node.span)
        visited = self.visit(node)
        assert isinstance(visited, ast.Expression | ast.TypeExpression)
        return visited

    def is_type(self, name: str) -> bool:
        return name in BUILTIN_TYPES or c_type(name, self.kernel) is not None


def _for_probes(found: Builtin) -> str:
    return f"It is for probes of the types {', '.join(sorted(found.probes))}."


def _count(number: int) -> str:
    return "one argument" if number == 1 else f"{number} arguments"


@lru_cache
def _closest(name: str, names: tuple[str, ...]) -> list[str]:
    """The name like this one, if any. Remembered: a macro may repeat a wrong name a thousand times."""
    return difflib.get_close_matches(name, names, 1, _SIMILAR)


def _similar(name: str, *, call: bool = False, others: Collection[str] = ()) -> list[str]:
    """Hints for a name that is not known; `others` are functions that are not builtins."""
    names = [entry.name for entry in BUILTINS.values() if entry.kind is not Kind.VARIABLE or not call]
    close = _closest(name, (*names, *others))
    if not close:
        return []
    shown = BUILTINS[close[0]].signature if call and close[0] in BUILTINS else close[0]
    return [f"Did you mean {shown}?"]
