"""The types that builtins yield where compiler.builtins cannot say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.analysis import spaces
from compiler.analysis.config import NO_STACK_MODE, Config
from compiler.analysis.fields import Fields
from compiler.analysis.parameters import named_type
from compiler.analysis.program import TARGET_NAME_SIZE, BpfProgram
from compiler.probe_types import Context
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import encode
from compiler.types import map_values
from compiler.types.kernel import Kernel
from compiler.types.lattice import (
    DEFAULT_STACK_LIMIT,
    NONE,
    UINT8,
    UINT64,
    AddressSpace,
    Array,
    Buffer,
    Clock,
    Inet,
    Integer,
    KStack,
    KSym,
    None_,
    Pointer,
    StackMode,
    String,
    Struct,
    Timestamp,
    Type,
    UStack,
    Void,
    in_space,
)

INET_SIZE = 24
_USER_FUNCTIONS = frozenset({"uprobe", "uretprobe"})
_LEAST_BUCKETS, _MOST_BUCKETS = 1, 1000
_LARGEST_BOUND = (1 << 63) - 1
_MOST_BITS = 5
_MOST_FRAMES = 1024
_MOST_INTERVALS = 1_000_000
_TSERIES_FUNCTIONS = {
    function.value: function
    for function in map_values.TSeriesFunction
    if function is not map_values.TSeriesFunction.NONE
}
_CLOCKS = {clock.value: clock for clock in Clock}


@dataclass(slots=True)
class BuiltinTypes:
    kernel: Kernel
    config: Config
    sink: DiagnosticSink
    fields: Fields
    _curtask: list[Type] = field(default_factory=list)

    # ----------------------------------------------------------------------------------------------------- variables

    def variable(self, node: ast.Builtin, program: BpfProgram) -> Type:
        result: Type | None = node.builtin.result
        space = spaces.of_probe(program.probe_type)
        match node.name:
            case "args":
                return self._args(node, program)
            case "ctx" if program.probe_type.context is Context.ITERATOR:
                return self.fields.arguments(program)
            case "ctx" if program.probe_type.context is Context.PERF_EVENT:
                data = self.kernel.struct("bpf_perf_event_data") or Struct("bpf_perf_event_data")
                return Pointer(dataclasses.replace(data, context=True), AddressSpace.KERNEL, context=True)
            case "ctx":
                registers = self.kernel.struct("pt_regs") or Struct("pt_regs")
                return Pointer(in_space(registers, AddressSpace.KERNEL), AddressSpace.KERNEL)
            case "retval":
                return self._retval(node, program)
            case "curtask":
                return self._task()
            case "probe" if program.attach_points[0].has_late_name:
                return String(TARGET_NAME_SIZE)
            case "func":
                return String(TARGET_NAME_SIZE) if program.probe_type.name in _USER_FUNCTIONS else KSym()
            case "kstack":
                return KStack(mode=self._kernel_mode(node))
            case "ustack":
                return UStack(mode=self.config.stack_mode)
            case "dw_ustack":
                return UStack(mode=self._addresses_only(node, self.config.stack_mode))
            case "probe":
                return String(len(encode(program.attach_points[0].name)) + 1)
            case "probetype":
                return String(len(program.probe_type.name) + 1)
            case _ if node.name.startswith("arg"):
                return in_space(UINT64, space)
            case _:
                assert result is not None, f"builtin {node.name} has no type"
                return result

    def _args(self, node: ast.Builtin, program: BpfProgram) -> Type:
        if not program.argument_types:
            self.sink.error("probe-arguments", "Cannot read function parameters", node.span)
            return NONE
        return self.fields.arguments(program)

    def _retval(self, node: ast.Builtin, program: BpfProgram) -> Type:
        match program.probe_type.name:
            case "fentry" | "fexit":
                result = program.argument_types[-1] if program.argument_types else None
                if result is None or result.name != "retval" or isinstance(result.type, Void | None_):
                    self.sink.error("probe-arguments", "Can't find a field $retval", node.span)
                    return NONE
                return in_space(result.type, AddressSpace.KERNEL)
            case _:
                return in_space(UINT64, spaces.of_probe(program.probe_type))

    def _task(self) -> Type:
        if not self._curtask:
            task = self.kernel.struct("task_struct") or Struct("task_struct")
            self._curtask.append(Pointer(in_space(task, AddressSpace.KERNEL), AddressSpace.KERNEL))
        return self._curtask[0]

    # --------------------------------------------------------------------------------------------------------- calls

    def call(self, node: ast.Call, types: Sequence[Type], program: BpfProgram) -> Type:
        """The type of a call; `types` are those of its arguments, NONE for one that is not a value."""
        result: Type | None = node.builtin.result
        arguments = node.arguments
        match node.name:
            case "str":
                return self._str(node, arguments)
            case "getopt":
                return named_type(node, self.config.max_strlen)
            case "buf":
                return self._buf(arguments, types)
            case "ntop":
                return Inet(INET_SIZE)
            case "path":
                return self._path(arguments)
            case "kaddr" | "percpu_kaddr":
                return in_space(UINT64, AddressSpace.KERNEL)
            case "uaddr":
                pointee = program.symbol_types.get(node, UINT64)
                return Pointer(in_space(pointee, AddressSpace.USER), AddressSpace.USER)
            case "kstack" | "ustack" | "dw_ustack":
                return self._stack(node)
            case "kptr" | "uptr":
                return _pointing(types[0], AddressSpace.KERNEL if node.name == "kptr" else AddressSpace.USER)
            case "reg":
                return in_space(UINT64, spaces.of_probe(program.probe_type))
            case "bswap":
                return self._bswap(node, types[0])
            case "nsecs":
                return self._nsecs(node)
            case "pton":
                text = arguments[0].value if isinstance(arguments[0], ast.String) else ""
                return Array(UINT8, 16 if ":" in text else 4)
            case "strftime":
                clock = types[1].clock if isinstance(types[1], Integer) else Clock.BOOT
                return NONE if isinstance(types[1], None_) else Timestamp(clock)
            case _:
                assert result is not None, f"function {node.name} has no type"
                return result

    def _kernel_mode(self, node: ast.Builtin) -> StackMode:
        if self.config.stack_mode is not StackMode.BUILD_ID:
            return self.config.stack_mode
        message = "'build_id' stack mode can only be used for ustack. Falling back to 'raw' mode."
        self.sink.warning("stack-mode", message, node.span)
        return StackMode.RAW

    def _stack(self, node: ast.Call) -> Type:
        mode, limit = self.config.stack_mode, DEFAULT_STACK_LIMIT
        rest = list(node.arguments)
        match rest:
            case [ast.Identifier(name) as argument, *rest]:
                modes = {mode.value: mode for mode in StackMode}
                if name not in modes:
                    message = f"Error parsing stack mode: {node.name}: {NO_STACK_MODE}"
                    self.sink.error("stack-mode", message, argument.span)
                mode = modes.get(name, mode)
            case [_, last]:
                self.sink.error("stack-mode", "Expected stack mode as first argument", node.span)
                rest = [last]
        match rest:
            case [ast.PositionalParameter()]:
                pass  # as many as there is room for, at most
            case [ast.Integer(value)] if 0 < value <= _MOST_FRAMES:
                limit = value
            case [ast.Integer(value)] if value > _MOST_FRAMES:
                message = f"{node.name}([int limit]): limit shouldn't exceed {_MOST_FRAMES}, {value} given"
                self.sink.error("stack-limit", message, node.span)
            case [_]:
                self.sink.error("stack-limit", f"{node.name}: invalid limit value", node.span)
        if node.name == "ustack":
            return UStack(limit, mode)
        mode = self._addresses_only(node, mode)
        return UStack(limit, mode) if node.name == "dw_ustack" else KStack(limit, mode)

    def _addresses_only(self, node: ast.Builtin | ast.Call, mode: StackMode) -> StackMode:
        if mode is StackMode.BUILD_ID:
            self.sink.error("stack-mode", "'build_id' stack mode can only be used for ustack", node.span)
        return mode

    def _str(self, node: ast.Call, arguments: Sequence[ast.Expression]) -> Type:
        size = self.config.max_strlen
        match arguments:
            case [_, ast.Integer(length)] if length < 0:
                self.sink.error("argument-value", f"strcannot use negative length ({length})", node.span)
            case [_, ast.Integer(length)] if length + 1 > size:
                self.sink.warning(
                    "string-length",
                    f"length param ({length}) is too long and will be shortened to {size} bytes "
                    "(see BPFTRACE_MAX_STRLEN)",
                    node.span,
                )
            case [_, ast.Integer(length)]:
                size = length + 1
        return String(size)

    def _path(self, arguments: Sequence[ast.Expression]) -> Type:
        match arguments:
            case [_, ast.Integer(size)] if size > 0:
                return String(size)
            case _:
                return String(self.config.max_strlen)

    def _buf(self, arguments: Sequence[ast.Expression], types: Sequence[Type]) -> Type:
        most = self.config.max_strlen - Buffer.HEADER_SIZE
        match arguments, types:
            case [_], [Array() as array]:
                return Buffer(min(array.size, most))
            case [_], [None_()]:
                return NONE
            case [_, ast.Integer(length)], _ if length >= 0:
                return Buffer(min(length, most))
            case _:
                return Buffer(most)

    def _bswap(self, node: ast.Call, type_: Type) -> Type:
        match type_:
            case None_():
                return NONE
            case Integer(bits=bits):
                return Integer(bits, False)
            case _:
                self.sink.error(
                    "argument-type", f"bswap() only supports integer arguments ({kind_name(type_)} provided)", node.span
                )
                return NONE

    def _nsecs(self, node: ast.Call) -> Type:
        argument = node.arguments[0]
        if not isinstance(argument, ast.Identifier):
            given = kind_name(argument.type)
            message = f"nsecs() only supports timestamp_mode arguments ({given} provided)"
            self.sink.error("argument-type", message, node.span)
            return NONE
        clock = _CLOCKS.get(argument.name)
        if clock is None:
            self.sink.error("argument-value", f"Invalid timestamp mode: {argument.name}", argument.span)
            return NONE
        return dataclasses.replace(UINT64, clock=clock)

    # -------------------------------------------------------------------------------------------------- aggregations

    def aggregation(self, call: ast.Call, types: Sequence[Type]) -> Type | None:
        """What a map value function makes of its map; None if it was reported."""
        match call.name:
            case "count":
                return map_values.Count()
            case "hist":
                return self._hist(call)
            case "lhist":
                return self._lhist(call)
        if not isinstance(types[0], Integer):
            message = f"{call.name}() only supports integer arguments ({types[0]} provided)"
            self.sink.error("argument-type", message, call.span)
            return None
        signed = types[0].signed
        match call.name:
            case "sum":
                return map_values.Sum(signed)
            case "min":
                return map_values.Min(signed)
            case "max":
                return map_values.Max(signed)
            case "avg":
                return map_values.Avg(signed)
            case "stats":
                return map_values.Stats(signed)
            case "tseries":
                return self._tseries(call, signed)
            case _:
                raise AssertionError(f"map value function {call.name} has no type")

    def _hist(self, call: ast.Call) -> Type | None:
        if len(call.arguments) == 1:
            return map_values.Hist(0)
        bits = call.arguments[1]
        if not isinstance(bits, ast.Integer):
            self.sink.error("argument-value", "hist: invalid bits value, need integer literal", call.span)
            return None
        if not 0 <= bits.value <= _MOST_BITS:
            self.sink.error("argument-value", f"hist: bits {bits.value} must be 0..{_MOST_BITS}", call.span)
            return None
        return map_values.Hist(bits.value)

    def _lhist(self, call: ast.Call) -> Type | None:
        _, low, high, step = call.arguments
        for what, node in (
            ("min value (must be non-negative literal)", low),
            ("max value (must be non-negative literal)", high),
            ("step value", step),
        ):
            if not isinstance(node, ast.Integer) or node.value < 0:
                self.sink.error("argument-value", f"lhist: invalid {what}", call.span)
                return None
        assert isinstance(low, ast.Integer) and isinstance(high, ast.Integer) and isinstance(step, ast.Integer)
        problem = _lhist_problem(low.value, high.value, step.value)
        if problem:
            self.sink.error("argument-value", problem, call.span)
            return None
        return map_values.LHist(low.value, high.value, step.value)

    def _tseries(self, call: ast.Call, signed: bool) -> Type | None:
        _, interval, intervals, *function = call.arguments
        for what, node, most in (("interval_ns", interval, None), ("num_intervals", intervals, _MOST_INTERVALS)):
            if not isinstance(node, ast.Integer) or node.value < 0:
                message = f"tseries: invalid {what} value (must be non-negative literal)"
            elif node.value < 1:
                message = f"tseries() {what} must be >= 1 ({node.value} provided)"
            elif most is not None and node.value > most:
                message = f"tseries() {what} must be < {most} ({node.value} provided)"
            else:
                continue
            self.sink.error("argument-value", message, call.span)
            return None
        name = function[0].value if function and isinstance(function[0], ast.String) else None
        if name is not None and name not in _TSERIES_FUNCTIONS:
            message = (
                "tseries() expects one of the following aggregation functions: "
                f'{", ".join(_TSERIES_FUNCTIONS)} ("{name}" provided)'
            )
            self.sink.error("argument-value", message, call.span)
            return None
        combined = _TSERIES_FUNCTIONS[name] if name else map_values.TSeriesFunction.NONE
        assert isinstance(interval, ast.Integer) and isinstance(intervals, ast.Integer)
        return map_values.TSeries(interval.value, intervals.value, combined, signed)

    def merged(self, call: ast.Call, current: Type, new: Type) -> Type | None:
        """What a map is that two calls of the same function fill."""
        match current, new:
            case map_values.Hist(), map_values.Hist() if current != new:
                self.sink.error("hist-bits", "Different bits in a single hist unsupported", call.span)
                return None
            case map_values.LHist(), map_values.LHist() if current != new:
                self.sink.error("lhist-bounds", "Different lhist bounds in a single map unsupported", call.span)
                return None
            case map_values.TSeries(), map_values.TSeries() if current.windows != new.windows:
                self.sink.error("tseries-bounds", "Different tseries bounds in a single map unsupported", call.span)
                return None
            case _ if current.is_signed or not new.is_signed:
                return current
            case _:
                return new


def _lhist_problem(low: int, high: int, step: int) -> str:
    if step < _LEAST_BUCKETS:
        return f"lhist() step must be >= 1 ({step} provided)"
    if max(high, step) > _LARGEST_BOUND:
        return f"lhist() max and step must be <= {_LARGEST_BOUND} (provided max {high} and step {step})"
    if low > high:
        return f"lhist() min must be less than max (provided min {low} and max {high})"
    if high - low < step:
        return f"lhist() step is too large for the given range (provided step {step} for range {high - low})"
    buckets = (high - low) // step
    if buckets > _MOST_BUCKETS:
        return f"lhist() too many buckets, must be <= {_MOST_BUCKETS} (would need {buckets})"
    return ""


def _pointing(type_: Type, space: AddressSpace) -> Type:
    match type_:
        case Pointer() | Integer():
            return dataclasses.replace(type_, space=space)
        case _:
            return type_


def kind_name(type_: Type) -> str:
    """What messages call a sort of type, without size and name."""
    match type_:
        case Integer():
            return "int"
        case Pointer():
            return "pointer"
        case Struct():
            return "c_type"
        case Array():
            return "array"
        case String():
            return "string"
        case Buffer():
            return "buffer"
        case Inet():
            return "inet"
        case _ if type(type_).__name__ in ("Tuple", "Record"):
            return type(type_).__name__.lower()
        case _ if type(type_).__name__ in ("KStack", "UStack"):
            return type(type_).__name__.lower()
        case _:
            return str(type_)
