"""CO-RE: the local BTF and the relocation records of the kernel types that a script reads.

The local BTF has only the members that are used, at the offsets that the compiler's kernel has. Members of anonymous
members stand directly in the structure that has a name: the kernel and libbpf look for a member by its name, through
anonymous ones, so their nesting need not be the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.object.btf import BtfWriter, Linkage, Member
from compiler.types import lattice
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import Field, Struct, Type
from compiler.types.snapshot import VMLINUX
from proto import required_resources_pb2 as pb

Kind = pb.CoreRelocation.Kind

Step = Field | int
"""A member of the structure that the path has come to, or an index into the array."""


_Key = tuple[str, bool, int, int]
"""A structure: name, whether it is a union, number if it has no name, and the identity of its source: those of one name
from a C source and from the kernel may differ."""


@dataclass(slots=True)
class _Composite:
    type_id: int
    members: dict[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pending:
    constant: pb.Constant
    kind: Kind
    root: Struct
    steps: tuple[Step, ...]


class CoreTypes:
    """Collects relocations while code is generated. `finish` completes them, when all members are known."""

    def __init__(self) -> None:
        self.btf = BtfWriter()
        self._composites: dict[_Key, _Composite] = {}
        self._structs: dict[_Key, Struct] = {}
        self._pending: list[_Pending] = []

    def relocation(self, kind: Kind, root: Struct, steps: tuple[Step, ...]) -> pb.Constant:
        """A constant for a property of the member that `steps` lead to from `root`, or of `root` itself."""
        self._composite(root)
        current: Type = root
        for step in steps:
            if isinstance(step, int):
                current = _element(current)
            else:
                assert isinstance(current, Struct)
                self._composite(current).members.setdefault(step.name, step)
                current = step.type
        constant = pb.Constant()
        constant.core.kind = kind
        constant.core.description = describe(root, steps)
        constant.core.module = _module(root)
        self._pending.append(_Pending(constant, kind, root, steps))
        return constant

    def enumerator(self, kind: Kind, enum: lattice.Enum, name: str) -> pb.Constant:
        """A constant for the existence or the value of an enumerator."""
        value = enum.enumerators[name]
        constant = pb.Constant()
        constant.core.kind = kind
        constant.core.description = f"{enum}.{name}"
        constant.core.module = _module(enum)
        constant.core.btf_type = self.btf.enumeration(enum.name, [(name, value)], enum.size)
        constant.core.access = "0"
        constant.core.local_value = 1 if kind == Kind.ENUM_VALUE_EXISTS else value & (1 << 64) - 1
        return constant

    def function(self, name: str, arguments: int | None) -> int:
        """The type id of a FUNC, for func_info: a global one with so many arguments, or a static one."""
        if arguments is None:
            return self.btf.function(name, Linkage.STATIC)
        return self.btf.function(name, Linkage.GLOBAL, arguments)

    def finish(self) -> bytes:
        """Completes the constants and returns the local BTF."""
        done = 0
        while done < len(self._composites):  # writing one may mention further ones
            for key in list(self._composites)[done:]:
                self._write(key)
                done += 1
        for pending in self._pending:
            core = pending.constant.core
            core.btf_type = self._composite(pending.root).type_id
            indexes, offset, type_, bitfield = self._follow(pending.root, pending.steps)
            core.access = ":".join(map(str, (0, *indexes)))
            core.local_value = _local_value(pending.kind, offset, type_, bitfield)
        return self.btf.finish()

    # ----------------------------------------------------------------------------------------------------- types

    def _composite(self, struct: Struct) -> _Composite:
        key = (struct.name, struct.is_union, struct.key if struct.is_anonymous else 0, id(struct.source))
        composite = self._composites.get(key)
        if composite is None:
            composite = self._composites[key] = _Composite(self.btf.reserve())
            self._structs[key] = struct
        return composite

    def _write(self, key: _Key) -> None:
        struct, composite = self._structs[key], self._composites[key]
        members = [
            Member(
                member.name,
                self._member_type(struct, member),
                0 if struct.is_union else member.offset,
                member.bitfield,
            )
            for member in _ordered(composite)
        ]
        name = "" if struct.is_anonymous else struct.name
        self.btf.composite(composite.type_id, name, struct.size, members, union=struct.is_union)

    def _member_type(self, struct: Struct, member: Field) -> int:
        if isinstance(struct.source, BtfSource) and struct.source.is_enumeration(member):
            return self.btf.enumeration("", [], max(member.type.size, 1))
        return self._type(member.type, member.bitfield)

    def _type(self, type_: Type, bitfield: int) -> int:
        """A type that the kernel takes for the same: only sort and, for arrays and structures, contents matter."""
        match type_:
            case lattice.Enum():
                return self.btf.enumeration("", [], max(type_.size, 1))
            case lattice.Integer() | lattice.Bool():
                return self.btf.integer(max(type_.size, -(-bitfield // 8), 1), signed=type_.is_signed)
            case lattice.Pointer() | lattice.KSym() | lattice.Username():
                return self.btf.pointer()
            case lattice.Array(element, count):
                return self.btf.array(self._type(element, 0), count)
            case lattice.String(length):
                return self.btf.array(self.btf.integer(1, signed=True), length)
            case Struct():
                return self._composite(type_).type_id
            case _:
                raise ValueError(f"no BTF for {type_}")

    def _follow(self, root: Struct, steps: tuple[Step, ...]) -> tuple[list[int], int, Type, int]:
        """Indexes of the access string, offset in bits, the type that the path ends at, and its width as a bitfield."""
        current: Type = root
        indexes: list[int] = []
        offset = bitfield = 0
        for step in steps:
            if isinstance(step, int):
                current = _element(current)
                indexes.append(step)
                offset += step * current.size * 8
                bitfield = 0
            else:
                assert isinstance(current, Struct)
                names = [member.name for member in _ordered(self._composite(current))]
                indexes.append(names.index(step.name))
                offset += 0 if current.is_union else step.offset
                current = step.type
                bitfield = step.bitfield
        return indexes, offset, current, bitfield


def _module(type_: Struct | lattice.Enum) -> str:
    """The module of the compiler's kernel that has the type, empty for vmlinux."""
    source = type_.source
    return source.module if isinstance(source, BtfSource) and source.module != VMLINUX else ""


def _element(type_: Type) -> Type:
    """What an index leads to: arrays of bytes are strings."""
    if isinstance(type_, lattice.Array):
        return type_.element
    assert isinstance(type_, lattice.String)
    return lattice.INT8


def _ordered(composite: _Composite) -> list[Field]:
    """BTF wants members in order of their offsets."""
    return sorted(composite.members.values(), key=lambda member: member.offset)


def _local_value(kind: Kind, offset: int, type_: Type, bitfield: int) -> int:
    """What the instruction holds before relocation; the kernel compares it with what it computes from the local BTF."""
    size = max(type_.size, 1)
    bits = bitfield or size * 8
    start = offset // 8
    if bitfield:
        # As libbpf does: the smallest naturally aligned word of at least the member's size that holds all its bits.
        start = offset // (size * 8) * size
        while offset + bits - start * 8 > size * 8:
            size *= 2
            start = offset // (size * 8) * size
    match kind:
        case Kind.FIELD_BYTE_OFFSET:
            return start
        case Kind.FIELD_BYTE_SIZE:
            return size
        case Kind.FIELD_SIGNED:
            return int(type_.is_signed)
        case Kind.FIELD_LSHIFT_U64:
            return 64 - (offset + bits - start * 8)
        case Kind.FIELD_RSHIFT_U64:
            return 64 - bits
        case Kind.TYPE_SIZE:
            return type_.size
        case _:
            return 1


def describe(root: Struct, steps: tuple[Step, ...]) -> str:
    """`struct task_struct.se.load`, for messages and symbol names."""
    return str(root) + "".join(f"[{step}]" if isinstance(step, int) else f".{step.name}" for step in steps)
