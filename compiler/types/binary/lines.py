"""Source lines of a binary: from FILE:LINE[:COLUMN] to the address of the first instruction of a statement there."""

from __future__ import annotations

from posixpath import join, normpath
from typing import Any

from elftools.dwarf.compileunit import CompileUnit

from compiler.types.binary.dwarf import Dwarf
from compiler.types.errors import BinaryError


class NoLine(BinaryError):
    """The debug information has no such place."""

    def __init__(self, message: str) -> None:
        super().__init__(f"DWARF error: {message}")


def address(dwarf: Dwarf, file: str, line: int, column: int = 0) -> int:
    """`file` is the end of the path that the source file was compiled as, in whole components; column 0 is any.

    Lines of files that `file` includes are theirs, not its own. Raises NoLine.
    """
    matched = ""
    units: list[tuple[CompileUnit, Any, set[int]]] = []
    for unit in dwarf.units:
        program = unit.skeleton.dwarfinfo.line_program_for_CU(unit.skeleton)
        if program is None:
            continue
        numbers = set()
        for number, path in _files(unit.skeleton, program.header):
            if not _ends_with(path, file):
                continue
            if matched and path != matched:
                raise NoLine(f"Ambiguous source path, matches multiple files: {matched}, {path}")
            matched = path
            numbers.add(number)
        if numbers:
            units.append((unit.skeleton, program, numbers))
    if not matched:
        raise NoLine(f"No compilation unit matches {file}")
    for _, program, numbers in units:
        states = (entry.state for entry in program.get_entries() if entry.state is not None)
        found = [
            state.address
            for state in states
            if state.file in numbers and state.line == line and not state.end_sequence and column in (0, state.column)
        ]
        if found:
            return int(min(found))
    place = f"{file}:{line}:{column}" if column else f"{file}:{line}"
    raise NoLine(f"Unable to map '{place}' to address")


def _files(unit: CompileUnit, header: Any) -> list[tuple[int, str]]:
    """Numbers and paths of the files of a line program. They count from 0 since DWARF 5, before that from 1."""
    attributes = unit.get_top_DIE().attributes
    folder = attributes["DW_AT_comp_dir"].value if "DW_AT_comp_dir" in attributes else b""
    since_5 = header["version"] >= 5
    folders = [*header["include_directory"]] if since_5 else [folder, *header["include_directory"]]
    result = []
    for number, entry in enumerate(header["file_entry"], 0 if since_5 else 1):
        own = folders[entry.dir_index] if entry.dir_index is not None and entry.dir_index < len(folders) else b""
        path = join(folder, own, entry.name)
        result.append((number, normpath(path.decode(errors="surrogateescape"))))
    return result


def _ends_with(path: str, end: str) -> bool:
    wanted = _components(end)
    return _components(path)[-len(wanted) :] == wanted


def _components(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    return ["/", *parts] if path.startswith("/") else parts
