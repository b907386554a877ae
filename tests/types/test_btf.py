from __future__ import annotations

import random
import struct
from collections.abc import Mapping

import pytest

from compiler.types.btf import Btf, BtfError, Kind, Member
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import (
    BOOL,
    INT32,
    INT64,
    NONE,
    UINT8,
    UINT32,
    UINT64,
    VOID,
    AddressSpace,
    Array,
    Enum,
    Field,
    Pointer,
    String,
    Struct,
    StructLayout,
    Type,
)
from tests.types.btf_writer import BtfWriter


def sample() -> tuple[BtfWriter, dict[str, int]]:
    """A bit of everything; ids by name."""
    w, ids = BtfWriter(), {}
    ids["int"] = number = w.integer("int", 32, signed=True)
    ids["char"] = char = w.integer("char", 8)
    ids["unsigned long"] = long = w.integer("unsigned long", 64)
    ids["_Bool"] = w.integer("_Bool", 8, boolean=True)
    ids["pid_t"] = w.add(Kind.TYPEDEF, "pid_t", number)
    const = w.add(Kind.CONST, "", char)
    ids["const char *"] = w.pointer(const)
    ids["comm"] = w.array(char, 16)
    ids["matrix"] = w.array(w.array(number, 3), 2)
    ids["point"] = point = w.struct("point", 8, ("x", number, 0), ("y", number, 32))
    anonymous = w.struct("", 8, ("low", number, 0), ("high", number, 32), union=True)
    ids["task"] = w.struct(
        "task",
        32,
        ("pid", ids["pid_t"], 0),
        ("", anonymous, 64),
        ("where", point, 128),
        ("comm", w.array(char, 8), 192),
    )
    ids["bits"] = w.struct("bits", 4, ("a", number, 3 << 24 | 0), ("b", number, 29 << 24 | 3), bits=True)
    ids["state"] = w.enum("state", ("IDLE", 0), ("BUSY", 1))
    ids["error"] = w.enum("error", ("FAILED", -1), signed=True)
    ids["wide"] = w.enum64("wide", ("HUGE", 1 << 40))
    ids["constants"] = w.enum("", ("LIMIT", 7))
    ids["opaque"] = w.add(Kind.FWD, "opaque")
    ids["user"] = w.pointer(w.add(Kind.TYPE_TAG, "user", char))
    ids["read"] = w.function("read", long, ("task", w.pointer(ids["task"])), ("where", ids["task"]), ("n", number))
    ids["log"] = w.function("log", 0, ("format", ids["const char *"]), ("", 0))
    ids["counter"] = w.add(Kind.VAR, "counter", long, 1)
    ids["double"] = w.add(Kind.FLOAT, "double", 8)
    ids["callback"] = w.pointer(w.prototype(0))
    w.add(Kind.DECL_TAG, "bpf_kfunc", ids["read"], -1)
    w.add(Kind.DATASEC, ".data", 8, ids["counter"], 0, 8, entries=1)
    return w, ids


def read(writer: BtfWriter) -> BtfSource:
    return BtfSource(Btf(writer.bytes()))


def found(type_: Struct | None) -> Struct:
    assert type_ is not None
    return type_


# The reader itself


def test_records() -> None:
    writer, ids = sample()
    btf = Btf(writer.bytes())
    assert len(btf) == len(writer.types) + 1
    assert btf.kind(0) is Kind.VOID and btf.name(0) == "void"
    assert btf.name(ids["task"]) == "task" and btf.size(ids["task"]) == 32
    assert btf.members(ids["bits"]) == [Member("a", 1, 0, 3), Member("b", 1, 3, 29)]
    assert btf.array(ids["comm"]) == (ids["char"], 16)
    assert btf.enumerators(ids["error"]) == [("FAILED", -1)]
    assert btf.enumerators(ids["wide"]) == [("HUGE", 1 << 40)]
    assert btf.strip(ids["pid_t"]) == ids["int"]
    assert [name for _, name in btf.named(Kind.FUNC)] == ["read", "log"]


def test_find() -> None:
    writer, ids = sample()
    btf = Btf(writer.bytes())
    assert list(btf.find("task", Kind.STRUCT)) == [ids["task"]]
    assert list(btf.find("task", Kind.FUNC, Kind.ENUM)) == []
    assert list(btf.find("tas", Kind.STRUCT)) == list(btf.find("", Kind.STRUCT)) == []
    assert btf.find_enumerator("BUSY") == (ids["state"], 1)
    assert btf.find_enumerator("task") is None


def test_same_name_in_order() -> None:
    writer = BtfWriter()
    ids = [writer.struct("twin", size) for size in (1, 2, 3)]
    assert list(Btf(writer.bytes()).find("twin", Kind.STRUCT)) == ids


def test_bitfields_of_old_btf_are_in_the_int() -> None:
    writer = BtfWriter()
    narrow = writer.integer("unsigned int", 5, shift=3, size=4)
    plain = writer.integer("int", 32)
    struct_id = writer.struct("old", 8, ("field", narrow, 32), ("whole", plain, 0))
    assert Btf(writer.bytes()).members(struct_id) == [Member("field", narrow, 35, 5), Member("whole", plain, 0, 0)]


def test_empty() -> None:
    btf = Btf(BtfWriter().bytes())
    assert len(btf) == 1
    assert list(btf.find("x", Kind.INT)) == []


# As a source of types


EXPECTED: list[tuple[str, Type]] = [
    ("int", INT32),
    ("char", UINT8),
    ("unsigned long", UINT64),
    ("_Bool", BOOL),
    ("pid_t", INT32),
    ("const char *", Pointer(UINT8)),
    ("comm", String(16)),
    ("matrix", Array(Array(INT32, 3), 2)),
    ("point", Struct("point")),
    ("state", Enum(32, name="state")),
    ("error", Enum(32, True, "error")),
    ("wide", Enum(64, name="wide")),
    ("constants", UINT32),
    ("opaque", Struct("opaque")),
    ("user", Pointer(UINT8)),
    ("double", NONE),
    ("callback", Pointer(VOID)),
]


def test_types() -> None:
    writer, ids = sample()
    source = read(writer)
    for name, type_ in EXPECTED:
        assert source.type(ids[name]) == type_, name


def test_layout_has_the_members_of_anonymous_members() -> None:
    writer, ids = sample()
    owner = ids["task"]
    assert found(read(writer).struct("task")).layout == StructLayout(
        32,
        (
            Field("pid", INT32, 0, path=(0,), owner=owner),
            Field("low", INT32, 64, path=(1, 0), owner=owner),
            Field("high", INT32, 96, path=(1, 1), owner=owner),
            Field("where", Struct("point"), 128, path=(2,), owner=owner),
            Field("comm", String(8), 192, path=(3,), owner=owner),
        ),
    )


def test_a_struct_that_points_to_itself_is_read_lazily() -> None:
    writer = BtfWriter()
    node = writer.struct("node", 8, ("next", 2, 0))
    writer.pointer(node)
    struct_type = found(read(writer).struct("node"))
    member = struct_type.member("next")
    assert member and member.type == Pointer(struct_type)


def test_forward_declaration() -> None:
    writer, ids = sample()
    source = read(writer)
    assert source.struct("opaque") is None
    opaque = source.type(ids["opaque"])
    assert isinstance(opaque, Struct) and not opaque.layout.complete


def test_type_tags() -> None:
    writer, ids = sample()
    pointer = read(writer).type(ids["user"])
    assert isinstance(pointer, Pointer)
    assert (pointer.space, pointer.tags) == (AddressSpace.USER, frozenset({"user"}))


def test_enumerators() -> None:
    writer, _ = sample()
    source = read(writer)
    state = source.enum("state")
    assert state and state.enumerators == {"IDLE": 0, "BUSY": 1}
    assert source.enumerator("BUSY") == (state, 1)
    limit, value = source.enumerator("LIMIT") or (None, 0)
    assert isinstance(limit, Enum) and limit.bits == 32 and value == 7 and limit.enumerators["LIMIT"] == 7
    assert source.enumerator("FULL") is None


def test_function() -> None:
    writer, ids = sample()
    source = read(writer)
    function = source.function("read")
    assert function and function.btf_id == ids["read"] and not function.variadic
    slots = [(parameter.name, str(parameter.type), parameter.byte_offset) for parameter in function.parameters]
    # A structure passed by value takes as many slots as it needs.
    assert slots == [("task", "struct task *", 0), ("where", "struct task", 8), ("n", "int32", 40)]
    assert (function.result.type, function.result.byte_offset) == (UINT64, 48)
    log = source.function("log")
    assert log and log.variadic and len(log.parameters) == 1 and log.result.type == VOID
    assert source.function("task") is None
    assert source.has_tag("read", "bpf_kfunc") and not source.has_tag("log", "bpf_kfunc")
    assert source.variable("counter") == (ids["counter"], UINT64)


def test_int128_reads_as_its_low_half() -> None:
    writer = BtfWriter()
    writer.integer("__int128", 128, signed=True)
    assert read(writer).typedef("__int128") == INT64


def test_module_btf_goes_on_where_vmlinux_ends() -> None:
    base_writer, ids = sample()
    base = Btf(base_writer.bytes())
    writer = BtfWriter(first_id=len(base), first_string=base.strings_end)
    own = writer.struct("module_state", 16, ("task", ids["task"], 0), ("count", ids["int"], 64))
    # The name of this one is in the base's strings.
    reused = writer.add(Kind.TYPEDEF, "", ids["int"])
    writer.types[-1] = struct.pack("=I", base_writer.string("comm")) + writer.types[-1][4:]
    btf = Btf(writer.bytes(), base)
    assert btf.own_ids == range(len(base), len(base) + 2)
    assert list(btf.find("module_state", Kind.STRUCT)) == [own]
    assert list(btf.find("comm", Kind.TYPEDEF)) == [reused]
    assert list(btf.find("task", Kind.STRUCT)) == []

    vmlinux = BtfSource(base)
    source = BtfSource(btf, "module", vmlinux)
    task, count = found(source.struct("module_state")).fields
    assert count.type == INT32
    assert isinstance(task.type, Struct) and task.type.source is vmlinux
    assert source.struct("task") is None


# Damage


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "shorter than its header"),
        (b"\x7fELF" + bytes(60), "not BTF"),
        (struct.pack(">HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 0), "wrong byte order"),
        (struct.pack("=HBBIIIII", 0xEB9F, 2, 0, 24, 0, 0, 0, 0), "version 2"),
        (struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 400, 0, 0), "type section lies outside"),
        (struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 400), "string section lies outside"),
        (struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"x", "does not end in NUL"),
        (struct.pack("=HBBIIIII3I", 0xEB9F, 1, 0, 24, 0, 12, 12, 0, 0, 31 << 24, 0), "unknown kind 31"),
        (struct.pack("=HBBIIIII3I", 0xEB9F, 1, 0, 24, 0, 12, 12, 0, 0, 4 << 24 | 9, 0), "cut off"),
    ],
)
def test_damaged_blob(data: bytes, message: str) -> None:
    with pytest.raises(BtfError, match=message):
        Btf(data)


def test_damaged_records() -> None:
    writer = BtfWriter()
    missing = writer.pointer(99)
    loop = writer.add(Kind.TYPEDEF, "loop", 2)
    inside_itself = writer.struct("inside", 8, ("", 3, 0))
    of_itself = writer.array(4, 2)
    unnamed = writer.add(Kind.INT, "", 4, 32)
    writer.types[-1] = struct.pack("=I", 5000) + writer.types[-1][4:]
    source = read(writer)
    with pytest.raises(BtfError, match="type 99 does not exist"):
        source.type(missing)
    with pytest.raises(BtfError, match="of itself"):
        source.type(loop)
    with pytest.raises(BtfError, match="contains itself"):
        _ = found(source.struct("inside")).layout
    assert inside_itself == 3
    with pytest.raises(BtfError, match="contains itself"):
        source.type(of_itself)
    with pytest.raises(BtfError, match="string 5000"):
        source.btf.name(unnamed)
    with pytest.raises(BtfError, match="kind PTR, not STRUCT"):
        source.btf.members(missing)


def test_any_damage_is_a_btf_error() -> None:
    """Flip bytes all over: every answer is one, or a BtfError."""
    writer, _ = sample()
    original = writer.bytes()
    generator = random.Random(1)
    raised = 0
    for _ in range(2000):
        data = bytearray(original)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            use_everything(BtfSource(Btf(bytes(data))))
        except BtfError:
            raised += 1
    assert 0 < raised < 2000


def use_everything(source: BtfSource) -> None:
    for name in ("task", "point", "bits", "state", "read", "log", "pid_t", "BUSY"):
        source.struct(name)
        source.enum(name)
        source.typedef(name)
        source.function(name)
        source.enumerator(name)
        source.has_tag(name, "bpf_kfunc")
    for type_id in source.btf.own_ids:
        source.btf.name(type_id)
        type_ = source.type(type_id)
        str(type_)
        match type_:
            case Struct():
                assert isinstance(type_.layout, StructLayout)
            case Enum():
                assert isinstance(type_.enumerators, Mapping)
            case _:
                pass
