"""Pass: root imports.

Before: a parsed script. After: it has no import; what it imports, and what that imports, is part of it. Imported probes
come before those of the script that imports them, so that they are attached first. A header becomes an
`#include`; the next pass compiles the C sources.

`import "stdlib"` means nothing: the library is always there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.source import SourceFile

_LIBRARY = "stdlib"
_STATEMENT = "Import statements that are not at the top level are limited to headers (.h) and C sources (.bpf.c)"


_Import = ast.Import | ast.ImportStatement


@dataclass(frozen=True, slots=True)
class Search:
    """Where imports are looked for, after the folders of the script that imports and of the first script."""

    directories: Sequence[Path] = ()
    trusted: bool = False
    """Imports may be in folders that everybody may write to: a build system answers for what is there."""


def run(program: ast.Program, search: Search, sink: DiagnosticSink) -> None:
    _Importer(Path(program.span.source.name).parent, search, sink).resolve(program)


def run_statements(program: ast.Program, search: Search, sink: DiagnosticSink) -> None:
    """Pass: imports inside of blocks, once macros are expanded. They can bring headers and C sources only."""
    importer = _Importer(Path(program.span.source.name).parent, search, sink)
    importer.done.update(Path(source.path).resolve() for source in program.c_sources)
    for probe in program.probes:
        for node in probe.walk():
            if not isinstance(node, ast.ImportStatement):
                continue
            if Path(node.path).suffix in ("", ".bt"):
                sink.error("import", _STATEMENT, node.span)
                continue
            for part in importer.load(node):
                program.c_definitions += part.c_definitions
                program.c_sources += part.c_sources


@dataclass(slots=True)
class _Importer:
    root: Path
    search: Search
    sink: DiagnosticSink
    done: set[Path] = field(default_factory=set)

    def resolve(self, program: ast.Program) -> None:
        """Merges all that `program` imports into it."""
        imports, program.imports = program.imports, []
        parts = [part for item in imports for part in self.load(item)]
        for name in ("c_definitions", "c_sources", "map_declarations", "macros", "subprograms", "probes"):
            merged = [node for part in parts for node in getattr(part, name)]
            setattr(program, name, merged + getattr(program, name))

    def load(self, item: _Import) -> Iterator[ast.Program]:
        """What one import brings."""
        checked: list[Path] = []
        for directory in (Path(item.span.source.name).parent, self.root, *self.search.directories):
            path = directory / item.path
            if path in checked or not os.path.exists(path):  # of a path that is too long, exists() of pathlib raises
                checked.append(path)
            elif self.may_import(path):
                yield from self.load_path(item, path)
                return
            else:
                message = f'skipping due to global write permissions: "{path}"'
                self.sink.warning("import-permissions", message, item.span)
                checked.append(path)
        if item.path != _LIBRARY:
            hint = f"checked: {','.join(str(path) for path in dict.fromkeys(checked))}"
            self.sink.error("import", "Unable to find suitable path for import", item.span, hints=[hint])

    def load_path(self, item: _Import, path: Path) -> Iterator[ast.Program]:
        if not path.is_dir():
            yield from self.load_file(item, path, known=False)
            return
        for entry in sorted(path.iterdir()):
            if self.may_import(entry):
                if not entry.is_dir():
                    yield from self.load_file(item, entry, known=True)
            else:
                message = f'cowardly refusing to import from a directory with global write permissions: "{entry}"'
                self.sink.error("import-permissions", message, item.span)

    def load_file(self, item: _Import, path: Path, *, known: bool) -> Iterator[ast.Program]:
        """Loads a file once; with `known` one that cannot be imported is passed over."""
        real = path.resolve()
        if real in self.done:
            return
        self.done.add(real)
        match path.suffixes[-2:]:
            case [*_, ".bt"]:
                yield from self.load_script(item, path)
            case [*_, ".h"]:
                include = ast.CDefinition(f'#include "{real}"', span=item.span)
                yield ast.Program(c_definitions=[include], span=item.span)
            case [".bpf", ".c"]:
                yield ast.Program(c_sources=[ast.CSource(str(path), span=item.span)], span=item.span)
            case [".bpf", ".o"]:
                message = f"importing BPF objects is not supported: {path.name}"
                self.sink.error("not-supported", message, item.span, hints=["Import their C source: NAME.bpf.c"])
            case _ if not known:
                self.sink.error("import", f'unknown import type: "{path.name}"', item.span)

    def load_script(self, item: _Import, path: Path) -> Iterator[ast.Program]:
        try:
            source = SourceFile.read(path)
        except OSError as error:
            self.sink.error("import", f"error reading import '\"{path}\"': {error.strerror}", item.span)
            return
        program = parse(source, self.sink)
        if program.config is not None and program.config.settings:
            self.sink.error("import-config", "invalid `config` within import", program.config.span)
        self.resolve(program)
        yield program

    def may_import(self, path: Path) -> bool:
        if self.search.trusted:
            return True
        return not any(place.stat().st_mode & stat.S_IWOTH for place in (path, path.parent))
