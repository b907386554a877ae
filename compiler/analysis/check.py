"""Pass: checks that need the types of all expressions.

Before: types are resolved. After: every construct is used with types that it takes; what is not has been reported.
Nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial

from compiler.analysis import format_string
from compiler.analysis.builtin_types import kind_name
from compiler.analysis.c_calls import check_c_call
from compiler.analysis.check_library import CHECKS
from compiler.analysis.config import Config
from compiler.analysis.fold import is_literal
from compiler.analysis.maps import MapTable
from compiler.analysis.operators import COMPARISONS
from compiler.analysis.program import BpfProgram, MapSymbol, MapType
from compiler.builtins import Accept, Builtin, Parameter
from compiler.interop.module import CFunction
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink, Note
from compiler.syntax.source import Span
from compiler.types.lattice import (
    Array,
    Bool,
    Clock,
    Enum,
    Integer,
    None_,
    Pointer,
    String,
    Struct,
    Timestamp,
    Tuple,
    Type,
    Username,
    Void,
)
from compiler.types.map_values import Stats
from compiler.types.promotion import is_compatible

_NEEDS_CONTEXT = re.compile(r"arg\d+|args|retval|ctx|kstack|ustack")
_SYMBOL = re.compile(r"[a-zA-Z0-9./_-]+")
_LARGEST_ENTRY = 1 << 31
"""Bytes of a key or value that a map can be declared with; how much memory there is is another question."""
_TAKES_PARAMETERS = frozenset({"dw_ustack", "kstack", "print", "ustack"})
"""Functions that take a positional parameter for an integer literal."""


def run(programs: Sequence[BpfProgram], table: MapTable, config: Config, sink: DiagnosticSink) -> None:
    for program in programs:
        _Checker(table, config, sink).visit(program.probe)
    if not sink.has_errors:
        for program in programs:
            _check_values(program.probe, sink)


def _check_values(probe: ast.Probe, sink: DiagnosticSink) -> None:
    """Nothing without a value stands where one is wanted; for what no rule has said already."""
    for node in probe.walk():
        if isinstance(node, ast.ExpressionStatement | ast.Block | ast.If | ast.Probe):
            continue  # Of a block or `if` without a value it is asked where that stands.
        no_value: ast.Node | None = None
        match node:
            case ast.For(body=body) | ast.While(body=body) | ast.Unroll(body=body):
                no_value = body
            case ast.VariableDeclaration(variable):
                no_value = variable
        for child in node.children():
            if (
                child is no_value
                or not isinstance(child, ast.Expression)
                or isinstance(child, ast.Map | ast.Identifier)
            ):
                continue
            if isinstance(child.type, None_):
                sink.error("no-value", "This expression has no value", child.span)


def _is_context(node: ast.Node) -> bool:
    """Whether it is the context of an iterator or a perf event, or a structure in it: no value of its own."""
    match node:
        case ast.Builtin("ctx"):
            return isinstance(node.type, Struct) or (isinstance(node.type, Pointer) and node.type.context)
        case ast.Unary("*", operand):
            return _is_context(operand)
        case ast.FieldAccess() | ast.Cast():
            return isinstance(node.type, Struct | Pointer) and node.type.context
        case _:
            return False


class _Checker:
    def __init__(self, table: MapTable, config: Config, sink: DiagnosticSink) -> None:
        self.table = table
        self.config = config
        self.sink = sink
        self.loops = 0
        self.calls: Mapping[str, Callable[[ast.Call], None]] = {
            "str": self.call_str,
            "buf": self.call_buf,
            "ksym": self.call_ksym,
            "usym": self.call_ksym,
            "ntop": self.call_ntop,
            "join": self.call_address,
            "unwatch": self.call_address,
            "kptr": self.call_pointer,
            "uptr": self.call_pointer,
            "print": self.call_print,
            "strftime": self.call_strftime,
            "kaddr": self.call_kaddr,
            "uaddr": self.call_kaddr,
            "fail": self.call_fail,
        } | dict.fromkeys(format_string.FUNCTIONS - {"debugf"}, self.call_format)
        self.calls = dict(self.calls) | {name: partial(self.library, check) for name, check in CHECKS.items()}

    def error(self, code: str, message: str, span: Span) -> None:
        self.sink.error(code, message, span)

    def visit(self, node: ast.Node) -> None:
        if isinstance(node, ast.For | ast.While):
            self.loops += 1
        for child in node.children():
            if _is_context(child):
                self.context(node, child)
            if not _is_format(node, child) and not _is_declared(node, child):
                self.visit(child)
        match node:
            case ast.Call(builtin=Builtin()):
                self.call(node)
            case ast.Call(builtin=CFunction()):
                check_c_call(node, self.sink)
            case ast.Map():
                self.map(node)
            case ast.MapAccess():
                self.map_access(node)
            case ast.Variable():
                if isinstance(node.type, None_):
                    self.error("unresolved", "Could not resolve the type of this variable", node.span)
            case ast.Binary():
                self.binary(node)
            case ast.IncDec(op, target) if not isinstance(target.type, Integer | Pointer | None_):
                message = f"The {op} operator can not be used on expressions of type '{target.type}'"
                self.error("operand-type", message, node.span)
            case ast.For(_, _, body):
                self.loops -= 1
                self.context_in_loop(body)
            case ast.While(condition):
                self.loops -= 1
                self.condition(condition, condition.span)
            case ast.If(condition):
                self.condition(condition, node.span)
            case ast.Probe(predicate=ast.Expression() as predicate):
                self.condition(predicate, predicate.span)
            case ast.Unary("*") | ast.ArrayAccess() if node.type.is_castable_map_value:
                message = f"A value of type '{node.type}' cannot be read through a pointer"
                hint = "Each processor has its own part of it. The map itself gives the whole."
                self.sink.error("map-value-pointer", message, node.span, hints=[hint])
            case ast.Cast():
                self.cast(node)
            case ast.Tuple(elements):
                for element in elements:
                    self.composed(element, "tuple")
            case ast.Record(fields):
                for item in fields:
                    self.composed(item.value, "record")
            case ast.Block(statements):
                self.discarded(statements)
            case ast.Assign(ast.Variable() as variable) if isinstance(variable.type, None_):
                self.error("unresolved", "Invalid expression for assignment", node.span)
            case ast.VariableDeclaration(_, declared) if declared is not None:
                self.declaration(declared)
            case ast.Return(ast.Expression() as value):
                if not isinstance(value.type, Integer):
                    self.error(
                        "return-value", f"Probe return values can only be integers. Found {value.type}", node.span
                    )
            case ast.String():
                self.string(node)

    def condition(self, node: ast.Expression, span: Span) -> None:
        if not isinstance(node.type, Integer | Pointer | Bool):
            self.error("condition", f"Invalid condition: {kind_name(node.type)}", span)

    def context_in_loop(self, body: ast.Block) -> None:
        """Upstream refuses these: the rounds of its loops run in a function of their own, which has no context."""
        for node in body.walk():
            if isinstance(node, ast.Builtin | ast.Call) and _NEEDS_CONTEXT.fullmatch(node.name):
                message = f"'{node.name}' builtin is not allowed in a for-loop"
                self.error("loop-builtin", message, node.span)

    def context(self, parent: ast.Node, node: ast.Node) -> None:
        match parent:
            case ast.FieldAccess() | ast.SizeOf() | ast.OffsetOf() | ast.TypeOf() | ast.Unary("*"):
                pass
            case ast.Cast() if isinstance(parent.type, Integer) or _is_context(parent):
                pass
            case _:
                name = node.name if isinstance(node, ast.Builtin | ast.FieldAccess) else "ctx"
                message = f"{name} as a whole is not supported yet: only its fields are"
                self.error("not-supported", message, node.span)

    # --------------------------------------------------------------------------------------------- variables and maps

    def declaration(self, declared: ast.TypeExpression) -> None:
        match declared.type:
            case None_():
                self.error("unresolved", "Type cannot be resolved: still none", declared.span)
            case type_ if type_.is_map_value or isinstance(type_, Void):
                self.error("declared-type", f"Invalid variable declaration type: {type_}", declared.span)

    def map(self, node: ast.Map) -> None:
        symbol: MapSymbol = node.symbol
        if isinstance(symbol.value_type, None_) or isinstance(symbol.key_type, None_):
            names = [name[1:] for name, other in self.table.symbols.items() if other is not symbol]
            hints = [f"Did you mean @{name}?" for name in get_close_matches(node.name[1:], names, 1)]
            self.sink.error("map-undefined", f"Undefined map: {node.name}", node.span, hints=hints)
            return
        for what, type_ in (("key", symbol.key_type), ("value", symbol.value_type)):
            if type_ is not None and not type_.is_map_value and not type_.size:
                self.error("map-empty", f"A map's {what} has to have bytes, and '{type_}' has none", node.span)
            elif type_ is not None and type_.size > _LARGEST_ENTRY:
                message = f"A map's {what} can have {_LARGEST_ENTRY} bytes, and '{type_}' has {type_.size}"
                self.error("map-size", message, node.span)
        declared = self.table.declared.get(node.name)
        natural = MapType.PERCPU_HASH if symbol.value_type.is_map_value else MapType.HASH
        if declared is not None and declared[0].is_percpu != natural.is_percpu:
            self.error(
                "map-type",
                f"Incompatible map types. Type from declaration: {_map_type_name(declared[0])}. "
                f"Type from value/key type: {_map_type_name(natural)}",
                node.span,
            )

    def map_access(self, node: ast.MapAccess) -> None:
        key = node.key
        parts = key.type.elements if isinstance(key.type, Tuple) else (key.type,)
        if isinstance(key.type, None_ | Void):
            self.error("map-key", f"Invalid map key type: {key.type}", key.span)
        for part in parts:
            if part.is_multi_key_map_value or isinstance(part, Stats):
                self.error("map-key", f"{part} cannot be part of a map key", key.span)
            elif isinstance(part, Pointer) and part.context:
                self.error("map-key", "context cannot be part of a map key", key.span)

    # ---------------------------------------------------------------------------------------------------- expressions

    def string(self, node: ast.String) -> None:
        if len(node.data) > self.config.max_strlen - 1:
            self.error(
                "string-length",
                f"String is too long (over {self.config.max_strlen} bytes): {node.value}",
                node.span,
            )

    def binary(self, node: ast.Binary) -> None:
        left, right = node.left.type, node.right.type
        if _is_number(left) and _is_number(right):
            return
        if isinstance(left, None_) or isinstance(right, None_):
            return
        if isinstance(node.type, String):
            if node.op != "+" or not isinstance(right, Integer):
                self.error("operand-type", "Only an integer can be added to the text of a parameter", node.span)
            return
        if isinstance(left, Pointer) or isinstance(right, Pointer):
            return
        if isinstance(left, Array) and isinstance(right, Array):
            self.arrays(node, left, right)
        elif not is_compatible(left, right):
            if node.op not in COMPARISONS and not (isinstance(left, String) or isinstance(right, String)):
                # A number takes part in arithmetic as one of 64 bits.
                left, right = (node.type if isinstance(side, Integer) else side for side in (left, right))
            self.sink.error(
                "type-mismatch",
                f"Type mismatch for '{node.op}': comparing {left} with {right}",
                node.span,
                notes=[Note(f"left ({left})", node.left.span), Note(f"right ({right})", node.right.span)],
            )
        elif node.op not in ("==", "!="):
            self.error(
                "operand-type",
                f"The {node.op} operator can not be used on expressions of types {left}, {right}",
                node.span,
            )

    def arrays(self, node: ast.Binary, left: Array, right: Array) -> None:
        if node.op not in ("==", "!="):
            self.error("operand-type", f"The {node.op} operator cannot be used on arrays.", node.span)
        if left.count != right.count:
            self.error("operand-type", "Only arrays of same size support comparison operators.", node.span)
        if not isinstance(left.element, Integer) or left != right:
            self.error("operand-type", "Only arrays of same sized integer support comparison operators.", node.span)

    def composed(self, element: ast.Expression, what: str) -> None:
        if element.type.is_multi_key_map_value or isinstance(element.type, Stats):
            message = f"Map type {element.type} cannot exist inside a {what}."
            self.error("map-value", message, element.span)

    def discarded(self, statements: Sequence[ast.Statement]) -> None:
        for statement in statements:
            match statement:
                case ast.ExpressionStatement(expression) if not isinstance(expression, ast.IncDec):
                    if not isinstance(expression.type, None_ | Void):
                        # As upstream underlines it: with the semicolon, but for the last one.
                        span = expression.span if statement is statements[-1] else statement.span
                        self.sink.warning("discarded", "Return value discarded.", span)

    def cast(self, node: ast.Cast) -> None:
        to, source = node.type, node.operand.type
        if isinstance(to, None_) and isinstance(node.to.type, None_):
            self.error("cast", "Incomplete cast, unknown type", node.span)
        elif isinstance(source, Struct):
            self.error("cast", f'Cannot cast from C type "{source}"', node.span)
        elif isinstance(source, None_ | Void):
            self.error("cast", f'Cannot cast from "{source}" type', node.span)
        elif to == source and type(to) is type(source):
            self.sink.warning(
                "cast-unnecessary", f"Unnecessary cast: expression is already of type {source}", node.span
            )
        else:
            problem = _cast_problem(to, source) or _enum_problem(to, node.operand)
            if problem:
                self.error("cast", problem, node.span)

    # ---------------------------------------------------------------------------------------------------------- calls

    def call(self, node: ast.Call) -> None:
        builtin: Builtin = node.builtin
        for parameter, argument in zip(builtin.parameters, node.arguments, strict=False):
            if parameter.repeated or not self.argument(node, parameter, argument):
                break
        else:
            self.custom(node)
            return
        if any(parameter.repeated for parameter in builtin.parameters) and isinstance(node.arguments[0], ast.String):
            self.custom(node)

    def custom(self, node: ast.Call) -> None:
        special = self.calls.get(node.name)
        if special is not None and not any(
            isinstance(argument.type, None_) and not isinstance(argument, ast.Map) for argument in node.arguments
        ):
            special(node)

    def argument(self, node: ast.Call, parameter: Parameter, argument: ast.Expression) -> bool:
        """Whether an argument is of the sort that its parameter takes."""
        if parameter.accept in (Accept.ANY, Accept.MAP, Accept.NAME, Accept.CLOCK, Accept.STACK):
            return True
        wanted, given = parameter.accept.value, kind_name(argument.type)
        if isinstance(argument.type, None_):
            return False
        if isinstance(argument, ast.PositionalParameter) and node.name in _TAKES_PARAMETERS and given == wanted:
            return True
        if parameter.literal and (not is_literal(argument) or given != wanted):
            self.error("argument-type", f"{node.name}() expects a {wanted} literal ({given} provided)", node.span)
            if isinstance(argument, ast.PositionalParameter) and parameter.accept is Accept.STRING:
                index = argument.index
                self.error("argument-type", f"Use str(${index}) to treat ${index} as a string", argument.span)
            return False
        if given != wanted:
            message = f"{node.name}() only supports {wanted} arguments ({given} provided)"
            self.error("argument-type", message, node.span)
            return False
        return True

    def call_format(self, node: ast.Call) -> None:
        text = node.arguments[0]
        assert isinstance(text, ast.String)
        problem = format_string.check(text.value, [argument.type for argument in node.arguments[1:]])
        if problem:
            self.error("format", problem, node.span)

    def call_str(self, node: ast.Call) -> None:
        type_ = node.arguments[0].type
        if not isinstance(type_, String | Integer | Pointer):
            self.error(
                "argument-type",
                f"str() expects a string, integer or a pointer type as first argument ({type_} provided)",
                node.span,
            )

    def call_buf(self, node: ast.Call) -> None:
        type_ = node.arguments[0].type
        if not isinstance(type_, Integer | String | Pointer | Array):
            self.error(
                "argument-type",
                f"buf() expects an integer, string, or array argument but saw {kind_name(type_)}",
                node.span,
            )
        elif len(node.arguments) == 1:
            if not isinstance(type_, Array):
                self.error(
                    "argument-type",
                    f"buf() expects a length argument for non-array type {kind_name(type_)}",
                    node.span,
                )
        elif isinstance(length := node.arguments[1], ast.Integer) and length.value < 0:
            self.error("argument-value", f"bufcannot use negative length ({length.value})", node.span)

    def library(self, check: Callable[[ast.Call, DiagnosticSink], None], node: ast.Call) -> None:
        check(node, self.sink)

    def call_ksym(self, node: ast.Call) -> None:
        if not isinstance(node.arguments[0].type, Integer | Pointer):
            self.error("argument-type", f"{node.name}() expects an integer or pointer argument", node.span)

    def call_ntop(self, node: ast.Call) -> None:
        if len(node.arguments) == 2 and not isinstance(node.arguments[0].type, Integer):
            given = kind_name(node.arguments[0].type)
            self.error("argument-type", f"ntop() only supports int arguments ({given} provided)", node.span)
        type_ = node.arguments[-1].type
        if not isinstance(type_, Integer | String | Array):
            self.error(
                "argument-type",
                f"ntop() expects an integer or array argument, got {kind_name(type_)}",
                node.span,
            )
        elif not isinstance(type_, Integer) and type_.size not in (4, 16):
            self.error("argument-type", "ntop() argument must be 4 or 16 bytes in size", node.span)

    def call_address(self, node: ast.Call) -> None:
        type_ = node.arguments[0].type
        if not isinstance(type_, Integer | Pointer):
            self.error(
                "argument-type",
                f"{node.name}() only supports int or pointer arguments ({kind_name(type_)} provided)",
                node.span,
            )

    def call_pointer(self, node: ast.Call) -> None:
        type_ = node.arguments[0].type
        if not isinstance(type_, Integer | Pointer):
            self.error(
                "argument-type",
                f"{node.name}() only supports integer or pointer arguments ({kind_name(type_)} provided)",
                node.span,
            )

    def call_kaddr(self, node: ast.Call) -> None:
        name = node.arguments[0]
        if isinstance(name, ast.String) and not _SYMBOL.fullmatch(name.value):
            self.error(
                "argument-value",
                f'{node.name}() expects a string that is a valid symbol ("{name.value}" provided)',
                node.span,
            )

    def call_fail(self, node: ast.Call) -> None:
        """The call is still in the program, so the program is wrong: its author says why."""
        text, *arguments = node.arguments
        if not all(map(is_literal, arguments)):
            self.error("argument-type", "fail() arguments need to be literals", node.span)
            return
        assert isinstance(text, ast.String)
        known = ast.String | ast.Integer | ast.Boolean
        values = [argument.value for argument in arguments if isinstance(argument, known)]
        self.error("fail", format_string.apply(text.value, values), node.span)

    def call_strftime(self, node: ast.Call) -> None:
        timestamp = node.arguments[1]
        if isinstance(node.type, Timestamp) and node.type.clock is Clock.MONOTONIC:
            self.error("argument-type", "strftime() can not take a monotonic timestamp", node.span)
        if isinstance(timestamp, ast.Integer) and timestamp.value < 0:
            self.error("argument-value", "strftime() does not accept negative timestamps", node.span)

    def call_print(self, node: ast.Call) -> None:
        first = node.arguments[0]
        if isinstance(first, ast.Map):
            if self.loops:
                self.sink.warning(
                    "print-in-loop",
                    "Due to it's asynchronous nature using 'print()' in a loop can lead to unexpected behavior. "
                    "The map will likely be updated before the runtime can 'print' it.",
                    node.span,
                )
            if isinstance(first.symbol.value_type, Stats) and len(node.arguments) > 1:
                self.sink.warning(
                    "print-stats",
                    "print()'s top and div arguments are ignored when used on stats() maps.",
                    node.span,
                )
            return
        type_ = first.type
        if type_.is_multi_key_map_value:
            self.error(
                "print",
                f"Map type {type_} cannot print the value of individual keys. You must print the whole map.",
                node.span,
            )
        elif isinstance(type_, Stats):
            message = "print() of the value of one key of a stats() map is not supported yet"
            self.error("not-supported", message, node.span)
        elif isinstance(type_, None_ | Void):
            self.error("print", f"{type_} type passed to print() is not printable", node.span)
        elif len(node.arguments) != 1:
            message = f"Non-map print() only takes 1 argument, {len(node.arguments)} found"
            self.error("print", message, node.span)


def _is_declared(node: ast.Node, child: ast.Node) -> bool:
    """Whether `child` is a variable that gets its type here. One that nothing uses needs none; what else keeps it from
    having one is reported of the value or of what the loop is over.
    """
    match node:
        case ast.VariableDeclaration(variable) | ast.Assign(ast.Variable() as variable) | ast.For(variable):
            return child is variable
        case _:
            return False


def _is_format(node: ast.Node, child: ast.Node) -> bool:
    """Whether `child` is the format of a call, which the tracer keeps: it may be of any length."""
    return (
        isinstance(node, ast.Call)
        and node.name in format_string.FUNCTIONS
        and bool(node.arguments)
        and child is node.arguments[0]
    )


def _map_type_name(map_type: MapType) -> str:
    return map_type.name.lower().replace("_", "")


def _is_number(type_: Type) -> bool:
    return isinstance(type_, Integer | Bool) or type_.is_castable_map_value


def _cast_problem(to: Type, source: Type) -> str:
    """Why a cast between two different types cannot be; empty if it can."""
    refused = f'Cannot cast from "{source}" to "{to}"'
    match to, source:
        case String(), String():
            return refused if to.size < source.size else ""
        case Username(), Integer():
            return ""
        case Array(), _:
            return _array_cast_problem(to, source, refused)
        case Integer(), Array():
            return "" if to.size == source.size else refused
        case Integer() | Bool(), Integer() | Bool() | Pointer():
            return ""
        case Integer() | Bool() | Pointer(), _ if source.is_castable_map_value:
            return ""
        case Bool(), String():
            return ""
        case Pointer(), Integer() | Pointer():
            return ""
        case _:
            return refused


def _array_cast_problem(to: Array, source: Type, refused: str) -> str:
    element = to.element
    if not isinstance(element, Integer | Bool):
        return refused
    if not to.count:
        if not element.size:
            return "Could not determine size of the array"
        return "Cannot determine array size: the element size is incompatible with the cast integer size"
    match source:
        case Integer():
            return "" if to.size == source.size or source.size < to.size <= 8 else refused
        case Bool() | String():
            return "" if to.size == source.size else refused
        case _:
            return refused


def _enum_problem(to: Type, operand: ast.Expression) -> str:
    if isinstance(to, Enum) and isinstance(operand, ast.Integer) and operand.value not in to.enumerators.values():
        return f"Enum: {to.name} doesn't contain a variant value of {operand.value}"
    return ""
