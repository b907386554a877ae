from __future__ import annotations

import pytest

from compiler.types.btf import Btf, Kind
from compiler.types.btf_source import BtfSource
from compiler.types.c_names import c_type
from compiler.types.lattice import INT8, AddressSpace, Pointer, Type
from tests.types.btf_writer import BtfWriter


@pytest.fixture(scope="module")
def source() -> BtfSource:
    writer = BtfWriter()
    number = writer.integer("int", 32, signed=True)
    writer.integer("_Bool", 8, boolean=True)
    writer.add(Kind.TYPEDEF, "pid_t", number)
    writer.struct("sock", 8)
    writer.struct("value", 8, union=True)
    writer.enum("state", ("IDLE", 0))
    return BtfSource(Btf(writer.bytes()))


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("int", "int32"),
        ("unsigned", "uint32"),
        ("signed char", "int8"),
        ("unsigned char", "uint8"),
        ("short", "int16"),
        ("short unsigned int", "uint16"),
        ("long", "int64"),
        ("unsigned long", "uint64"),
        ("long long unsigned int", "uint64"),
        ("int long", "int64"),
        ("_Bool", "bool"),
        ("const int", "int32"),
        ("pid_t", "int32"),
        ("const pid_t", "int32"),
        ("void", "void"),
        ("void *", "void *"),
        ("const char *", "int8 *"),
        ("const char *const *", "int8 * *"),
        ("char**", "int8 * *"),
        ("struct sock", "struct sock"),
        ("struct sock *", "struct sock *"),
        ("struct stranger *", "struct stranger *"),
        ("union value", "union value"),
        ("enum state", "enum state"),
        ("volatile struct sock *restrict", "struct sock *"),
    ],
)
def test_known(source: BtfSource, text: str, spelling: str) -> None:
    assert str(c_type(text, source)) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "const", "unknown_t", "unknown_t *", "struct stranger", "enum stranger", "signed unsigned",
        "long short", "unsigned pid_t", "int int", "struct", "int [4]", "void (*)(int)", "int * x", "struct a b", "3",
    ],
)  # fmt: skip
def test_unknown(source: BtfSource, text: str) -> None:
    assert c_type(text, source) is None


def test_user_pointer(source: BtfSource) -> None:
    pointer: Type | None = c_type("const char __user *", source)
    assert pointer == Pointer(INT8)
    assert isinstance(pointer, Pointer) and pointer.space is AddressSpace.USER
