"""Pass: resources.

Before: a typed tree with explicit conversions. After: the AnalyzedProgram lists its maps, what the tracer does for each
call site and with what event, its parameters and time formats.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from compiler.analysis import format_string
from compiler.analysis.config import Config
from compiler.analysis.iterators import is_iterator
from compiler.analysis.maps import MapTable
from compiler.analysis.parameters import named, parameter_kind, shown_default
from compiler.analysis.program import (
    EVENT_HEADER_SIZE,
    Action,
    AnalyzedProgram,
    AttachPoint,
    CatAction,
    ClearAction,
    EventField,
    ExitAction,
    FormatPiece,
    JoinAction,
    MapType,
    Parameter,
    ParameterKind,
    PrintfAction,
    PrintMapAction,
    PrintValueAction,
    RuntimeErrorAction,
    RuntimeErrorKind,
    Severity,
    SkbOutputAction,
    SystemAction,
    TimeAction,
    UnwatchAction,
    ZeroAction,
)
from compiler.builtins import Builtin
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import Span, is_utf8
from compiler.types.lattice import UINT64, Buffer, String, Tuple

_JOIN_COUNT = 16
_JOIN_LENGTH = 1024
_DEFAULT_TIME = "%H:%M:%S\n"
_ANY_HIERARCHY = "*"
_PRINT_MAP_SIZE = EVENT_HEADER_SIZE + 8
_HELPER_ERROR_SIZE = EVENT_HEADER_SIZE + 8
_PACKET_HEADER_SIZE = EVENT_HEADER_SIZE + 16


def run(analyzed: AnalyzedProgram, table: MapTable, sink: DiagnosticSink, *, clock_map: str = "") -> None:
    pass_ = _Resources(analyzed, table, sink)
    pass_.maps()
    if clock_map:
        pass_.clock_map(clock_map)
    for program in analyzed.programs:
        for point in program.attach_points:
            pass_.late_attach_point(point)
        for node in program.probe.walk():
            if not (is_iterator(program) and isinstance(node, ast.Call) and node.name == "printf"):
                pass_.visit(node)


def event(expressions: Sequence[ast.Expression]) -> tuple[tuple[EventField, ...], int]:
    """The layout of an event that carries these values, and its size.

    The values lie like the elements of a tuple, which is what upstream makes of them; but the largest string or
    buffer goes last, so that its unused end need not be sent.
    """
    texts = [index for index, node in enumerate(expressions) if isinstance(node.type, String | Buffer)]
    order = list(range(len(expressions)))
    if texts:
        last = max(texts, key=lambda index: (expressions[index].type.size, index))
        order.remove(last)
        order.append(last)
    layout = Tuple(tuple(expressions[index].type for index in order)).layout
    offsets = {index: EVENT_HEADER_SIZE + offset for index, offset in zip(order, layout.offsets, strict=True)}
    fields = tuple(EventField(node, node.type, offsets[index]) for index, node in enumerate(expressions))
    size = EVENT_HEADER_SIZE + layout.size
    return fields, size + -size % 8


class _Resources:
    def __init__(self, analyzed: AnalyzedProgram, table: MapTable, sink: DiagnosticSink) -> None:
        self.analyzed = analyzed
        self.table = table
        self.sink = sink
        self.calls: Mapping[str, Callable[[ast.Call], Action]] = {
            "printf": self.printf,
            "warnf": self.printf,
            "errorf": self.printf,
            "print": self.print,
            "clear": self.map_action,
            "zero": self.map_action,
            "exit": self.exit,
            "unwatch": self.unwatch,
            "time": self.time,
            "join": self.join,
            "cat": self.cat,
            "system": self.system,
            "skboutput": self.skboutput,
        }

    @property
    def config(self) -> Config:
        config = self.analyzed.config
        assert isinstance(config, Config)
        return config

    def maps(self) -> None:
        for symbol in self.table.symbols.values():
            declared = self.table.declared.get(symbol.name)
            if declared is not None:
                symbol.map_type, symbol.max_entries = declared
            else:
                symbol.map_type = MapType.PERCPU_HASH if symbol.value_type.is_map_value else MapType.HASH
                # A histogram has an entry for each bucket, keys or not.
                single = symbol.key_type is None and not symbol.value_type.is_multi_key_map_value
                symbol.max_entries = 1 if single else self.config.max_map_keys
            self.analyzed.maps.append(symbol)

    def clock_map(self, name: str) -> None:
        symbol = self.table.symbols.get(name)
        if symbol is None or symbol.key_type is not None or symbol.value_type != UINT64:
            message = f"BPFTRACE_DUMMY_TS_MAP: {name} is not a map of the script without keys and with a uint64 in it"
            self.sink.error("clock-map", message, symbol.span if symbol else None)
        else:
            self.analyzed.clock_map = symbol

    def visit(self, node: ast.Node) -> None:
        match node:
            case ast.Call(builtin=Builtin(name="strftime")):
                self.time_format(node)
            case ast.Call(builtin=Builtin(name="cgroup_path")):
                self.cgroup_filter(node)
            case ast.Call(builtin=Builtin(name="cgroupid" | "kfunc_allowed" | "kfunc_exist")):
                self.utf8(node.arguments[0])
            case ast.Call(builtin=Builtin()) if node.name in self.calls:
                self.action(node, self.calls[node.name](node))
            case ast.Call(builtin=Builtin(name="getopt")):
                self.named_parameter(node)
            case ast.PositionalParameter():
                self.parameter(node, parameter_kind(node.type))
            case ast.Binary("/" | "%", _, right) if not isinstance(right, ast.Integer) or not right.value:
                self.error(node, RuntimeErrorKind.DIVIDE_BY_ZERO)
            case ast.ArrayAccess(_, index) if not isinstance(index, ast.Integer):
                self.error(node, RuntimeErrorKind.ARRAY_OUT_OF_BOUNDS)

    def action(self, node: ast.Node, action: Action) -> None:
        self.analyzed.action_of[node] = len(self.analyzed.actions)
        self.analyzed.actions.append(action)

    def error(self, node: ast.Node, kind: RuntimeErrorKind) -> None:
        self.action(node, RuntimeErrorAction(node.span, (), _HELPER_ERROR_SIZE, kind))

    def parameter(self, node: ast.PositionalParameter, kind: ParameterKind) -> None:
        self.analyzed.parameter_of[node] = self.positional(node.index, kind, node.span)

    def positional(self, position: int, kind: ParameterKind, span: Span) -> int:
        """The index of a positional parameter that is used in this way."""
        parameters = self.analyzed.parameters
        for index, known in enumerate(parameters):
            if known.position == position and known.kind is kind:
                return index
        size = self.config.max_strlen if kind is ParameterKind.STRING else 0
        parameters.append(Parameter(kind, span, position=position, size=size))
        return len(parameters) - 1

    def late_attach_point(self, point: AttachPoint) -> None:
        for part in point.late:
            for piece in part:
                if isinstance(piece, int):
                    self.positional(piece, ParameterKind.WORD, point.span)

    def named_parameter(self, node: ast.Call) -> None:
        parameters, new = self.analyzed.parameters, named(node)
        for index in (0, 2):  # name and description
            if isinstance(argument := next(iter(node.arguments[index : index + 1]), None), ast.String):
                self.utf8(argument)
        for index, known in enumerate(parameters):
            if known.position or known.name != new.name:
                continue
            if (known.kind, shown_default(known)) != (new.kind, shown_default(new)):
                message = (
                    f"Command line option '{new.name}' needs to have the same default value in all places it is used. "
                    f"Previous default value: {shown_default(known)}"
                )
                self.sink.error("parameter", message, node.span)
            elif known.description and new.description and known.description != new.description:
                message = f"Command line option '{new.name}' must have the same description in all places it's used."
                self.sink.error("parameter", message, node.span, hints=["You can wrap it in a macro"])
            elif new.description:
                parameters[index] = dataclasses.replace(known, description=new.description)
            self.analyzed.parameter_of[node] = index
            return
        self.analyzed.parameter_of[node] = len(parameters)
        parameters.append(new)

    def utf8(self, node: ast.Expression) -> str:
        """A text of which the message has characters, not bytes."""
        text = _text(node)
        if not is_utf8(text):
            self.sink.error("not-utf8", "This string has to be UTF-8", node.span)
        return text

    def time_format(self, node: ast.Call) -> None:
        text = self.utf8(node.arguments[0])
        formats = self.analyzed.time_formats
        if text not in formats:
            formats.append(text)
        self.analyzed.time_format_of[node] = formats.index(text)

    def cgroup_filter(self, node: ast.Call) -> None:
        text = self.utf8(node.arguments[1]) if len(node.arguments) > 1 else _ANY_HIERARCHY
        filters = self.analyzed.cgroup_filters
        if text not in filters:
            filters.append(text)
        self.analyzed.cgroup_filter_of[node] = filters.index(text)

    # -------------------------------------------------------------------------------------------------------- actions

    def printf(self, node: ast.Call) -> Action:
        return PrintfAction(node.span, *self.formatted(node), Severity(node.name))

    def cat(self, node: ast.Call) -> Action:
        return CatAction(node.span, *self.formatted(node))

    def system(self, node: ast.Call) -> Action:
        return SystemAction(node.span, *self.formatted(node))

    def formatted(self, node: ast.Call) -> tuple[tuple[EventField, ...], int, tuple[FormatPiece, ...]]:
        """Fields, event size and format of a call whose first argument is a format."""
        fields, size = event(node.arguments[1:])
        return fields, size, tuple(format_string.pieces(_text(node.arguments[0])))

    def print(self, node: ast.Call) -> Action:
        match node.arguments:
            case [ast.Map() as map_, *_]:
                return PrintMapAction(node.span, (), _PRINT_MAP_SIZE, map_.symbol)
            case [value, *_]:
                return PrintValueAction(node.span, *event([value]))
            case _:
                raise AssertionError("print takes an argument")

    def map_action(self, node: ast.Call) -> Action:
        map_ = node.arguments[0]
        assert isinstance(map_, ast.Map)
        kind = ClearAction if node.name == "clear" else ZeroAction
        return kind(node.span, (), EVENT_HEADER_SIZE, map_.symbol)

    def exit(self, node: ast.Call) -> Action:
        return ExitAction(node.span, *event(node.arguments))

    def unwatch(self, node: ast.Call) -> Action:
        return UnwatchAction(node.span, *event(node.arguments))

    def time(self, node: ast.Call) -> Action:
        text = self.utf8(node.arguments[0]) if node.arguments else _DEFAULT_TIME
        return TimeAction(node.span, (), EVENT_HEADER_SIZE, text)

    def skboutput(self, node: ast.Call) -> Action:
        offset = node.arguments[3]
        assert isinstance(offset, ast.Integer)
        return SkbOutputAction(node.span, (), _PACKET_HEADER_SIZE, self.utf8(node.arguments[0]), offset.value)

    def join(self, node: ast.Call) -> Action:
        delimiter = _text(node.arguments[1]) if len(node.arguments) > 1 else " "
        size = EVENT_HEADER_SIZE + _JOIN_COUNT * _JOIN_LENGTH
        return JoinAction(node.span, (), size, delimiter, _JOIN_COUNT, _JOIN_LENGTH)


def _text(node: ast.Expression) -> str:
    assert isinstance(node, ast.String)
    return node.value
