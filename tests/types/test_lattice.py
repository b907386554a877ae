from __future__ import annotations

import pytest

from compiler.types.builtin_names import BUILTIN_TYPES, sized
from compiler.types.lattice import (
    BOOL,
    INT8,
    INT16,
    INT32,
    INT64,
    NONE,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    VOID,
    AddressSpace,
    Array,
    Buffer,
    CgroupPath,
    Enum,
    Inet,
    Integer,
    KStack,
    KSym,
    MacAddress,
    Pointer,
    Record,
    StackMode,
    String,
    Struct,
    Timestamp,
    TimestampMode,
    Tuple,
    Type,
    Username,
    UStack,
    USym,
    in_space,
    tuple_layout,
)
from compiler.types.map_values import Avg, Count, Hist, LHist, Max, Min, Stats, Sum, TSeries

SPELLINGS: list[tuple[Type, str, int, int]] = [
    # type, spelling, size, alignment in a tuple
    (NONE, "none", 0, 1),
    (VOID, "void", 0, 1),
    (BOOL, "bool", 1, 1),
    (INT8, "int8", 1, 1),
    (UINT16, "uint16", 2, 2),
    (INT32, "int32", 4, 4),
    (UINT64, "uint64", 8, 8),
    (Enum(32, name="pid_type"), "enum pid_type", 4, 4),
    (Pointer(INT32), "int32 *", 8, 8),
    (Pointer(Pointer(Struct("task_struct"))), "struct task_struct * *", 8, 8),
    (Array(INT32, 5), "int32[5]", 20, 4),
    (Array(UINT8, 2), "uint8[2]", 2, 2),
    (Array(Array(UINT16, 3), 4), "uint16[3][4]", 24, 2),
    (Struct("sock"), "struct sock", 0, 1),
    (Struct("in6_u", is_union=True), "union in6_u", 0, 1),
    (String(64), "string[64]", 64, 1),
    (String(), "string", 0, 1),
    (Buffer(60), "buffer[64]", 64, 1),
    (Inet(20), "inet[20]", 20, 1),
    (MacAddress(), "mac_address", 6, 1),
    (Username(), "username_t", 8, 8),
    (Timestamp(), "timestamp", 16, 1),
    (TimestampMode(), "timestamp_mode", 0, 1),
    (CgroupPath(), "cgroup_path_t", 16, 1),
    (KSym(), "ksym_t", 8, 8),
    (USym(), "usym_t", 16, 1),
    (KStack(), "kstack_bpftrace_127", 8 + 127 * 8, 8),
    (UStack(3, StackMode.PERF), "ustack_perf_3", 16 + 3 * 8, 8),
    (UStack(2, StackMode.BUILD_ID), "ustack_build_id_2", 16 + 2 * 32, 8),
    (KStack(1, StackMode.RAW), "kstack_raw_1", 16, 8),
    (Tuple((UINT8, UINT64, String(3))), "(uint8,uint64,string[3])", 24, 8),
    (Record((("a", INT8), ("b", String(4)))), "record { .a = int8, .b = string[4] }", 5, 1),
    (Count(), "count_t", 8, 8),
    (Sum(True), "sum_t", 8, 8),
    (Sum(False), "usum_t", 8, 8),
    (Min(False), "umin_t", 8, 8),
    (Max(True), "max_t", 8, 8),
    (Avg(False), "uavg_t", 8, 8),
    (Stats(True), "stats_t", 8, 8),
    (Hist(2), "hist_t", 8, 8),
    (LHist(0, 100, 10), "lhist_t", 8, 8),
    (TSeries(1_000_000_000, 10), "tseries_t", 8, 8),
]


@pytest.mark.parametrize(("type_", "spelling", "size", "alignment"), SPELLINGS, ids=[row[1] for row in SPELLINGS])
def test_spelling_size_alignment(type_: Type, spelling: str, size: int, alignment: int) -> None:
    assert (str(type_), type_.size, type_.alignment) == (spelling, size, alignment)


def test_types_of_different_classes_differ() -> None:
    types = [row[0] for row in SPELLINGS]
    assert len(set(types)) == len(types)


@pytest.mark.parametrize(
    ("elements", "offsets", "size"),
    [
        ((), (), 0),
        ((UINT8,), (0,), 1),
        ((UINT8, UINT32), (0, 4), 8),
        ((UINT64, UINT8), (0, 8), 16),
        ((UINT8, String(5), UINT16), (0, 1, 6), 8),
        ((UINT8, Tuple((UINT8, UINT64)), UINT8), (0, 8, 24), 32),
        ((UINT8, Array(UINT32, 3)), (0, 4), 16),
        ((UINT8, Struct("x"), UINT8), (0, 1, 1), 2),
    ],
)
def test_tuple_layout(elements: tuple[Type, ...], offsets: tuple[int, ...], size: int) -> None:
    layout = tuple_layout(elements)
    assert (layout.offsets, layout.size) == (offsets, size)


def test_record_has_the_layout_of_a_tuple() -> None:
    record = Record((("small", UINT8), ("large", UINT64)))
    assert record.layout == Tuple((UINT8, UINT64)).layout
    assert (record.index("large"), record.index("none")) == (1, None)


def test_equality_disregards_what_a_value_is_not() -> None:
    assert Pointer(INT8, AddressSpace.USER) == Pointer(INT8, AddressSpace.KERNEL, context=True, tags=frozenset({"rcu"}))
    assert Integer(64, True, flexible=True) == INT64
    assert hash(Integer(64, True, flexible=True)) == hash(INT64)
    assert Struct("a", key=1) == Struct("a", key=2, context=True)
    assert Struct("a") != Struct("a", is_union=True)
    assert Enum(32, name="a") != UINT32
    kernel_stack: Type = KStack(5)
    assert kernel_stack != UStack(5)


def test_an_enum_matches_as_an_integer() -> None:
    match Enum(32, name="a"):
        case Integer(bits=32, signed=False):
            pass
        case _:
            pytest.fail("no match")


def test_integers_have_widths_of_registers() -> None:
    with pytest.raises(ValueError, match="24 bits"):
        Integer(24, True)


def test_pointee_lives_where_the_pointer_points() -> None:
    inner = Pointer(INT8)
    declared_user = Pointer(INT8, AddressSpace.USER)

    def space_of(type_: Type) -> AddressSpace:
        assert isinstance(type_, Pointer | Struct | Array)
        return type_.space

    assert space_of(Pointer(inner, AddressSpace.KERNEL).pointee) is AddressSpace.KERNEL
    assert space_of(Pointer(declared_user, AddressSpace.KERNEL).pointee) is AddressSpace.USER
    assert space_of(Pointer(Pointer(INT8, AddressSpace.KERNEL), AddressSpace.USER).pointee) is AddressSpace.USER
    assert space_of(Pointer(Struct("a"), AddressSpace.USER).pointee) is AddressSpace.USER
    assert space_of(in_space(Array(INT8, 2), AddressSpace.KERNEL)) is AddressSpace.KERNEL
    assert space_of(Pointer(declared_user).pointee) is AddressSpace.USER


def test_a_struct_without_a_source_is_incomplete() -> None:
    struct = Struct("nowhere")
    assert (struct.size, struct.fields, struct.layout.complete) == (0, (), False)
    assert struct.member("x") is None


def test_builtin_names() -> None:
    # A name that differs from its type's spelling: these few, and only these.
    differing = {name for name, type_ in BUILTIN_TYPES.items() if str(type_) != name}
    assert differing == {"macaddr_t", "buffer", "inet"}
    assert sized("string", 5) == String(5)
    assert sized("buffer", 5) == Buffer(5)
    assert sized("inet", 16) == Inet(16)
    assert sized("uint8", 5) is None


def test_classification() -> None:
    castable = {type_ for type_ in (row[0] for row in SPELLINGS) if type_.is_castable_map_value}
    assert {str(type_) for type_ in castable} == {"count_t", "sum_t", "usum_t", "umin_t", "max_t", "uavg_t"}
    multi_key = {str(row[0]) for row in SPELLINGS if row[0].is_multi_key_map_value}
    assert multi_key == {"hist_t", "lhist_t", "tseries_t"}
    assert INT16.is_signed and not UINT16.is_signed and Sum(True).is_signed and not Count().is_signed
