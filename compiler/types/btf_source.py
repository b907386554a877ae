"""BTF as a source of types: lattice types for BTF's records, by name or by id."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from compiler.types.btf import COMPOSITES, Btf, BtfError, Kind
from compiler.types.lattice import (
    BOOL,
    MAX_INTEGER_BITS,
    NONE,
    VOID,
    AddressSpace,
    Array,
    Enum,
    Field,
    Integer,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
)

_MAX_DEPTH = 32
_SLOT_BITS = 64
# The functions of an event that BTF has with the names of their parameters; the first since kernel 6.5.
_RAW_TRACEPOINT_FUNCTIONS = ("__probestub_", "__traceiter_")


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """A kernel function with the types of its arguments.

    The offsets of `parameters` and `result` are those of the context of an fentry or fexit program: an array of
    64-bit slots, of which an argument takes as many as it needs.
    """

    name: str
    btf_id: int
    module: str
    """"vmlinux", or the module that the function and its BTF id belong to."""
    parameters: tuple[Field, ...]
    result: Field
    variadic: bool = False


class BtfSource:
    """A `TypeSource` over one `Btf`; `module` is the name of the module, or "vmlinux".

    Arrays of bytes are strings, as upstream has it: users expect text from a `char` member. Typedefs and qualifiers
    are looked through; a pointer remembers its type tags, and the tag `user` makes it a user pointer.
    """

    def __init__(self, btf: Btf, module: str = "vmlinux", base: BtfSource | None = None) -> None:
        self.btf = btf
        self.module = module
        self._base = base
        self._ids: dict[tuple[str, tuple[Kind, ...]], int | None] = {}
        self._types: dict[int, Type] = {}
        self._layouts: dict[int, StructLayout] = {}
        self._values: dict[int, Mapping[str, int]] = {}
        self._enumerators: dict[str, tuple[Integer, int] | None] = {}

    # By name

    def _find(self, name: str, *kinds: Kind) -> int | None:
        """The first type of that name: types that share one differ in ways that CO-RE irons out."""
        key = name, kinds
        if key not in self._ids:
            self._ids[key] = next(self.btf.find(name, *kinds), None)
        return self._ids[key]

    def struct(self, name: str) -> Struct | None:
        type_id = self._find(name, Kind.STRUCT)
        return None if type_id is None else self._struct(type_id)

    def union(self, name: str) -> Struct | None:
        type_id = self._find(name, Kind.UNION)
        return None if type_id is None else self._struct(type_id)

    def enum(self, name: str) -> Enum | None:
        type_id = self._find(name, Kind.ENUM, Kind.ENUM64)
        return None if type_id is None else self._enum(type_id)

    def typedef(self, name: str) -> Type | None:
        """A type that is written without a tag: a typedef, or a base type such as `char` or `_Bool`."""
        type_id = self._find(name, Kind.TYPEDEF, Kind.INT)
        return None if type_id is None else self.type(type_id)

    def enumerator(self, name: str) -> tuple[Integer, int] | None:
        if name not in self._enumerators:
            found = self.btf.find_enumerator(name)
            self._enumerators[name] = (self._enum(found[0]), found[1]) if found else None
        return self._enumerators[name]

    def variable(self, name: str) -> tuple[int, Type] | None:
        """BTF id and type of a kernel variable (BTF has the per-CPU ones)."""
        type_id = self._find(name, Kind.VAR)
        return None if type_id is None else (type_id, self.type(self.btf.target(type_id)))

    def function(self, name: str) -> Function | None:
        type_id = self._find(name, Kind.FUNC)
        return None if type_id is None else self._function(name, type_id)

    def raw_tracepoint(self, event: str) -> Function | None:
        """The arguments that the kernel passes to the raw tracepoint `event`; the first of the function is not the
        event's.
        """
        for prefix in _RAW_TRACEPOINT_FUNCTIONS:
            type_id = self._find(f"{prefix}{event}", Kind.FUNC)
            if type_id is not None:
                return self._function(event, type_id, skip=1)
        return None

    def raw_tracepoints(self) -> Iterator[str]:
        """The names of all raw tracepoints."""
        prefix = "btf_trace_"
        return (name.removeprefix(prefix) for _, name in self.btf.named(Kind.TYPEDEF) if name.startswith(prefix))

    def has_tag(self, function: str, tag: str) -> bool:
        """Whether the function carries the declaration tag."""
        tagged = {self.btf.target(type_id) for type_id in self.btf.find(tag, Kind.DECL_TAG)}
        return any(type_id in tagged for type_id in self.btf.find(function, Kind.FUNC))

    def is_enumeration(self, member: Field) -> bool:
        """Whether a member is declared as an enumeration: one without a name reads as a plain integer."""
        return bool(member.path) and self.btf.kind(self._member_id(member)) in (Kind.ENUM, Kind.ENUM64)

    def member_size(self, member: Field) -> int:
        """Bytes of a member in the structure itself, whatever type it has in the language."""
        return self.btf.size(self._member_id(member))

    def _member_id(self, member: Field) -> int:
        type_id = member.owner
        for index in member.path:
            type_id = self.btf.strip(self.btf.members(type_id)[index].type)
        return type_id

    # By id

    def type(self, type_id: int) -> Type:
        """The type behind an id; NONE for what the language cannot express (floating point)."""
        if self._base and type_id not in self.btf.own_ids:
            return self._base.type(type_id)
        known = self._types.get(type_id)
        if known is None:
            known = self._types[type_id] = self._convert(type_id, 0)
        return known

    def _convert(self, type_id: int, depth: int) -> Type:
        if depth > _MAX_DEPTH:
            raise BtfError(f"BTF type {type_id} contains itself")
        btf = self.btf
        type_id = btf.strip(type_id)
        if self._base and type_id not in btf.own_ids:
            return self._base.type(type_id)
        match btf.kind(type_id):
            case Kind.VOID | Kind.FUNC_PROTO:
                return VOID
            case Kind.INT:
                return self._integer(type_id)
            case Kind.ENUM | Kind.ENUM64:
                return self._enumeration(type_id)
            case Kind.STRUCT | Kind.UNION | Kind.FWD:
                return self._struct(type_id)
            case Kind.PTR:
                tags: set[str] = set()
                target = btf.strip(btf.target(type_id), tags)
                space = AddressSpace.USER if "user" in tags else AddressSpace.NONE
                return Pointer(self._convert(target, depth + 1), space, tags=frozenset(tags))
            case Kind.ARRAY:
                element_id, count = btf.array(type_id)
                element = self._convert(element_id, depth + 1)
                if isinstance(element, Integer) and element.size == 1:
                    return String(count)
                return Array(element, count)
            case _:
                return NONE

    def _struct(self, type_id: int) -> Struct:
        kind, name = self.btf.kind(type_id), self.btf.name(type_id)
        is_union = kind is Kind.UNION or (kind is Kind.FWD and self.btf.flag(type_id))
        return Struct(name or f"(anonymous {self.module} {type_id})", is_union, source=self, key=type_id)

    def _integer(self, type_id: int) -> Type:
        bits, _, signed, is_bool = self.btf.integer(type_id)
        return BOOL if is_bool else _integer(self.btf.size(type_id) * 8 if bits % 8 else bits, signed)

    def _enumeration(self, type_id: int) -> Integer:
        """The type of a member. An anonymous enumeration is just an integer there; its constants keep their names."""
        return self._enum(type_id) if self.btf.name(type_id) else _integer(self.btf.size(type_id) * 8, False)

    def _enum(self, type_id: int) -> Enum:
        bits = _integer(self.btf.size(type_id) * 8, False).bits
        name = self.btf.name(type_id) or f"<anon_{type_id}>"
        return Enum(bits, self.btf.flag(type_id), name, source=self, key=type_id)

    def enumerators(self, enum: Enum) -> Mapping[str, int]:
        found = self._values.get(enum.key)
        if found is None:
            found = self._values[enum.key] = MappingProxyType(dict(self.btf.enumerators(enum.key)))
        return found

    def layout(self, struct: Struct) -> StructLayout:
        layout = self._layouts.get(struct.key)
        if layout is None:
            layout = self._layouts[struct.key] = self._layout(struct.key)
        return layout

    def _layout(self, type_id: int) -> StructLayout:
        if self.btf.kind(type_id) not in COMPOSITES:  # a forward declaration
            return StructLayout(0, (), complete=False)
        return StructLayout(self.btf.size(type_id), tuple(self._fields(type_id, type_id, 0, ())))

    def _fields(self, type_id: int, owner: int, start: int, path: tuple[int, ...]) -> Iterator[Field]:
        if len(path) > _MAX_DEPTH:
            raise BtfError(f"BTF structure {owner} contains itself")
        for index, member in enumerate(self.btf.members(type_id)):
            here, offset = (*path, index), start + member.offset
            if not member.name:
                inner = self.btf.strip(member.type)
                if self.btf.kind(inner) in COMPOSITES:
                    yield from self._fields(inner, owner, offset, here)
                continue  # an unnamed bitfield is padding
            yield Field(member.name, self.type(member.type), offset, member.bitfield, path=here, owner=owner)

    def _function(self, name: str, type_id: int, skip: int = 0) -> Function:
        """The function whose prototype `type_id` leads to, without its first `skip` parameters."""
        prototype = self.btf.target(type_id)
        declared = self.btf.parameters(prototype)[skip:]
        variadic = bool(declared) and declared[-1] == ("", 0)
        slot, parameters = 0, []
        for index, (own_name, own_type) in enumerate(declared[:-1] if variadic else declared):
            parameter = Field(own_name or f"arg{index}", self.type(own_type), slot * _SLOT_BITS, path=(index,))
            parameters.append(parameter)
            slot += max(1, -(-parameter.type.size * 8 // _SLOT_BITS))
        result = Field("retval", self.type(self.btf.target(prototype)), slot * _SLOT_BITS)
        return Function(name, type_id, self.module, tuple(parameters), result, variadic)


def is_relocatable(type_: Type) -> bool:
    """Whether the target may have a structure of the same name and another layout."""
    return isinstance(type_, Struct) and isinstance(type_.source, BtfSource) and not type_.is_anonymous


def _integer(bits: int, signed: bool) -> Integer:
    """An integer of the language; what is wider than a register (`__int128`) reads as its low half."""
    if bits not in (8, 16, 32, 64, 128):
        raise BtfError(f"BTF integer of {bits} bits")
    return Integer(min(bits, MAX_INTEGER_BITS), signed)
