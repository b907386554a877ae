"""Pass: type resolution.

Before: names, variables and maps have symbols. After: every expression, variable, map key and map value has its type,
every FieldAccess the field that it names. Reported: what has no type because its parts do not go together.

Types flow from every assignment to every use, through all probes, so the whole program is swept until nothing changes.
A sweep only ever makes the type of a variable, key or value larger (compiler.types.promotion), so this ends. A type
that is not known yet is NONE, about which nothing is reported: the variable may be assigned further down.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis import comptime, operators, spaces, type_names
from compiler.analysis.builtin_types import BuiltinTypes
from compiler.analysis.config import Config
from compiler.analysis.fields import Fields
from compiler.analysis.maps import MapTable
from compiler.analysis.parameters import NUMBER, used_as, used_by
from compiler.analysis.places import grown, may_be_assigned, read_type, stored_type
from compiler.analysis.program import BpfProgram, MapSymbol, VariableSymbol
from compiler.analysis.report import Report
from compiler.builtins import Builtin, Kind
from compiler.interop.module import CFunction
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import Span
from compiler.types import map_values
from compiler.types.btf_source import is_relocatable
from compiler.types.kernel import Kernel
from compiler.types.lattice import (
    BOOL,
    INT8,
    INT16,
    INT32,
    INT64,
    NONE,
    UINT64,
    VOID,
    AddressSpace,
    Array,
    Enum,
    Integer,
    None_,
    Pointer,
    Record,
    String,
    Tuple,
    Type,
    in_space,
)
from compiler.types.promotion import promoted

_MAX_SWEEPS = 50
_MAX_CHANGES = 4
"""Sweeps for each variable and map: what one is assigned may be known only when all that are written later are."""


def run(programs: Sequence[BpfProgram], table: MapTable, kernel: Kernel, config: Config, sink: DiagnosticSink) -> None:
    resolver = _Resolver(table, kernel, config, Report())
    resolver.solve(programs)
    resolver.report.flush(sink)


def integer_literal(value: int) -> Integer:
    """The smallest signed type that holds a literal; a non-negative one takes either sign."""
    for type_ in (INT8, INT16, INT32, INT64):
        if -(2 ** (type_.bits - 1)) <= value < 2 ** (type_.bits - 1):
            return Integer(type_.bits, True, flexible=value >= 0)
    return UINT64


_AGGREGATE_EXAMPLES: dict[type[Type], str] = {
    map_values.Count: "count()",
    map_values.Sum: "sum(retval)",
    map_values.Min: "min(retval)",
    map_values.Max: "max(retval)",
    map_values.Avg: "avg(retval)",
    map_values.Hist: "hist(retval)",
    map_values.LHist: "lhist(rand %10, 0, 10, 1)",
    map_values.TSeries: "tseries(rand %10, 10s, 1)",
    map_values.Stats: "stats(arg2)",
}


class _Resolver:
    def __init__(self, table: MapTable, kernel: Kernel, config: Config, report: Report) -> None:
        self.table = table
        self.kernel = kernel
        self.config = config
        self.report = report
        self.fields = Fields(report)
        self.builtins = BuiltinTypes(kernel, config, report, self.fields)
        self.text = String(config.max_strlen)
        """A parameter where it is text: its length is the target's to know."""
        self.changed = False
        self.program: BpfProgram
        self.types: Kernel
        # Variables whose declaration settles their type, so that no assignment changes it.
        self.declared: set[VariableSymbol] = set()
        self.variables: set[VariableSymbol] = set()
        """Those that have a type."""
        self.aggregated: dict[MapSymbol, Type] = {}
        """What each aggregation's argument has been so far."""
        self.words: dict[ast.PositionalParameter, Type] = {}
        """Positional parameters that are no numbers where they stand."""
        self.has_undecided = False
        """Whether such a parameter went where nothing else has been yet, so that its use does not say what it is."""
        self.decides = False
        """Whether those are numbers: once all others have had their say."""

    def solve(self, programs: Sequence[BpfProgram]) -> None:
        """Types first without what `comptime` guards, then, round by round, with what turns out to be in it."""
        while True:  # each round takes at least one `comptime` away
            self.forget()
            self.fixpoint(programs)
            decider = comptime.Decider(self.report)
            decider.run(programs)
            if not decider.changed:
                break
        for node in decider.open:
            self.report.error("comptime", "Unable to resolve comptime expression", node.span)
        self.table.keep_used(programs)
        # A map that only ever counts itself up (`@x++`) starts from 0; others may follow from it.
        while open_ := {symbol for symbol in self.table.symbols.values() if isinstance(symbol.value_type, None_)}:
            for symbol in open_ & _counting(programs) or open_:
                symbol.value_type = INT8
            self.fixpoint(programs)

    def forget(self) -> None:
        """Begins anew: what was in a branch that is gone must leave no trace."""
        for symbol in self.table.symbols.values():
            symbol.value_type = NONE
            if symbol.key_type is not None:
                symbol.key_type = NONE
        for variable in self.variables:
            variable.type = NONE
        self.variables.clear()
        self.declared.clear()
        self.aggregated.clear()
        self.words.clear()
        self.has_undecided = self.decides = False

    def fixpoint(self, programs: Sequence[BpfProgram]) -> None:
        sweeps = 0
        while sweeps < _MAX_SWEEPS + _MAX_CHANGES * (len(self.table.symbols) + len(self.variables)):
            sweeps += 1
            self.changed = False
            self.report.forget_warnings()
            for program in programs:
                self.program = program
                self.types = program.types(self.kernel)
                if program.probe.predicate:
                    self.expression(program.probe.predicate)
                self.block(program.probe.body)
            if self.changed:
                continue
            if self.decides or not self.has_undecided:
                return
            self.decides = True
        raise AssertionError("types do not settle")

    # ---------------------------------------------------------------------------------------------------- statements

    def block(self, block: ast.Block) -> Type:
        for statement in block.statements:
            self.statement(statement)
        return stored_type(self.expression(block.result)) if block.result else NONE

    def statement(self, node: ast.Statement) -> None:
        match node:
            case ast.ExpressionStatement(expression) | ast.Discard(expression):
                self.expression(expression)
            case ast.VariableDeclaration():
                self.declaration(node)
            case ast.Assign(ast.Variable() as variable, None, value):
                self.assign_variable(variable, self.value(value, variable.symbol.type), node.span)
                self.expression(variable)
            case ast.Assign(ast.MapAccess() as access, None, value):
                self.assign_map(node, access, value)
            case ast.Return(value):
                if value:
                    self.expression(value)
            case ast.Break() | ast.Continue():
                pass
            case ast.While(condition, body):
                self.expression(condition)
                self.block(body)
            case ast.For(variable, iterable, body):
                self.loop_variable(variable, iterable)
                self.expression(variable)
                self.block(body)
            case _:
                raise AssertionError(f"statement {type(node).__name__} has no rule")

    def loop_variable(self, variable: ast.Variable, iterable: ast.Map | ast.Range) -> None:
        if isinstance(iterable, ast.Map):
            symbol: MapSymbol = iterable.symbol
            key, value = symbol.key_type, symbol.value_type
            if key is None or isinstance(key, None_) or isinstance(value, None_):
                return
            if value.is_map_value and not value.is_castable_map_value:
                message = f"Loop expression does not support type: {value}"
                self.report.error("loop-type", message, iterable.span)
                return
            self.set_variable(variable.symbol, Tuple((key, read_type(value))))
            self.declared.add(variable.symbol)  # the map settles its type
            return
        start, end = self.expression(iterable.start), self.expression(iterable.end)
        if isinstance(start, None_) or isinstance(end, None_):
            return
        for what, type_ in (("start", start), ("end", end)):
            if not isinstance(type_, Integer):
                message = f"Loop range requires an integer for the {what} value"
                self.report.error(f"loop-{what}", message, iterable.span)
        if not isinstance(start, Integer) or not isinstance(end, Integer):
            return
        both = (start if start.size == end.size else promoted(start, end)) or start
        # What the body assigns to it may want a larger type.
        self.set_variable(variable.symbol, promoted(variable.symbol.type, both) or both)

    def declaration(self, node: ast.VariableDeclaration) -> None:
        symbol = node.variable.symbol
        if node.declared:
            declared = self.type_expression(node.declared)
            if isinstance(symbol.type, None_):
                self.set_variable(symbol, declared)
            if declared.size:
                self.declared.add(symbol)
        if node.value:
            self.assign_variable(node.variable, self.value(node.value, symbol.type), node.span)
        self.expression(node.variable)

    def set_variable(self, symbol: VariableSymbol, type_: Type) -> None:
        larger = grown(symbol.type, type_)
        if larger is not symbol.type:
            symbol.type = larger
            self.variables.add(symbol)
            self.changed = True

    def set_value(self, symbol: MapSymbol, type_: Type) -> None:
        larger = grown(symbol.value_type, type_)
        if larger is not symbol.value_type:
            symbol.value_type = larger
            self.changed = True

    def assign_variable(self, variable: ast.Variable, type_: Type, span: Span) -> None:
        symbol = variable.symbol
        if symbol in self.declared or isinstance(type_, None_):
            return
        if not may_be_assigned(type_, symbol.type):
            self.report.error("assign-variable", f"Value '{type_}' cannot be assigned to a scratch variable.", span)
            return
        both = promoted(symbol.type, type_)
        if both is None:
            self.report.error(
                "type-mismatch",
                f"Type mismatch for {symbol.name}: trying to assign value of type '{type_}' "
                f"when variable already has a type '{symbol.type}'",
                span,
            )
            return
        self.set_variable(symbol, both)

    def assign_map(self, node: ast.Assign, access: ast.MapAccess, value: ast.Expression) -> None:
        self.expression(access)
        match value:
            case ast.Call(builtin=Builtin(kind=Kind.AGGREGATION)):
                self.aggregate(access.map.symbol, value)
                return
        symbol = access.map.symbol
        type_ = self.value(value, symbol.value_type)
        if isinstance(type_, None_):
            return
        if not may_be_assigned(type_, symbol.value_type, to_map=True):
            self.not_assignable(access, type_, value, node.span)
            return
        self.set_map_value(symbol, type_, node.span)
        access.type = symbol.value_type

    def not_assignable(self, access: ast.MapAccess, type_: Type, value: ast.Expression, span: Span) -> None:
        name = access.map.name
        example = _AGGREGATE_EXAMPLES.get(type(type_))
        if example is None:
            self.report.error("assign-map", f"Value '{type_}' cannot be assigned to a map.", span)
            return
        hints = []
        if isinstance(value, ast.MapAccess) and type_.is_castable_map_value:
            hints = [
                "Add a cast to integer if you want the value of the aggregate, "
                f"e.g. `{name} = (int64){value.map.name};`."
            ]
        self.report.error(
            "assign-map",
            f"Map value '{type_}' cannot be assigned from one map to another. The function that returns this type must "
            f"be called directly e.g. `{name} = {example};`.",
            span,
            hints=hints,
        )

    def set_map_value(self, symbol: MapSymbol, type_: Type, span: Span) -> None:
        current = symbol.value_type
        both = None if current.is_castable_map_value else promoted(current, type_)
        if both is None:
            self.value_mismatch(symbol, type_, span)
        else:
            self.set_value(symbol, both)

    def value_mismatch(self, symbol: MapSymbol, type_: Type, span: Span) -> None:
        self.report.error(
            "type-mismatch",
            f"Type mismatch for {symbol.name}: trying to assign value of type '{type_}' "
            f"when map already has a type '{symbol.value_type}'",
            span,
        )

    def aggregate(self, symbol: MapSymbol, call: ast.Call) -> None:
        types = [self.expression(argument) for argument in call.arguments]
        call.type = VOID
        if any(isinstance(type_, None_) for type_ in types):
            return
        result = self.builtins.aggregation(call, types)
        if result is None:
            return
        if types and call.name not in ("hist", "lhist"):
            both = promoted(self.aggregated.get(symbol, NONE), types[0])
            if both is None:
                self.report.error(
                    "type-mismatch",
                    f"Type mismatch for {call.name}: trying to call function with type '{types[0]}' "
                    f"when it already has a type '{self.aggregated[symbol]}'",
                    call.span,
                )
                return
            self.aggregated[symbol] = both
        current = symbol.value_type
        if isinstance(current, None_):
            merged: Type | None = result
        elif type(current) is type(result):
            merged = self.builtins.merged(call, current, result)
        else:
            self.value_mismatch(symbol, result, call.span)
            return
        if merged is not None:
            self.set_value(symbol, merged)

    def key(self, symbol: MapSymbol, key: ast.Expression, place: ast.Node) -> None:
        """One use of a key: it goes into the type of the map's keys."""
        current = symbol.key_type
        type_ = self.value(key, current or NONE)
        if isinstance(type_, None_) or current is None:
            return
        if not may_be_assigned(type_, current):
            self.report.error("map-key", f"Value '{type_}' cannot be used as a map key.", place.span)
            return
        both = promoted(current, type_)
        if both is None:
            self.report.error(
                "key-mismatch",
                f"Argument mismatch for {symbol.name}: trying to access with arguments: '{type_}' "
                f"when map expects arguments: '{current}'",
                place.span,
            )
        elif (larger := grown(current, both)) is not current:
            symbol.key_type = larger
            self.changed = True

    # --------------------------------------------------------------------------------------------------- expressions

    def expression(self, node: ast.Expression) -> Type:
        """Resolves and notes the type of `node` and of all below it."""
        type_ = self.rule(node)
        node.type = type_
        return type_

    def rule(self, node: ast.Expression) -> Type:
        match node:
            case ast.Variable():
                return node.symbol.type  # type: ignore[no-any-return]
            case ast.Integer(value):
                return node.type if isinstance(node.type, Enum) else integer_literal(value)
            case ast.String():
                return String(len(node.data) + 1)
            case ast.Boolean():
                return BOOL
            case ast.MapAccess(map_, key):
                self.key(map_.symbol, key, node)
                return map_.symbol.value_type  # type: ignore[no-any-return]
            case ast.FieldAccess(target, _):
                return self.fields.access(node, self.expression(target), self.program)
            case ast.Binary():
                return self.binary(node)
            case ast.Builtin():
                return self.builtins.variable(node, self.program)
            case ast.Call():
                return self.call(node)
            case ast.Cast(to, operand):
                return self.cast(self.type_expression(to), self.expression(operand))
            case ast.If():
                return self.conditional(node)
            case ast.Unary():
                return operators.unary(node, self.expression(node.operand), self.report)
            case ast.IncDec():
                return self.increment(node)
            case ast.Tuple(elements):
                types = [read_type(self.expression(element)) for element in elements]
                return NONE if any(isinstance(type_, None_) for type_ in types) else Tuple(tuple(types))
            case ast.TupleAccess(target, index):
                return self.fields.element(node, self.expression(target), index)
            case ast.Record(items):
                fields = tuple((item.name, read_type(self.expression(item.value))) for item in items)
                return NONE if any(isinstance(type_, None_) for _, type_ in fields) else Record(fields)
            case ast.ArrayAccess():
                return self.fields.index(node, self.expression(node.target), self.expression(node.index))
            case ast.Block():
                return self.block(node)
            case ast.PositionalParameter():
                return self.words.get(node, NUMBER)
            case ast.PositionalParameterCount():
                return UINT64
            case ast.SizeOf(operand):
                type_ = self.operand(operand)
                return NONE if isinstance(type_, None_) else _size_type(type_, type_.size)
            case ast.OffsetOf(operand, names):
                type_ = self.operand(operand)
                offset = self.fields.offset(node, type_, names)
                return NONE if offset is None else _size_type(type_, offset)
            case ast.TypeInfo(operand):
                type_ = self.operand(operand)
                return NONE if isinstance(type_, None_) else comptime.typeinfo_type(type_)
            case ast.Comptime(operand):
                return self.expression(operand)
            case ast.AddressOf(target):
                return self.address(target)
            case ast.Map() | ast.Identifier():
                return NONE  # the argument of a function that knows what to do with it
            case _:
                raise AssertionError(f"expression {type(node).__name__} has no rule")

    def value(self, node: ast.Expression, target: Type, before: Type | None = None) -> Type:
        """The type of an expression that goes where a `target` is, or is compared with it.

        `before` is the type that it had before the target was known: only parameters change theirs then, and looking
        at everything again would double the work with each level of nesting.
        """
        used = dict(used_as(node, target, self.text))
        self.words.update(used)
        if isinstance(node, ast.PositionalParameter) and isinstance(target, None_) and not self.decides:
            self.has_undecided = True
            return NONE
        return stored_type(self.expression(node) if used or before is None else before)

    def binary(self, node: ast.Binary) -> Type:
        left = self.expression(node.left)
        if node.op not in operators.COMPARISONS:
            right = self.expression(node.right)
            # The text of a parameter from somewhere on.
            return left if node.left in self.words else operators.binary(node, left, right, self.report)
        right = self.value(node.right, left)
        left = self.value(node.left, right, left)
        return operators.binary(node, left, right, self.report)

    def operand(self, node: ast.Expression | ast.TypeExpression) -> Type:
        return self.type_expression(node) if isinstance(node, ast.TypeExpression) else self.expression(node)

    def type_expression(self, node: ast.TypeExpression) -> Type:
        if isinstance(node, ast.TypeOf):
            operand = node.operand
            if isinstance(operand, ast.MapAccess) and isinstance(operand.map.symbol, MapSymbol):
                self.expression(operand)
            node.type = self.operand(operand)
        elif node.type is None:
            node.type = type_names.resolve(node, self.types, self.report)
        return node.type  # type: ignore[no-any-return]

    def address(self, target: ast.Variable | ast.Map) -> Type:
        type_ = target.symbol.value_type if isinstance(target, ast.Map) else self.expression(target)
        return NONE if isinstance(type_, None_) else Pointer(type_)

    def cast(self, to: Type, operand: Type) -> Type:
        if isinstance(to, None_) or isinstance(operand, None_):
            return NONE
        if isinstance(to, Array):
            if not to.count and to.element.size and operand.size % to.element.size == 0:
                to = Array(to.element, operand.size // to.element.size)
            return to  # the bytes of the operand, in our own memory
        match operand:
            case Pointer(context=True) if to == operand:
                return operand
            case Pointer(space=space):
                return in_space(to, space)
            case Integer(space=space) if space is not AddressSpace.NONE or isinstance(to, Integer):
                return in_space(to, space)
            case _:
                return in_space(to, spaces.of_probe(self.program.probe_type))

    def conditional(self, node: ast.If) -> Type:
        if isinstance(node.condition, ast.Comptime):
            self.expression(node.condition)
            return NONE  # one of the branches will be in its place
        self.expression(node.condition)
        then = self.expression(node.then)
        if node.orelse is None:
            return NONE  # a value only if the condition holds is none
        orelse = self.value(node.orelse, then)
        then = self.value(node.then, orelse, then)
        if isinstance(then, None_) or isinstance(orelse, None_):
            return orelse if isinstance(then, None_) else then
        both = promoted(then, orelse)
        if both is None:
            self.report.error(
                "branch-mismatch",
                f"Branches must return the same type or compatible types: have '{then}' and '{orelse}'",
                node.span,
            )
            return NONE
        return both

    def increment(self, node: ast.IncDec) -> Type:
        target = node.target
        current = self.expression(target)
        if isinstance(current, None_):
            return NONE
        if isinstance(current, Pointer):
            return current
        if isinstance(target, ast.Variable) and target.symbol in self.declared:
            return current
        result: Type = INT64 if current.is_signed or node.op == "--" else UINT64
        if isinstance(target, ast.Variable):
            self.assign_variable(target, result, node.span)
            return result
        assert isinstance(target, ast.MapAccess)
        self.set_map_value(target.map.symbol, result, node.span)
        target.type = target.map.symbol.value_type
        return result

    def call(self, node: ast.Call) -> Type:
        if isinstance(node.builtin, CFunction):
            for argument in node.arguments:
                self.expression(argument)
            return node.builtin.result
        assert isinstance(node.builtin, Builtin)
        match node.arguments:
            case [ast.Map() as map_, key] if node.name in ("has_key", "delete"):
                self.key(map_.symbol, key, node)
                return BOOL
        self.words.update(used_by(node, self.text))
        types = [self.expression(argument) for argument in node.arguments]
        return self.builtins.call(node, types, self.program)


def _size_type(of: Type, size: int) -> Integer:
    """The type of a sizeof or offsetof: a literal's, unless the target is asked."""
    return NUMBER if is_relocatable(of) else integer_literal(size)


def _counting(programs: Sequence[BpfProgram]) -> set[MapSymbol]:
    """The maps whose next value comes of the last one."""
    found: set[MapSymbol] = set()
    for node in (node for program in programs for node in program.probe.walk()):
        match node:
            case ast.IncDec(_, ast.MapAccess(map_)):
                found.add(map_.symbol)
            case ast.Assign(ast.MapAccess(map_), _, value):
                if any(isinstance(part, ast.MapAccess) and part.map.symbol is map_.symbol for part in value.walk()):
                    found.add(map_.symbol)
    return found
