"""Pass: explicit conversions.

Before: types are resolved and checked. After: wherever a value's type differs from the one that its place wants, there
is an implicit Cast, or the literal has been given that type; sizeof and offsetof are numbers; `tuple[0]` is `tuple.0`;
a member is accessed through at most one pointer; `args` as a whole is a Record of its fields, typed as a Struct.
Reported: values that do not fit their place.

Two places keep what they get. The operands of a string comparison may differ in length: casting `"a"` to a string of
1024 bytes would be all cost. A condition may be an integer or a pointer: it holds unless that is zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from compiler.analysis import comptime, spaces
from compiler.analysis.fields import Fields
from compiler.analysis.maps import key_type
from compiler.analysis.operators import COMPARISONS, LOGICAL
from compiler.analysis.program import BpfProgram, VariableSymbol
from compiler.interop.module import CFunction
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.btf_source import is_relocatable
from compiler.types.lattice import (
    INT8,
    INT32,
    INT64,
    UINT8,
    UINT32,
    UINT64,
    AddressSpace,
    Bool,
    Buffer,
    Integer,
    None_,
    Pointer,
    Record,
    String,
    Struct,
    Tuple,
    Type,
    Void,
)
from compiler.types.promotion import fits_into, promoted


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    for program in programs:
        pass_ = _Casts(program, sink)
        ast.replace_children(program.probe, pass_.visit)


def implicit(node: ast.Expression, to: Type) -> ast.Expression:
    if node.type.is_castable_map_value and isinstance(node, ast.Block | ast.If):
        return _read_inside(node, to)
    written = ast.NamedType(str(to), span=node.span)
    written.type = to
    cast = ast.Cast(written, node, implicit=True, span=node.span)
    cast.type = to
    return cast


def _read_inside(node: ast.Block | ast.If, to: Type) -> ast.Expression:
    """Reads the aggregation that a block or a branch is the value of where that stands: it has no value elsewhere."""
    parts = ("result",) if isinstance(node, ast.Block) else ("then", "orelse")
    for part in parts:
        value = getattr(node, part)
        if not isinstance(value.type, None_):  # a branch that ends the program
            setattr(node, part, implicit(value, to))
    node.type = to
    return node


def _wide(type_: Type) -> Integer:
    """The 64-bit integer of the same sign."""
    return INT64 if type_.is_signed else UINT64


class _Casts:
    def __init__(self, program: BpfProgram, sink: DiagnosticSink) -> None:
        self.program = program
        self.sink = sink
        self.fields = Fields(sink)

    # ------------------------------------------------------------------------------------------------------ the walk

    def visit(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.FieldAccess(ast.Builtin("args")):
                return node  # the field alone is read
            case (ast.Builtin("args") as context) | ast.Unary("*", ast.Builtin("args") as context):
                return self.arguments(context)
        ast.replace_children(node, self.visit)
        match node:
            case ast.Assign() | ast.VariableDeclaration():
                self.assignment(node)
            case ast.MapAccess():
                self.map_key(node)
            case ast.Binary():
                self.binary(node)
            case ast.If():
                self.branches(node)
            case ast.Call(name) if name in comptime.PREDICATES or name in ("is_literal", "is_scalar"):
                value = comptime.evaluate(node, self.sink)
                if value is not None:  # The argument has a type: else that is reported.
                    value.type = node.type
                    return value
            case ast.Call():
                self.call(node)
            case ast.Tuple(elements):
                node.elements = [self.number(element) for element in elements]
            case ast.Record(items):
                for item in items:
                    item.value = self.number(item.value)
            case ast.Block():
                # A variable that is declared and nothing else needs no place.
                node.statements = [item for item in node.statements if not _declares_nothing(item)]
            case ast.Cast(_, operand) if node.type.is_map_value:
                return operand  # of the same type, as nothing else is cast to it
            case ast.Cast(_, operand) if operand.type.is_castable_map_value and not isinstance(operand, ast.MapAccess):
                node.operand = self.number(operand)
            case ast.FieldAccess():
                node.target = _one_pointer(node.target)
            case ast.Unary("*", operand) if isinstance(operand.type, Struct):
                return operand  # `**args` means `args`, too
            case ast.Unary("*", operand) if isinstance(operand.type, Integer):
                # A number is an address of as many bits as it has itself.
                yields, pointer = node.type, Pointer(operand.type, self.space(operand.type))
                node.operand, node.type = implicit(operand, pointer), pointer.pointee
                return implicit(node, yields) if node.type != yields else node
            case ast.ArrayAccess(target, index) if isinstance(target.type, Tuple):
                assert isinstance(index, ast.Integer)
                access = ast.TupleAccess(target, index.value, span=node.span)
                access.type = node.type
                return access
            case ast.ArrayAccess(_, index):
                node.index = self.to_integer(index, UINT64)
            case ast.SizeOf(operand) | ast.OffsetOf(operand) if is_relocatable(operand.type):
                node.operand = ast.NamedType(str(operand.type), span=operand.span)
                node.operand.type = operand.type
            case ast.SizeOf(operand):
                return _number(node, operand.type.size)
            case ast.TypeInfo():
                return _typed_record(comptime.typeinfo(node), node.type)
            case ast.OffsetOf(operand, names):
                offset = comptime.offset(operand.type, names)
                assert offset is not None
                return _number(node, offset)
            case ast.While(condition):
                node.condition = self.number(condition)
            case ast.For(variable, ast.Range(start, end) as range_):
                type_ = variable.symbol.type
                range_.start, range_.end = self.to_integer(start, type_), self.to_integer(end, type_)
            case ast.Return(value) if value is not None:
                node.value = self.to_integer(value, INT64)
        return node

    def arguments(self, node: ast.Builtin) -> ast.Expression:
        """`args` as a value: all of its fields, read one by one."""
        assert isinstance(node.type, Struct)
        type_ = dataclasses.replace(node.type, context=False)
        items: list[ast.NamedArgument] = []
        for member in type_.fields:
            context = ast.Builtin(node.name, span=node.span)
            context.builtin, context.type = node.builtin, node.type
            access = ast.FieldAccess(context, member.name.removeprefix("$"), span=node.span)
            access.type = self.fields.access(access, node.type, self.program)
            items.append(ast.NamedArgument(member.name, access, span=node.span))
        value = ast.Record(items, span=node.span)
        value.type = type_
        return value

    def assignment(self, node: ast.Assign | ast.VariableDeclaration) -> None:
        value = node.value
        if value is None or isinstance(value.type, None_ | Void):
            return  # no value, or an aggregation, which is no value either
        match node:
            case ast.VariableDeclaration(variable) | ast.Assign(ast.Variable() as variable):
                assert isinstance(variable.symbol, VariableSymbol)
                name, target, what = variable.name, variable.symbol.type, "variable already has a type"
            case ast.Assign(ast.MapAccess(map_)):
                name, target, what = map_.name, map_.symbol.value_type, "map already has a value type"
            case _:
                raise AssertionError("maps are assigned through an access")
        converted = self.convert(value, target)
        if converted is None:
            self.sink.error(
                "type-mismatch",
                f"Type mismatch for {name}: trying to assign value of type '{value.type}' when {what} '{target}'",
                node.span,
            )
        else:
            node.value = converted

    def map_key(self, node: ast.MapAccess) -> None:
        node.key = self.key(node, node.map, node.key)

    def key(self, node: ast.Expression, map_: ast.Map, key: ast.Expression) -> ast.Expression:
        target = key_type(map_.symbol)
        converted = self.convert(key, target)
        if converted is None:
            self.sink.error(
                "key-mismatch",
                f"Type mismatch for {map_.name}: trying to assign key of type '{key.type}' "
                f"when map already has a key type '{target}'",
                node.span,
            )
            return key
        return converted

    def binary(self, node: ast.Binary) -> None:
        left, right = node.left.type, node.right.type
        if node.op in LOGICAL:
            node.left, node.right = self.number(node.left), self.number(node.right)
            return
        if isinstance(left, String) or isinstance(right, String):
            return
        if left == right and (node.op in COMPARISONS or not isinstance(left, Integer)):
            return
        if isinstance(left, Pointer) or isinstance(right, Pointer):
            self.pointer_operands(node)
            return
        target: Type | None = node.type
        if node.op in COMPARISONS:
            target = promoted(_without_bool(left), _without_bool(right))
        if isinstance(target, Integer):
            node.left, node.right = self.operand(node.left, target), self.operand(node.right, target)
        elif target is not None:
            node.left = self.convert(node.left, target) or node.left
            node.right = self.convert(node.right, target) or node.right

    def operand(self, node: ast.Expression, target: Integer) -> ast.Expression:
        """An operand of arithmetic or of a comparison. A literal that does not fit is cut, as in C."""
        node = self.number(node)
        if isinstance(node.type, Bool):
            return implicit(node, target)
        return self.convert(node, target) or implicit(node, target)

    def pointer_operands(self, node: ast.Binary) -> None:
        """An offset is as wide as an address; a comparison is one of addresses."""
        for name in ("left", "right"):
            operand = getattr(node, name)
            if isinstance(operand.type, Integer | Bool):
                setattr(node, name, self.to_integer(self.number(operand), _wide(operand.type)))

    def branches(self, node: ast.If) -> None:
        node.condition = self.number(node.condition)
        if isinstance(node.type, None_) or node.orelse is None:
            return
        node.then = self.branch(node.then, node.type)
        node.orelse = self.branch(node.orelse, node.type)

    def branch(self, node: ast.Expression, target: Type) -> ast.Expression:
        """The value of a branch; one without a value ends the program and needs no type."""
        if isinstance(node.type, None_) or node.type == target:
            return node
        if isinstance(node, ast.Block) and node.result is not None:
            node.result = self.branch(node.result, target)
            node.type = target
            return node
        return self.convert(node, target) or node

    # --------------------------------------------------------------------------------------------------------- calls

    def call(self, node: ast.Call) -> None:
        arguments = node.arguments
        if isinstance(node.builtin, CFunction):
            for index, parameter in enumerate(node.builtin.parameters):
                if isinstance(parameter.type, Integer):
                    arguments[index] = self.to_integer(arguments[index], parameter.type, warn=True)
            return
        match node.name, arguments:
            case (("has_key" | "delete"), [ast.Map() as map_, key]):
                arguments[1] = self.key(node, map_, key)
            case (("str" | "buf"), [data, *length]):
                arguments[0] = self.address(data)
                arguments[1:] = [self.to_integer(item, UINT64) for item in length]
            case "macaddr", [data]:
                arguments[0] = self.address(data)
            case "join", [array, *_]:
                arguments[0] = self.address(array, Pointer(INT8, AddressSpace.NONE))
            case (("ksym" | "usym" | "unwatch"), [address]):
                arguments[0] = self.to_integer(address, UINT64)
            case "cgroup_path", [cgroup, *_]:
                arguments[0] = self.to_integer(cgroup, UINT64)
            case (("signal" | "signal_thread"), [number]) if not isinstance(number, ast.String):
                arguments[0] = self.to_integer(number, UINT32)
            case "write_user", [target, _, size]:
                arguments[0] = self.to_integer(target, UINT64)
                arguments[2] = self.to_integer(size, UINT64)
            case (("strerror" | "signal_name" | "syscall_name"), [number]):
                arguments[0] = self.to_integer(number, INT32)
            case "memcmp", [_, _, count]:
                arguments[2] = self.to_integer(count, UINT64)
            case "override", [result]:
                arguments[0] = self.to_integer(result, UINT64)
            case "exit", [code]:
                arguments[0] = self.to_integer(code, UINT8, warn=False)
            case (("sum" | "min" | "max" | "avg" | "stats" | "hist" | "lhist" | "tseries"), [value, *_]):
                symbol_signed = isinstance(value.type, Integer) and value.type.signed
                arguments[0] = self.to_integer(value, INT64 if symbol_signed else UINT64)
            case "strftime", [_, timestamp]:
                arguments[1] = self.to_integer(timestamp, UINT64, warn=False)
            case (("printf" | "errorf" | "warnf" | "debugf" | "print" | "cat" | "system"), _):
                arguments[:] = [self.number(argument) for argument in arguments]

    def address(self, node: ast.Expression, pointee: Type = INT8) -> ast.Expression:
        """An integer that is used as an address becomes a pointer to what it is read as."""
        if not isinstance(node.type, Integer):
            return node
        space = self.space(node.type)
        return implicit(node, Pointer(pointee, space))

    def space(self, type_: Integer) -> AddressSpace:
        if type_.space is AddressSpace.NONE:
            return spaces.of_probe(self.program.probe_type)
        return type_.space

    # --------------------------------------------------------------------------------------------------- conversions

    def number(self, node: ast.Expression) -> ast.Expression:
        """An aggregation that reads as an integer, read."""
        return implicit(node, _wide(node.type)) if node.type and node.type.is_castable_map_value else node

    def to_integer(self, node: ast.Expression, target: Integer, *, warn: bool = False) -> ast.Expression:
        """The value as `target`, whatever becomes of it; what is neither integer nor bool nor pointer stays."""
        node = self.number(node)
        if not isinstance(node.type, Integer | Bool | Pointer) or node.type == target:
            return node
        return self.convert(node, target, warn=warn) or implicit(node, target)

    def convert(self, node: ast.Expression, target: Type, *, warn: bool = True) -> ast.Expression | None:
        """`node` with the type `target`, None if that cannot be."""
        source = node.type
        if source == target or (type(source) is type(target) and source.is_castable_map_value):
            return node
        match source, target:
            case _ if _reads_as_integer(source) and _reads_as_integer(target):
                return self._integer(node, source, target, warn)
            case String(), String():
                return implicit(node, target) if fits_into(source, target) else None
            case Tuple(), Tuple() if len(source.elements) == len(target.elements):
                return self._tuple(node, target)
            case Record(), Record() if {name for name, _ in source.fields} == {name for name, _ in target.fields}:
                return self._record(node, target)
            case (Pointer(), Pointer()) | (Buffer(), Buffer()):
                return implicit(node, target)
            case _:
                return None

    def _integer(self, node: ast.Expression, source: Type, target: Type, warn: bool) -> ast.Expression | None:
        if isinstance(node, ast.Integer) and isinstance(target, Integer):
            if not _holds(target, node.value):
                return None
            node.type = dataclasses.replace(target, flexible=False) if type(target) is Integer else target
            return node
        if warn and not source.is_castable_map_value and not fits_into(source, target):
            self.sink.warning(
                "implicit-cast",
                f"Expression of type: {source} being cast to type: {target}. This may cause unexpected results. "
                "Use an explicit cast to suppress this warning.",
                node.span,
            )
        return implicit(node, target)

    def _tuple(self, node: ast.Expression, target: Tuple) -> ast.Expression | None:
        if not isinstance(node, ast.Tuple):
            return implicit(node, target) if self._elements(node, node.type.elements, target.elements) else None
        elements = [self.convert(item, type_) for item, type_ in zip(node.elements, target.elements, strict=True)]
        kept = [item for item in elements if item is not None]
        if len(kept) < len(elements):
            return None
        node.elements = kept
        node.type = target
        return node

    def _record(self, node: ast.Expression, target: Record) -> ast.Expression | None:
        types = dict(target.fields)
        if not isinstance(node, ast.Record):
            pairs = [(type_, types[name]) for name, type_ in node.type.fields]
            fits = self._elements(node, [own for own, _ in pairs], [other for _, other in pairs])
            return implicit(node, target) if fits else None
        for item in node.fields:
            converted = self.convert(item.value, types[item.name])
            if converted is None:
                return None
            item.value = converted
        # The elements stay in the order in which they are evaluated; a cast puts them in the order of the target.
        node.type = Record(tuple((item.name, types[item.name]) for item in node.fields))
        return node if node.type == target else implicit(node, target)

    def _elements(self, node: ast.Expression, sources: Sequence[Type], targets: Sequence[Type]) -> bool:
        """Whether the parts of a composed value can be converted."""
        for source, target in zip(sources, targets, strict=True):
            part = ast.Identifier("", span=node.span)
            part.type = source
            if self.convert(part, target) is None:
                return False
        return True


def _declares_nothing(node: ast.Statement) -> bool:
    return isinstance(node, ast.VariableDeclaration) and isinstance(node.variable.symbol.type, None_)


def _reads_as_integer(type_: Type) -> bool:
    return isinstance(type_, Integer) or type_.is_castable_map_value


def _without_bool(type_: Type) -> Type:
    return UINT8 if isinstance(type_, Bool) else type_


def _holds(type_: Integer, value: int) -> bool:
    if type_.signed:
        return -(1 << type_.bits - 1) <= value < 1 << type_.bits - 1
    return 0 <= value < 1 << type_.bits


def _number(node: ast.Expression, value: int) -> ast.Integer:
    literal = ast.Integer(value, span=node.span)
    literal.type = node.type
    return literal


def _typed_record(node: ast.Record, type_: Type) -> ast.Record:
    assert isinstance(type_, Record)
    node.type = type_
    for item, (_, of_item) in zip(node.fields, type_.fields, strict=True):
        item.value.type = of_item
    return node


def _one_pointer(node: ast.Expression) -> ast.Expression:
    """Follows all but the last of the pointers that lead to a structure."""
    while isinstance(node.type, Pointer) and isinstance(node.type.to, Pointer):
        inner = ast.Unary("*", node, span=node.span)
        inner.type = node.type.pointee
        node = inner
    return node
