"""The types of members and elements, and where they are found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from compiler.analysis import spaces
from compiler.analysis.program import BpfProgram, FieldOrigin, ResolvedField
from compiler.probe_types import ProbeType
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.binary.calling_convention import Argument
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import (
    INT8,
    NONE,
    AddressSpace,
    Array,
    Enum,
    Field,
    Integer,
    None_,
    Pointer,
    Record,
    String,
    Struct,
    StructLayout,
    Tuple,
    Type,
    TypeSource,
    Void,
    in_space,
)

# Pointers with these type tags may be followed like any other.
_HARMLESS_TAGS = frozenset({"rcu", "user"})
_COMMON_FIELDS_SIZE = 8
"""Bytes of a tracepoint's record that the kernel does not let programs read."""
_COMMON_FIELD = "BPF does not support accessing common tracepoint fields"


@dataclass(frozen=True)
class ArgumentSource:
    """The source of the structure that `args` is: the layout of a probe's arguments in the context, and as a value."""

    in_context: StructLayout
    stored: StructLayout

    def layout(self, struct: Struct) -> StructLayout:
        return self.in_context if struct.context else self.stored

    def not_stored(self, name: str) -> str:
        """Why a field of the context is not in the value; empty for a name that is not there either."""
        member = next((item for item in self.in_context.fields if item.name == name), None)
        if member is None:
            return ""
        if isinstance(member.type, None_):
            return f"'{name}' is not in a copy of args: its type is not supported"
        if member.dynamic:
            return f"'{name}' is not in a copy of args: its data lies elsewhere in the tracepoint's record"
        return _COMMON_FIELD

    def struct(self, _name: str) -> None:
        return None

    union = enum = typedef = enumerator = struct

    def enumerators(self, _enum: Enum) -> Mapping[str, int]:
        return {}


def _layout(fields: tuple[Field, ...]) -> StructLayout:
    return StructLayout(max((item.byte_offset + item.type.size for item in fields), default=0), fields)


def _stored_fields(fields: tuple[Field, ...], probe_type: ProbeType) -> tuple[Field, ...]:
    """The fields of `args` as a value of its own, which holds what is in the record itself."""
    if probe_type.name == "tracepoint":
        return tuple(item for item in fields if item.byte_offset >= _COMMON_FIELDS_SIZE and not item.dynamic)
    # An fexit's result is no field of `args`, but upstream's value has it by this name.
    return tuple(
        dataclasses.replace(item, name="$retval") if item.name == "retval" and probe_type.is_return else item
        for item in fields
        if not isinstance(item.type, Void | None_)
    )


def _offset_in_context(node: ast.Expression) -> int:
    """Bits to a structure in the context of a perf event, which is a member or the context itself."""
    match node:
        case ast.FieldAccess(field=ResolvedField(FieldOrigin.CONTEXT, field)):
            return field.offset
        case _:
            return 0


@dataclass(slots=True)
class Fields:
    sink: DiagnosticSink
    _arguments: dict[BpfProgram, Struct] = field(default_factory=dict)

    def arguments(self, program: BpfProgram) -> Struct:
        """The type of `args` in a program."""
        found = self._arguments.get(program)
        if found is None:
            source: TypeSource = ArgumentSource(
                _layout(program.argument_types), _layout(_stored_fields(program.argument_types, program.probe_type))
            )
            name = f"{program.attach_points[0].name}_args"
            found = Struct(name, source=source, context=True)
            self._arguments[program] = found
        return found

    # ------------------------------------------------------------------------------------------------------- members

    def access(self, node: ast.FieldAccess, target: Type, program: BpfProgram) -> Type:
        """`target.name`, through any number of pointers."""
        while isinstance(target, Pointer):
            target = target.pointee
        match target:
            case None_():
                return NONE
            case Record():
                return self._record(node, target)
            case Struct(context=True) if isinstance(target.source, ArgumentSource):
                return self._argument(node, program)
            case Struct(context=True):
                return self._of_context(node, target)
            case Struct():
                return self._member(node, target)
            case _:
                message = f"Can not access field '{node.name}' on expression of type '{target}'"
                self.sink.error("field-access", message, node.span)
                return NONE

    def _record(self, node: ast.FieldAccess, target: Record) -> Type:
        index = target.index(node.name)
        if index is None:
            names = [name for name, _ in target.fields]
            self._unknown(node, f"Record does not contain a field named '{node.name}'", names)
            return NONE
        type_ = target.fields[index][1]
        member = Field(node.name, type_, target.layout.offsets[index] * 8)
        node.field = ResolvedField(FieldOrigin.FIXED, member, target, index)
        return type_

    def _argument(self, node: ast.FieldAccess, program: BpfProgram) -> Type:
        name, probe_type = node.name, program.probe_type.name
        names = [item.name for item in program.argument_types]
        member = next((item for item in program.argument_types if item.name == name), None)
        if member is None:
            if probe_type == "tracepoint":
                of = f"struct {program.attach_points[0].name}_args"
                message = f"Struct/union of type '{of}' does not contain a field named '{name}'"
            else:
                message = f"Can't find function parameter {name}"
            self._unknown(node, message, names)
            return NONE
        if isinstance(member.type, None_):
            is_out_of_reach = isinstance(member, Argument) and member.location is None
            how = "is not passed where a probe can read it" if is_out_of_reach else "has unsupported type"
            self.sink.error("field-type", f"{name} {how}", node.span)
            return NONE
        if probe_type == "tracepoint":
            if member.byte_offset < _COMMON_FIELDS_SIZE:
                self.sink.error("common-field", _COMMON_FIELD, node.span)
            node.field = ResolvedField(FieldOrigin.TRACEPOINT, member)
            space = AddressSpace.KERNEL
            if program.attach_points[0].target == "syscalls" and not member.dynamic:
                space = AddressSpace.USER
            # Arrays and structures are in the record itself, which is the program's own memory.
            return in_space(member.type, space) if isinstance(member.type, Pointer | Integer) else member.type
        node.field = ResolvedField(FieldOrigin.ARGUMENT, member, index=member.offset // 64)
        return in_space(member.type, spaces.of_probe(program.probe_type))

    def _of_context(self, node: ast.FieldAccess, target: Struct) -> Type:
        """Of a perf event. It is another structure in the kernel, which replaces the loads in the program's code."""
        type_ = self._member(node, target)
        if isinstance(type_, None_):
            return NONE
        if isinstance(type_, Array):
            self.sink.error("not-supported", f"{node.name}: arrays of the context are not supported yet", node.span)
            return NONE
        member: Field = node.field.field
        found = dataclasses.replace(member, offset=_offset_in_context(node.target) + member.offset)
        node.field = ResolvedField(FieldOrigin.CONTEXT, found, target)
        return dataclasses.replace(type_, context=True) if isinstance(type_, Struct) else type_

    def _member(self, node: ast.FieldAccess, target: Struct) -> Type:
        if not target.layout.complete:
            self.sink.error("unknown-type", f"Unknown struct/union: '{target}'", node.span)
            return NONE
        member = target.member(node.name)
        if member is None and isinstance(target.source, ArgumentSource) and target.source.not_stored(node.name):
            self.sink.error("copied-args", target.source.not_stored(node.name), node.span)
            return NONE
        if member is None:
            message = f"Struct/union of type '{target}' does not contain a field named '{node.name}'"
            self._unknown(node, message, [item.name for item in target.fields])
            return NONE
        if isinstance(member.type, None_):
            self.sink.error("field-type", f"{node.name} has unsupported type", node.span)
            return NONE
        if isinstance(member.type, Pointer):
            for tag in sorted(member.type.tags - _HARMLESS_TAGS):
                self.sink.error(
                    "pointer-tag",
                    f"Attempting to access pointer field '{node.name}' with unsupported tag attribute: {tag}",
                    node.span,
                )
        origin = FieldOrigin.KERNEL_BTF if isinstance(target.source, BtfSource) else FieldOrigin.FIXED
        node.field = ResolvedField(origin, member, target)
        return in_space(member.type, target.space)

    def _unknown(self, node: ast.FieldAccess, message: str, names: Sequence[str]) -> None:
        close = get_close_matches(node.name, names, 1)
        self.sink.error("unknown-field", message, node.span, hints=[f"Did you mean {name}?" for name in close])

    def offset(self, node: ast.OffsetOf, target: Type, names: Sequence[str]) -> int | None:
        """Bytes from the start of `target` to the member that `names` lead to."""
        offset = 0
        for name in names:
            if isinstance(target, None_):
                return None
            if not isinstance(target, Struct):
                self.sink.error("offsetof", f"'{target}' is not a C type.", node.span)
                return None
            member = target.member(name)
            if member is None:
                self.sink.error("unknown-field", f"'{target}' has no field named '{name}'", node.span)
                return None
            offset += member.byte_offset
            target = member.type
        return None if isinstance(target, None_) else offset

    # ------------------------------------------------------------------------------------------------------ elements

    def element(self, node: ast.TupleAccess, target: Type, index: int) -> Type:
        """`target.0`."""
        match target:
            case None_():
                return NONE
            case Tuple(elements) if index < len(elements):
                return elements[index]
            case Tuple(elements):
                message = f"Invalid tuple index: {index}. Found {len(elements)} elements in tuple."
            case _:
                message = f"Can not access index '{index}' on expression of type '{target}'"
        self.sink.error("tuple-index", message, node.span)
        return NONE

    def index(self, node: ast.ArrayAccess, target: Type, index: Type) -> Type:
        """`target[index]`."""
        if isinstance(target, None_) or isinstance(index, None_):
            return NONE
        match target:
            case Array():
                type_ = in_space(target.element, target.space)
            case Pointer(to=Void()):
                self.sink.error(
                    "array-index",
                    "The array index operator [] cannot be used on a pointer to an unsized type (void *).",
                    node.span,
                )
                return NONE
            case Pointer():
                type_ = target.pointee
            case String():
                type_ = INT8
            case Tuple():
                return self._tuple_index(node, target)
            case _:
                self.sink.error(
                    "array-index",
                    f"The array index operator [] can only be used on arrays, pointers, and tuples, found {target}.",
                    node.span,
                )
                return NONE
        self._check_index(node, target, index)
        return type_

    def _tuple_index(self, node: ast.ArrayAccess, target: Tuple) -> Type:
        if not isinstance(node.index, ast.Integer):
            self.sink.error("tuple-index", "Array-style access for tuples only valid for integer literals", node.span)
            return NONE
        index = node.index.value
        if not 0 <= index < len(target.elements):
            message = f"Invalid tuple index: {index}. Found {len(target.elements)} elements in tuple."
            self.sink.error("tuple-index", message, node.span)
            return NONE
        return target.elements[index]

    def _check_index(self, node: ast.ArrayAccess, target: Type, index: Type) -> None:
        count = target.count if isinstance(target, Array) else target.size if isinstance(target, String) else 0
        if isinstance(node.index, ast.Integer) and node.index.value >= 0:
            if count and node.index.value >= count:
                self.sink.error(
                    "array-index",
                    f"the index {node.index.value} is out of bounds for array of size {count}",
                    node.span,
                )
        elif not isinstance(index, Integer) or (index.signed and not index.flexible):
            self.sink.error(
                "array-index",
                f"The array index operator [] only accepts non-negative integer indices. Got: {index}",
                node.span,
            )
