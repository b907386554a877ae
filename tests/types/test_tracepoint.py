from __future__ import annotations

import pytest

from compiler.types.btf import Btf, Kind
from compiler.types.btf_source import BtfSource
from compiler.types.lattice import AddressSpace, DynamicArray
from compiler.types.tracepoint import TracepointError, parse_format
from tests.types.btf_writer import BtfWriter


@pytest.fixture(scope="module")
def source() -> BtfSource:
    writer = BtfWriter()
    number = writer.integer("int", 32, signed=True)
    short = writer.integer("unsigned short", 16)
    byte = writer.integer("unsigned char", 8)
    writer.integer("char", 8, signed=True)
    writer.add(Kind.TYPEDEF, "pid_t", number)
    writer.add(Kind.TYPEDEF, "umode_t", short)
    writer.add(Kind.TYPEDEF, "__u8", byte)
    writer.add(Kind.TYPEDEF, "bool", writer.integer("_Bool", 8, boolean=True))
    writer.enum("zone_type", ("ZONE_DMA", 0))
    writer.struct("uuid", 16, ("b", writer.array(byte, 16), 0))
    return BtfSource(Btf(writer.bytes()))


def text(*fields: str) -> str:
    """A format with these fields, in the shape that the kernel prints."""
    lines = "".join(f"\tfield:{field}\n" for field in fields)
    return f'name: event\nID: 42\nformat:\n{lines}\nprint fmt: "%s field:x", REC->name\n'


FIELDS = [
    # field, type, byte offset
    ("unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;", "uint16", 0),
    ("int common_pid;\toffset:4;\tsize:4;\tsigned:1;", "int32", 4),
    ("int fd;\toffset:16;\tsize:8;\tsigned:0;", "int64", 16),
    ("umode_t mode;\toffset:40;\tsize:8;\tsigned:0;", "uint64", 40),
    ("long ret;\toffset:16;\tsize:8;\tsigned:1;", "int64", 16),
    ("pid_t pid;\toffset:8;\tsize:4;\tsigned:1;", "int32", 8),
    ("const char * filename;\toffset:24;\tsize:8;\tsigned:0;", "int8 *", 24),
    ("const char *const * argv;\toffset:24;\tsize:8;\tsigned:0;", "int8 * *", 24),
    ("struct pollfd * ufds;\toffset:16;\tsize:8;\tsigned:0;", "struct pollfd *", 16),
    ("void * p;\toffset:16;\tsize:8;\tsigned:0;", "void *", 16),
    ("char comm[16];\toffset:8;\tsize:16;\tsigned:0;", "string[16]", 8),
    ("char comm[TASK_COMM_LEN];\toffset:8;\tsize:16;\tsigned:0;", "string[16]", 8),
    ("__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;", "uint8[4]", 32),
    ("int values[3];\toffset:32;\tsize:12;\tsigned:1;", "int32[3]", 32),
    ("stranger_t values[3];\toffset:32;\tsize:12;\tsigned:1;", "uint8[12]", 32),
    ("bool sync;\toffset:8;\tsize:1;\tsigned:0;", "bool", 8),
    ("enum zone_type zone;\toffset:8;\tsize:4;\tsigned:0;", "enum zone_type", 8),
    ("enum stranger zone;\toffset:8;\tsize:4;\tsigned:0;", "uint32", 8),
    ("stranger_t value;\toffset:8;\tsize:4;\tsigned:1;", "int32", 8),
    ("struct uuid id;\toffset:8;\tsize:16;\tsigned:0;", "struct uuid", 8),
    ("stranger_t value;\toffset:8;\tsize:24;\tsigned:0;", "uint8[24]", 8),
    ("int old_format;\toffset:8;\tsize:4;", "uint32", 8),
]


@pytest.mark.parametrize(("line", "type_", "offset"), FIELDS, ids=[row[0].split(";")[0] for row in FIELDS])
def test_field(source: BtfSource, line: str, type_: str, offset: int) -> None:
    (field,) = parse_format("some", "event", text(line), source).layout.fields
    assert (str(field.type), field.byte_offset, field.dynamic) == (type_, offset, None)
    assert field.declaration == line.split(";")[0]


@pytest.mark.parametrize("form", list(DynamicArray))
def test_dynamic_arrays(source: BtfSource, form: DynamicArray) -> None:
    line = f"{form.value} char[] name;\toffset:8;\tsize:4;\tsigned:0;"
    tracepoint = parse_format("sched", "sched_process_exec", text(line), source)
    field = tracepoint.member("name")
    assert field and (field.dynamic, str(field.type), field.byte_offset) == (form, "int64", 8)
    assert tracepoint.layout.size == 12


def test_the_print_format_is_not_searched_for_fields(source: BtfSource) -> None:
    tracepoint = parse_format("a", "b", text(FIELDS[0][0], FIELDS[1][0]), source)
    assert [field.name for field in tracepoint.layout.fields] == ["common_type", "common_pid"]
    assert (tracepoint.id, tracepoint.layout.size) == (42, 8)
    assert tracepoint.member("x") is None


def test_space_of_pointers(source: BtfSource) -> None:
    assert parse_format("syscalls", "sys_enter_read", text(), source).space is AddressSpace.USER
    assert parse_format("sock", "inet_sock_set_state", text(), source).space is AddressSpace.KERNEL


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no ID"),
        ("name: x\nformat:\n", "no ID"),
        (text("int x; offset:a; size:4; signed:1;"), "cannot read the line 'field:int x; offset:a;"),
        (text("int x; size:4; signed:1;"), "cannot read the line"),
        (text("int x"), "cannot read the line"),
        (text("; offset:0; size:4; signed:1;"), "cannot read the declaration ''"),
        (text("x; offset:0; size:4; signed:1;"), "cannot read the declaration 'x'"),
        (text("int *; offset:0; size:4; signed:1;"), "cannot read the declaration"),
    ],
)
def test_damaged_format(source: BtfSource, content: str, message: str) -> None:
    with pytest.raises(TracepointError, match=message) as error:
        parse_format("some", "event", content, source)
    assert str(error.value).startswith("some:event: ")
