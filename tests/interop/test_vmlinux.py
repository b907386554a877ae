"""vmlinux.h: that C gives every structure of the kernel the size and the offsets that BTF says."""

from __future__ import annotations

from pathlib import Path

import pytest
from clang import cindex

from compiler.interop.vmlinux import vmlinux_header
from compiler.object.btf import BtfWriter, Member
from compiler.types.btf import COMPOSITES, ENUMS, Btf
from compiler.types.kernel import Kernel

_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"


def problems(header: str, checks: list[str]) -> list[str]:
    """What clang, for the BPF target, has against the header and the checks."""
    text = "\n".join(['#include "vmlinux.h"', *checks, ""])
    unit = cindex.Index.create().parse(
        "/main.c",
        ["-target", "bpf", "-nostdinc", "-ferror-limit=0", "-I/"],
        unsaved_files=[("/main.c", text), ("/vmlinux.h", header)],
    )
    return [f"{problem.location.line}: {problem.spelling}" for problem in unit.diagnostics]


def test_layout_of_every_structure() -> None:
    source = Kernel.load(_SNAPSHOT).btf()
    assert source is not None
    btf = source.btf
    checks, seen = [], set()
    for type_id in btf.own_ids:
        kind, name = btf.kind(type_id), btf.name(type_id)
        if not name or name in seen or kind not in (*COMPOSITES, *ENUMS):
            continue
        seen.add(name)  # C has one space of names for all of them
        if kind in ENUMS:
            continue
        tag = f"{kind.name.lower()} {name}"
        checks.append(f'_Static_assert(sizeof({tag}) == {btf.size(type_id)}, "{name}");')
        checks += [
            f'_Static_assert(__builtin_offsetof({tag}, {member.name}) == {member.offset // 8}, "{name}.{member.name}");'
            for member in btf.members(type_id)
            if member.name and not member.bitfield
        ]
    assert len(checks) > 50_000
    assert problems(vmlinux_header(btf), checks) == []


def header_of(size: int, members: list[tuple[str, int, int, int]]) -> str:
    """The header of a BTF with `struct s`; of each member name, bytes of its integer type, offset, and bits if it is a
    bitfield.
    """
    writer = BtfWriter()
    type_id = writer.reserve()
    parts = [Member(name, writer.integer(bytes_, signed=False), offset, bits) for name, bytes_, offset, bits in members]
    writer.composite(type_id, "s", size, parts, union=False)
    header = vmlinux_header(Btf(writer.finish()))
    for bytes_, name in ((1, "char"), (2, "short"), (4, "int"), (8, "long")):
        header = header.replace(f"unsigned int{8 * bytes_}", f"unsigned {name}")
    return header


@pytest.mark.parametrize(
    ("size", "members", "is_packed"),
    [
        (8, [("a", 4, 0, 0), ("b", 2, 32, 0)], False),
        (6, [("a", 4, 0, 0), ("b", 2, 32, 0)], True),
        (64, [("a", 4, 0, 0), ("b", 8, 256, 0)], True),
        (4, [("a", 4, 0, 3), ("b", 4, 3, 5), ("c", 2, 16, 0)], False),
        (4, [("a", 4, 0, 3), ("b", 4, 8, 5)], True),
    ],
)
def test_layouts(size: int, members: list[tuple[str, int, int, int]], is_packed: bool) -> None:
    header = header_of(size, members)
    assert ("packed" in header) == is_packed
    checks = [f'_Static_assert(sizeof(struct s) == {size}, "s");']
    for name, _, offset, bits in members:
        if not bits:
            checks.append(f'_Static_assert(__builtin_offsetof(struct s, {name}) == {offset // 8}, "{name}");')
    assert problems(header, checks) == []
