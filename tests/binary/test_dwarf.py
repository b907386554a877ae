"""Functions, types and lines of binaries with debug information in all its forms."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.types.binary import source, split
from compiler.types.binary.binary import Binary
from compiler.types.binary.calling_convention import Location
from compiler.types.binary.elf import Elf
from compiler.types.binary.lines import NoLine
from compiler.types.errors import BinaryError, NoDebugInfo
from compiler.types.lattice import Enum, Field, Struct
from tests.binary.conftest import open_binary

WITH_DEBUG_INFO = (
    "whole.so", "dwarf4.so", "optimized.so", "compressed.so", "split.so", "nameless.so", "stripped.so", "linked.so",
    "typeunits.so", "typeunits4.so",
)  # fmt: skip


def arguments(binary: Binary, function: str) -> list[tuple[str, str, int | str]]:
    """Name, type, and where it is: the number of its register, "registers ..." for several, or "stack OFFSET"."""
    return [(field.name, str(field.type), _place(field.location)) for field in binary.arguments(function)]


def _place(location: Location | None) -> int | str:
    match location:
        case None:
            return "nowhere"
        case Location((int(number),)):
            return number
        case Location(()):
            return f"stack {location.stack}"
        case _:
            return f"registers {location.registers}"


def members(struct_: Struct | None) -> dict[str, tuple[str, int, int]]:
    """Type, offset in bits and bitfield width by name."""
    assert struct_ is not None
    return {field.name: (str(field.type), field.offset, field.bitfield) for field in struct_.fields}


def struct_of(binary: Binary, name: str) -> Struct | None:
    assert binary.types is not None
    return binary.types.struct(name)


@pytest.mark.parametrize("name", WITH_DEBUG_INFO)
def test_arguments_have_names_types_and_registers(folder: Path, name: str) -> None:
    binary = open_binary(folder / name, "debug")
    assert binary.missing_split_files() == []
    assert arguments(binary, "plain") == [
        ("a", "int32", 0),
        ("b", "int8", 1),
        ("c", "struct shape *", 2),
        ("d", "enum color", 3),
        ("e", "void *", 4),
        ("f", "int8 *", 5),
        ("on_stack", "int32", "stack 8"),
    ]


def test_functions_that_no_other_file_sees(whole: Binary) -> None:
    assert arguments(whole, "local") == [("a", "union both *", 0), ("b", "uint16", 1)]


def test_functions_that_are_called_in_ways_of_their_own(folder: Path) -> None:
    """Those that the compiler has cut out of others; which, is its choice."""
    binary = open_binary(folder / "optimized.so")
    for symbol in binary.elf.functions():
        if ".isra" in symbol.name or ".constprop" in symbol.name:
            with pytest.raises(NoDebugInfo, match="is called in a way of its own"):
                binary.arguments(symbol.name)


def test_only_integers_take_integer_registers(whole: Binary) -> None:
    found = arguments(whole, "with_floats")
    assert found == [("a", "none", "nowhere"), ("b", "int32", 0), ("c", "none", "nowhere"), ("d", "int64", 1)]


def test_structures_take_registers_too(whole: Binary) -> None:
    assert arguments(whole, "by_value") == [
        ("a", "struct two_words", "registers (0, 1)"),
        ("b", "struct three_words", "stack 8"),
        ("c", "none", "nowhere"),
        ("d", "struct mixed", "registers (None, 2)"),
        ("e", "int32", 3),
    ]
    assert arguments(whole, "wide")[::2] == [("a", "int32", 0), ("c", "int32", 3)]


def test_a_result_in_memory_takes_the_first_register(whole: Binary) -> None:
    assert arguments(whole, "returns_in_memory") == [("a", "int32", 1)]


def test_rust(whole: Binary, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the functions were Rust's, without mangled names: maybe `extern "C"`."""
    unit = whole._dwarf.units[0] if whole._dwarf else None
    assert unit is not None
    monkeypatch.setattr(source, "_RUST", unit.top.attributes["DW_AT_language"].value)
    assert arguments(whole, "plain")[:3] == [("a", "int32", 0), ("b", "int8", 1), ("c", "struct shape *", 2)]
    assert [register for _, _, register in arguments(whole, "returns_in_memory")] == [1]
    # Large structures are on the stack in C, and passed by their addresses in Rust.
    assert arguments(whole, "by_value")[4] == ("e", "none", "nowhere")
    monkeypatch.setattr(source, "_RUST_MANGLED", "")
    assert arguments(whole, "by_value")[4] == ("e", "int32", 4)


def test_what_is_neither_an_integer_nor_in_memory_takes_none(whole: Binary) -> None:
    assert arguments(whole, "returns_long_double") == [("a", "int32", 0)]
    assert arguments(whole, "returns_complex") == [("a", "none", "nowhere"), ("b", "int32", 0)]
    assert arguments(whole, "returns_vector") == [("a", "none", "nowhere"), ("b", "int32", 0)]


# Type units of DWARF 4 are a section of their own: they are found by what refers to them, not by name.
@pytest.mark.parametrize("name", [name for name in WITH_DEBUG_INFO if name != "typeunits4.so"])
def test_members(folder: Path, name: str) -> None:
    shape = struct_of(open_binary(folder / name, "debug"), "shape")
    assert members(shape) == {
        "id": ("int32", 0, 0),
        "low": ("uint32", 32, 3),
        "high": ("uint32", 35, 5),
        "color": ("enum color", 64, 0),
        "inner": ("struct inner", 96, 0),
        "next": ("struct inner *", 192, 0),
        "matrix": ("int32[3][2]", 256, 0),
        "port": ("uint16", 448, 0),
        "number": ("int64", 512, 0),
        "first": ("int32", 512, 0),
        "second": ("int32", 544, 0),
        "weight": ("none", 576, 0),
        "call": ("void *", 640, 0),
        "hidden": ("struct elsewhere *", 704, 0),
        "tail": ("string", 768, 0),
    }
    assert shape is not None
    assert shape.size == 96
    inner = shape.member("inner")
    assert inner is not None and isinstance(inner.type, Struct)
    assert members(inner.type) == {"name": ("string[8]", 0, 0), "bytes": ("string[4]", 64, 0)}


def test_what_one_file_declares_another_defines(whole: Binary) -> None:
    shape = struct_of(whole, "shape")
    hidden = shape and shape.member("hidden")
    assert isinstance(hidden, Field)
    target = hidden.type.to  # type: ignore[attr-defined]
    assert members(target) == {"secret": ("int64", 0, 0)}


def test_names(folder: Path) -> None:
    types = open_binary(folder / "whole.so").types
    assert types is not None
    assert not types.is_used
    assert types.struct("absent") is None
    assert types.struct("both") is None
    assert str(types.union("both")) == "union both"
    assert str(types.typedef("port_t")) == "uint16"
    color = types.enum("color")
    assert isinstance(color, Enum) and color.signed
    assert dict(color.enumerators) == {"RED": 1, "GREEN": 2, "NEVER": -1}
    assert types.enumerator("GREEN") == (color, 2)
    assert types.enumerator("NAMELESS") is not None
    assert types.enumerator("GREY") is None
    assert types.is_used


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize("name", WITH_DEBUG_INFO)
def test_the_line_of_a_function_is_where_it_begins(folder: Path, name: str) -> None:
    binary = open_binary(folder / name, "debug")
    symbol = binary.function("calls")
    assert symbol is not None
    assert binary.line("shapes.c", line_of(folder, "shapes.c", "int calls("), 0) == symbol.address


def test_lines(whole: Binary, folder: Path) -> None:
    symbol = whole.function("calls")
    assert symbol is not None
    line = line_of(folder, "shapes.c", "sum += included")
    address = whole.line("shapes.c", line, 0)
    assert symbol.address < address < symbol.address + symbol.size
    column = (folder / "shapes.c").read_text().splitlines()[line - 1].index("+=") + 1
    assert symbol.address < whole.line(f"{folder.name}/shapes.c", line, column) < symbol.address + symbol.size
    assert whole.line("shapes.h", 3, 0) != address


def test_places_that_are_none(whole: Binary) -> None:
    for file, line, column, message in (
        ("absent.c", 1, 0, "DWARF error: No compilation unit matches absent.c"),
        ("hapes.c", 1, 0, "DWARF error: No compilation unit matches hapes.c"),
        ("shapes.c", 1, 0, "DWARF error: Unable to map 'shapes.c:1' to address"),
        ("shapes.c", 1, 9, "DWARF error: Unable to map 'shapes.c:1:9' to address"),
    ):
        with pytest.raises(NoLine) as raised:
            whole.line(file, line, column)
        assert str(raised.value) == message


def test_without_debug_info(folder: Path) -> None:
    for path in (folder / "bare.so", folder / "stripped.so"):
        binary = open_binary(path)
        assert binary.types is None
        with pytest.raises(NoDebugInfo, match=f"no debuginfo found for {path.name}"):
            binary.arguments("plain")


def test_debug_files_of_other_builds_are_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "stripped.so").write_bytes((folder / "stripped.so").read_bytes())
    (tmp_path / "stripped.so.debug").write_bytes((folder / "other.so").read_bytes())
    assert not open_binary(tmp_path / "stripped.so").has_debug_info
    (tmp_path / "linked.so").write_bytes((folder / "linked.so").read_bytes())
    (tmp_path / "linked.so.debug").write_bytes((folder / "debug" / "linked.so.debug").read_bytes() + b"\0")
    assert not open_binary(tmp_path / "linked.so").has_debug_info


def test_debug_files_by_build_id(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "stripped.so").write_bytes((folder / "stripped.so").read_bytes())
    build_id = Elf(folder / "stripped.so").build_id.hex()
    place = tmp_path / "store" / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    place.parent.mkdir(parents=True)
    place.write_bytes((folder / "debug" / "stripped.so.debug").read_bytes())
    assert open_binary(tmp_path / "stripped.so", "store").has_debug_info


def test_split_units_that_are_missing_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "split.so").write_bytes((folder / "split.so").read_bytes())
    (tmp_path / "split.so-shapes.dwo").write_bytes((folder / "split.so-shapes.dwo").read_bytes())
    binary = open_binary(tmp_path / "split.so")
    assert arguments(binary, "local") == [("a", "union both *", 0), ("b", "uint16", 1)]
    assert binary.missing_split_files() == ["split.so-elsewhere.dwo"]


def test_a_package_of_split_units(folder: Path) -> None:
    """Two units in one file, found by id: in its index, the second unit's id is in the third slot of four."""
    parts = [Elf(folder / f"split.so-{name}.dwo") for name in ("shapes", "elsewhere")]
    sections = {
        name: b"".join(part.section(name) or b"" for part in parts) for name in split._SECTIONS
    }  # fmt: skip
    columns = [1, 3, 6]
    sizes = [[len(part.section(split._COLUMNS[column]) or b"") for column in columns] for part in parts]
    index = struct.pack("<HHIII", 5, 0, len(columns), 2, 4)
    index += struct.pack("<4Q4I", 0xA, 0, 0xB, 0, 1, 0, 2, 0)
    index += struct.pack("<3I", *columns) + bytes(12) + struct.pack("<3I", *sizes[0])
    index += struct.pack("<6I", *sizes[0], *sizes[1])
    sections[".debug_cu_index"] = index

    class Package:
        path = folder / "split.so.dwp"

        def section(self, name: str) -> bytes | None:
            return sections.get(name)

    found = split._of_package(Package(), 0xB)  # type: ignore[arg-type]
    assert found is not None
    for column in columns:
        assert found[split._COLUMNS[column]] == parts[1].section(split._COLUMNS[column])
    assert split._of_package(Package(), 0xC) is None  # type: ignore[arg-type]


def test_damaged_files(folder: Path, tmp_path: Path) -> None:
    data = (folder / "whole.so").read_bytes()
    info = Elf(folder / "whole.so").file.get_section_by_name(".debug_info")
    assert info is not None
    start = info["sh_offset"]
    (tmp_path / "damaged.so").write_bytes(data[: start + 40] + b"\xff" * 200 + data[start + 240 :])
    with pytest.raises(BinaryError, match=r"damaged.so"):
        open_binary(tmp_path / "damaged.so").arguments("plain")
    (tmp_path / "text.so").write_text("nothing")
    with pytest.raises(BinaryError, match="not an ELF file"):
        open_binary(tmp_path / "text.so")


def test_damaged_section_headers(folder: Path, tmp_path: Path) -> None:
    """Whatever is asked of the file then, nothing is raised but BinaryError."""
    data = (folder / "whole.so").read_bytes()
    (start,) = struct.unpack_from("<Q", data, 40)
    questions: list[Callable[[Binary], object]] = [
        lambda binary: binary.elf.build_id,
        lambda binary: binary.elf.usdt_probes,
        lambda binary: binary.elf.symbol("plain"),
        lambda binary: list(binary.elf.functions()),
        lambda binary: binary.has_debug_info,
        lambda binary: binary.function("plain"),
    ]
    refused = 0
    for header in range(start + 64, len(data), 64):
        path = tmp_path / f"{header}.so"
        path.write_bytes(data[: header + 4] + b"\xfe" * 60 + data[header + 64 :])
        for question in questions:
            try:
                question(open_binary(path))
            except BinaryError:
                refused += 1
    assert refused
