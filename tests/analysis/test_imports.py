"""Imports: which files they bring, in which order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.analysis import imports
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.source import SourceFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    """Files by name; the first `_` in a name is its dot, and `__` a `/` before it."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".", 1)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def load(folder: Path, text: str, search: imports.Search | None = None) -> tuple[ast.Program, str]:
    """The script, merged, and the diagnostics, in which the folder is `DIR`."""
    sink = DiagnosticSink()
    program = parse(SourceFile(str(folder / "main.bt"), text), sink)
    imports.run(program, search or imports.Search(), sink)
    return program, sink.render().replace(str(folder), "DIR")


def probes(program: ast.Program) -> list[str]:
    return [probe.attach_points[0].text for probe in program.probes]


def test_script_is_merged_before_the_one_that_imports_it(folder: Path) -> None:
    write(folder, a_bt="let @m = hash(2); macro one() { 1 } fn f($a : int8) : int8 { return 1; } begin { } k:a { }")
    program, diagnostics = load(folder, 'import "a.bt"; k:main { }')
    assert not diagnostics
    assert probes(program) == ["begin", "k:a", "k:main"]
    assert [macro.name for macro in program.macros] == ["one"]
    assert [declaration.name for declaration in program.map_declarations] == ["@m"]
    assert [subprogram.name for subprogram in program.subprograms] == ["f"]
    assert not program.imports


def test_imports_of_imports_come_first_and_once(folder: Path) -> None:
    write(
        folder,
        a_bt='import "c.bt"; k:a { }',
        b_bt='import "a.bt"; import "./c.bt"; import "main.bt"; k:b { }',
        c_bt="k:c { }",
        main_bt="",
    )
    program, diagnostics = load(folder, 'import "b.bt"; import "a.bt"; k:main { }')
    assert not diagnostics
    assert probes(program) == ["k:c", "k:a", "k:b", "k:main"]


def test_circle(folder: Path) -> None:
    write(folder, a_bt='import "b.bt"; k:a { }', b_bt='import "a.bt"; k:b { }')
    assert probes(load(folder, 'import "a.bt"; k:main { }')[0]) == ["k:b", "k:a", "k:main"]


def test_folder_in_order_of_names_and_not_below(folder: Path) -> None:
    write(folder, lib__b_bt="k:b { }", lib__a_bt="k:a { }", lib__c_h="struct c { int x; };", lib__notes_txt="hi")
    (folder / "lib/deeper").mkdir()
    write(folder / "lib/deeper", d_bt="k:d { }")
    program, diagnostics = load(folder, 'import "lib"; k:main { }')
    assert not diagnostics
    assert probes(program) == ["k:a", "k:b", "k:main"]
    assert [definition.text for definition in program.c_definitions] == [f'#include "{folder.resolve()}/lib/c.h"']


def test_relative_to_the_script_that_imports(folder: Path) -> None:
    write(folder, lib__a_bt='import "b.bt"; import "c.bt"; k:a { }', lib__b_bt="k:lib { }", b_bt="k:wrong { }")
    write(folder, c_bt="k:of_root { }")
    assert probes(load(folder, 'import "lib/a.bt";')[0]) == ["k:lib", "k:of_root", "k:a"]


def test_search_folders(folder: Path) -> None:
    write(folder, elsewhere__a_bt="k:a { }")
    assert probes(load(folder, 'import "a.bt";', imports.Search([folder / "elsewhere"]))[0]) == ["k:a"]


def test_errors_of_an_imported_script_are_in_it(folder: Path) -> None:
    write(folder, a_bt="config = { max_map_keys = 5 }\nk:a { $x = ; }\n")
    assert load(folder, 'import "a.bt";')[1] == (
        "DIR/a.bt:1:1-30: ERROR: invalid `config` within import\n"
        "config = { max_map_keys = 5 }\n"
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "DIR/a.bt:2:12-13: ERROR: syntax: expected expression\n"
        "k:a { $x = ; }\n"
        "           ~\n"
    )


def test_what_cannot_be_found(folder: Path) -> None:
    assert load(folder, 'import "nosuch.bt";', imports.Search([folder / "x"]))[1] == (
        "DIR/main.bt:1:1-19: ERROR: Unable to find suitable path for import\n"
        'import "nosuch.bt";\n'
        "~~~~~~~~~~~~~~~~~~\n"
        "HINT: checked: DIR/nosuch.bt,DIR/x/nosuch.bt\n"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a_txt", 'unknown import type: "a.txt"'),
        ("a_bpf.o", "importing BPF objects is not supported: a.bpf.o"),
    ],
)
def test_kinds_of_files(folder: Path, name: str, message: str) -> None:
    write(folder, **{name: ""})
    diagnostics = load(folder, f'import "{name.replace("_", ".", 1)}";')[1]
    assert f"ERROR: {message}\n" in diagnostics


def test_the_library_is_always_there(folder: Path) -> None:
    assert load(folder, 'import "stdlib";')[1] == ""


def test_folder_that_everybody_may_write_to(folder: Path) -> None:
    write(folder, a_bt="k:a { }")
    folder.chmod(0o777)
    assert 'WARNING: skipping due to global write permissions: "DIR/a.bt"' in load(folder, 'import "a.bt";')[1]
    assert probes(load(folder, 'import "a.bt";', imports.Search(trusted=True))[0]) == ["k:a"]


def test_file_in_a_folder_that_everybody_may_write_to(folder: Path) -> None:
    write(folder, lib__a_bt="k:a { }")
    (folder / "lib/a.bt").chmod(0o666)
    assert load(folder, 'import "lib";')[1].startswith(
        "DIR/main.bt:1:1-13: ERROR: cowardly refusing to import from a directory with global write permissions: "
        '"DIR/lib/a.bt"\n'
    )
