"""C definitions through libclang, over a small kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.types.btf import Btf, Kind
from compiler.types.btf_source import BtfSource
from compiler.types.c_declarations import CDeclarations, CDiagnostic
from compiler.types.c_definitions import parse
from compiler.types.lattice import Field, Struct
from tests.types.btf_writer import BtfWriter


@pytest.fixture(scope="module")
def kernel() -> BtfSource:
    writer = BtfWriter()
    number = writer.integer("int", 32, signed=True)
    word = writer.integer("long unsigned int", 64)
    writer.add(Kind.TYPEDEF, "pid_t", number)
    writer.struct("task_struct", 16, ("pid", number, 0), ("state", word, 64))
    writer.struct("list_head", 16, ("next", writer.pointer(0), 0), ("prev", writer.pointer(0), 64))
    writer.enum("zone", ("ZONE_DMA", 0), ("ZONE_NORMAL", 2))
    return BtfSource(Btf(writer.bytes()))


def definitions(text: str, kernel: BtfSource) -> CDeclarations:
    found = parse(text, kernel, "x86_64")
    assert not [diagnostic for diagnostic in found.diagnostics if diagnostic.is_error]
    return found


def members(struct: Struct | None) -> dict[str, tuple[str, int, int]]:
    """Type, offset in bits and bitfield width by name."""
    assert struct is not None
    return {member.name: (str(member.type), member.offset, member.bitfield) for member in struct.fields}


def test_struct_layout(kernel: BtfSource) -> None:
    found = definitions("struct s { char a; int b; char name[10]; unsigned short c[2][3]; _Bool d; void *p; };", kernel)
    struct = found.struct("s")
    assert struct is not None and struct.size == 40
    assert members(struct) == {
        "a": ("int8", 0, 0),
        "b": ("int32", 32, 0),
        "name": ("string[10]", 64, 0),
        "c": ("uint16[3][2]", 144, 0),
        "d": ("uint8", 240, 0),
        "p": ("void *", 256, 0),
    }


def test_bitfields(kernel: BtfSource) -> None:
    found = definitions("struct s { unsigned a : 3; unsigned b : 7; int c : 12; };", kernel)
    assert members(found.struct("s")) == {"a": ("uint32", 0, 3), "b": ("uint32", 3, 7), "c": ("int32", 10, 12)}


def test_anonymous_members_are_members_of_their_parent(kernel: BtfSource) -> None:
    found = definitions("struct s { int a; union { int b; struct { char c; long d; }; }; };", kernel)
    struct = found.struct("s")
    assert members(struct) == {
        "a": ("int32", 0, 0),
        "b": ("int32", 64, 0),
        "c": ("int8", 64, 0),
        "d": ("int64", 128, 0),
    }
    assert struct is not None
    assert [member.path for member in struct.fields] == [(0,), (1, 0), (1, 1, 0), (1, 1, 1)]


def test_struct_of_its_own_kind(kernel: BtfSource) -> None:
    found = definitions("struct node { struct node *next; };", kernel)
    assert members(found.struct("node")) == {"next": ("struct node *", 0, 0)}


def test_union_and_typedef(kernel: BtfSource) -> None:
    found = definitions("union u { int a; long b; }; typedef struct { int v; } T; typedef T *P;", kernel)
    union = found.union("u")
    assert union is not None and union.is_union and union.size == 8
    assert str(found.typedef("P")) == f"{found.typedef('T')} *"


def test_enums(kernel: BtfSource) -> None:
    found = definitions("enum color { RED, GREEN = 5 }; enum { NEGATIVE = -3 };", kernel)
    color = found.enum("color")
    assert color is not None and dict(color.enumerators) == {"RED": 0, "GREEN": 5}
    assert found.enumerator("GREEN") == (color, 5)
    negative = found.enumerator("NEGATIVE")
    assert negative is not None and negative[1] == -3 and negative[0].is_signed
    assert found.enumerator("BLUE") is None


def test_macros_are_the_object_like_ones(kernel: BtfSource) -> None:
    found = definitions('#define N 5\n#define TEXT "a" "b"\n#define EMPTY\n#define F(x) x\n#define G (1)\n', kernel)
    assert found.macros == {"N": "5", "TEXT": '"a" "b"', "G": "( 1 )"}


def test_kernel_types_need_no_definition(kernel: BtfSource) -> None:
    text = "struct s { pid_t pid; struct task_struct task; struct list_head *list; enum zone zone; };"
    found = definitions(text, kernel)
    fields: dict[str, Field] = {member.name: member for member in found.struct("s").fields}  # type: ignore[union-attr]
    assert str(fields["pid"].type) == "int32"
    assert fields["task"].type == kernel.struct("task_struct")
    assert fields["task"].offset == 64
    task = fields["task"].type
    assert isinstance(task, Struct) and task.source is kernel  # its members are relocated on the target
    assert str(fields["list"].type) == "struct list_head *"
    assert fields["zone"].type == kernel.enum("zone")


def test_kernel_constant_as_array_size(kernel: BtfSource) -> None:
    found = definitions("struct s { int a[ZONE_NORMAL]; };", kernel)
    assert members(found.struct("s")) == {"a": ("int32[2]", 0, 0)}


def test_own_definition_wins_over_the_kernels(kernel: BtfSource) -> None:
    found = definitions("struct task_struct { int mine; };", kernel)
    assert members(found.struct("task_struct")) == {"mine": ("int32", 0, 0)}


def test_btf_is_announced(kernel: BtfSource) -> None:
    found = definitions("#ifndef BPFTRACE_HAVE_BTF\n#include <linux/sched.h>\n#else\n#define HERE 1\n#endif\n", kernel)
    assert found.macros == {"HERE": "1"}


def test_include(kernel: BtfSource, tmp_path: Path) -> None:
    (tmp_path / "point.h").write_text("struct point { int x, y; };\n#define ORIGIN 0\n")
    found = parse("#include <point.h>\n", kernel, "x86_64", include_directories=[tmp_path])
    assert not found.diagnostics
    assert members(found.struct("point")) == {"x": ("int32", 0, 0), "y": ("int32", 32, 0)}
    assert found.macros == {"ORIGIN": "0"}


def test_errors_have_their_place_and_nothing_is_read(kernel: BtfSource) -> None:
    found = parse("struct a { int x; };\nstruct b { unknown_t y; };\n", kernel, "x86_64")
    assert list(found.diagnostics) == [CDiagnostic("unknown type name 'unknown_t'", "", 2, 12, True)]
    assert found.struct("a") is None


def test_missing_include_is_an_error(kernel: BtfSource) -> None:
    found = parse("#include <nowhere.h>\n", kernel, "x86_64")
    assert list(found.diagnostics) == [CDiagnostic("'nowhere.h' file not found", "", 1, 10, True)]


def test_text_that_is_not_utf8_is_an_error_of_c(kernel: BtfSource) -> None:
    assert parse("#\udc80\n", kernel, "x86_64").diagnostics
