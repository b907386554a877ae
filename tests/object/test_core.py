"""The local BTF and CO-RE records, read back with the compiler's BTF reader."""

from collections.abc import Mapping

import pytest

from compiler.object.btf import BtfWriter, Linkage, Member
from compiler.object.core import CoreTypes, Kind, describe
from compiler.types import lattice
from compiler.types.btf import Btf
from compiler.types.btf import Kind as BtfKind
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import Array, Enum, Field, Pointer, Struct, StructLayout


class Layouts:
    """A source of a few structures, by name."""

    def __init__(self, layouts: Mapping[str, StructLayout]) -> None:
        self.layouts = layouts

    def layout(self, struct: Struct) -> StructLayout:
        return self.layouts[struct.name]

    def struct(self, name: str) -> Struct:
        return Struct(name, source=self)

    def union(self, _name: str) -> None:
        return None

    enum = typedef = enumerator = union

    def enumerators(self, _enum: Enum) -> Mapping[str, int]:
        return {}


def field(name: str, type_: lattice.Type, bits: int, bitfield: int = 0) -> Field:
    return Field(name, type_, bits, bitfield)


def sample() -> tuple[Struct, Struct]:
    inner = StructLayout(16, (field("a", lattice.INT32, 0), field("b", lattice.UINT64, 64)))
    source = Layouts({})
    nested = Struct("inner", source=source)
    outer = StructLayout(
        128,
        (
            field("first", lattice.UINT32, 0),
            field("flag", lattice.UINT32, 33, 3),
            field("signed_flag", lattice.INT32, 36, 5),
            field("nested", nested, 128),
            field("many", Array(nested, 3), 256),
            field("next", Pointer(nested), 704),
            field("name", lattice.String(16), 768),
        ),
    )
    source.layouts = {"inner": inner, "outer": outer}
    return Struct("outer", source=source), nested


def member(struct: Struct, name: str) -> Field:
    found = struct.member(name)
    assert found is not None
    return found


def test_only_used_members_in_order_of_offset() -> None:
    outer, nested = sample()
    core = CoreTypes()
    late = core.relocation(Kind.FIELD_BYTE_OFFSET, outer, (member(outer, "name"),))
    deep = core.relocation(Kind.FIELD_BYTE_OFFSET, outer, (member(outer, "nested"), member(nested, "b")))
    element = core.relocation(Kind.FIELD_BYTE_OFFSET, outer, (member(outer, "many"), 2, member(nested, "b")))
    source = BtfSource(Btf(core.finish()))
    local = source.struct("outer")
    assert local is not None
    assert [(item.name, item.byte_offset) for item in local.fields] == [("nested", 16), ("many", 32), ("name", 96)]
    assert local.size == 128
    assert [item.name for item in member(local, "nested").type.fields] == ["b"]  # type: ignore[attr-defined]
    assert (late.core.access, late.core.local_value) == ("0:2", 96)
    assert (deep.core.access, deep.core.local_value) == ("0:0:0", 24)
    assert (element.core.access, element.core.local_value) == ("0:1:2:0", 32 + 2 * 16 + 8)
    assert {late.core.btf_type, deep.core.btf_type} == {local.key}
    assert element.core.description == "struct outer.many[2].b"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # offset and size of the word, shift left, shift right, signed
        ("first", (0, 4, 32, 64, 0)),
        ("flag", (4, 4, 64 - 4, 64 - 3, 0)),
        ("signed_flag", (4, 4, 64 - 9, 64 - 5, 1)),
    ],
)
def test_local_values_of_bitfields(name: str, values: tuple[int, ...]) -> None:
    outer, _ = sample()
    core = CoreTypes()
    kinds = (
        Kind.FIELD_BYTE_OFFSET, Kind.FIELD_BYTE_SIZE, Kind.FIELD_LSHIFT_U64, Kind.FIELD_RSHIFT_U64, Kind.FIELD_SIGNED,
    )  # fmt: skip
    constants = [core.relocation(kind, outer, (member(outer, name),)) for kind in kinds]
    local = BtfSource(Btf(core.finish())).struct("outer")
    assert local is not None
    kept = member(local, name)
    assert (kept.offset, kept.bitfield) == (member(outer, name).offset, member(outer, name).bitfield)
    found = tuple(constant.core.local_value for constant in constants)
    # The shifts of what is no bitfield are not used.
    assert found[:2] + found[4:] == values[:2] + values[4:]
    if kept.bitfield:
        assert found == values


def test_type_size_and_existence() -> None:
    outer, _ = sample()
    core = CoreTypes()
    size = core.relocation(Kind.TYPE_SIZE, outer, ())
    exists = core.relocation(Kind.FIELD_EXISTS, outer, (member(outer, "first"),))
    core.finish()
    assert (size.core.access, size.core.local_value) == ("0", 128)
    assert (exists.core.access, exists.core.local_value) == ("0:0", 1)


def test_equal_types_have_one_id() -> None:
    writer = BtfWriter()
    assert writer.integer(4, signed=True) == writer.integer(4, signed=True)
    assert writer.integer(4, signed=True) != writer.integer(4, signed=False)
    assert writer.function("f", Linkage.GLOBAL) != writer.function("f", Linkage.STATIC)
    assert writer.function("f", Linkage.GLOBAL, 1) == writer.function("f", Linkage.GLOBAL, 1)
    assert writer.function("f", Linkage.GLOBAL, 1) != writer.function("f", Linkage.GLOBAL, 2)


def test_union_members_start_at_zero() -> None:
    writer = BtfWriter()
    id_ = writer.reserve()
    members = [Member("a", writer.integer(4, signed=True), 0), Member("b", writer.pointer(), 0)]
    writer.composite(id_, "u", 8, members, union=True)
    found = BtfSource(Btf(writer.finish())).union("u")
    assert found is not None
    assert found.is_union
    assert [(item.name, item.offset) for item in found.fields] == [("a", 0), ("b", 0)]


def test_no_types_no_btf() -> None:
    assert BtfWriter().finish() == b""


def test_description() -> None:
    outer, nested = sample()
    assert describe(outer, (member(outer, "many"), 1, member(nested, "a"))) == "struct outer.many[1].a"


def test_an_enumeration_without_a_name_stays_one() -> None:
    """The kernel takes an integer and an enumeration for different types, though both read alike."""
    kernel = BtfWriter()
    id_ = kernel.reserve()
    members = [
        Member("plain", kernel.integer(4, signed=False), 0),
        Member("mode", kernel.enumeration("", [("A", 1)]), 32),
    ]
    kernel.composite(id_, "s", 8, members, union=False)
    struct = BtfSource(Btf(kernel.finish())).struct("s")
    assert struct is not None
    core = CoreTypes()
    for name in ("plain", "mode"):
        core.relocation(Kind.FIELD_BYTE_OFFSET, struct, (member(struct, name),))
    local = Btf(core.finish())
    (type_id,) = local.find("s", BtfKind.STRUCT)
    assert [local.kind(item.type) for item in local.members(type_id)] == [BtfKind.INT, BtfKind.ENUM]


@pytest.mark.parametrize(("module", "expected"), [("vmlinux", ""), ("kvm", "kvm")])
def test_the_module_that_has_a_type_is_named(module: str, expected: str) -> None:
    kernel = BtfWriter()
    kernel.composite(kernel.reserve(), "s", 4, [Member("a", kernel.integer(4, signed=True), 0)], union=False)
    kernel.enumeration("e", [("E", 1)], 4)
    source = BtfSource(Btf(kernel.finish()), module)
    struct, enum = source.struct("s"), source.enum("e")
    assert struct is not None
    assert enum is not None
    core = CoreTypes()
    constants = [
        core.relocation(Kind.FIELD_BYTE_OFFSET, struct, (struct.fields[0],)),
        core.relocation(Kind.TYPE_SIZE, struct, ()),
        core.enumerator(Kind.ENUM_VALUE, enum, "E"),
    ]
    assert [constant.core.module for constant in constants] == [expected] * 3
