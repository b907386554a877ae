"""Every example of upstream's references that is a whole script compiles, or fails for the reason that is given here.

The references are read where Debian has them: the man page in bpftrace's package, the others in its source package. Not
every mirror carries source packages; without them their examples are skipped, and the reason is shown.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel
from tests.syntax.formatting import check_formatting
from tests.upstream import examples
from tests.upstream.examples import Example
from tests.upstream.harness import Compiler

REFERENCES = {path.name: path for path in map(Path, os.environ["UPSTREAM_REFERENCES"].split())}
LANGUAGE, LIBRARY, TUTORIAL, MAN = "language.md", "stdlib.md", "tutorial_one_liners.md", "bpftrace.8.gz"
LEAST = {LANGUAGE: 65, LIBRARY: 55, TUTORIAL: 11, MAN: 7}
"""How many examples a reference has at least: less means that they are not found any more."""

FAILURES = {
    # "..." stands for what is left out
    (LANGUAGE, "config-block 1"): "syntax: expected expression",
    (LANGUAGE, "uprobe-uretprobe 3"): "syntax: expected expression",
    (LANGUAGE, "uprobe-uretprobe 4"): "syntax: expected expression",
    (LANGUAGE, "uprobe-uretprobe 8"): "syntax: expected expression",
    (LANGUAGE, "array-casts 2"): "syntax: expected '{'",
    (LANGUAGE, "map-declarations 1"): "syntax: expected expression",
    (LANGUAGE, "per-thread-variables 2"): "syntax: expected expression",
    # text in between that is for a reader or a shell
    (LANGUAGE, "uprobe-uretprobe 6"): "positional parameter is not valid",
    (LANGUAGE, "watchpoint 2"): "invalid trailing character for positional param",
    # a syntax that 0.27 does not have any more: `macro m { }` and `m!()`
    (LANGUAGE, "the-bpftrace-language 1"): "syntax: expected '('",
    (LANGUAGE, "examples 1"): "syntax: expected ';'",
    # semicolons are missing
    (LANGUAGE, "unroll 1"): "syntax: expected ';'",
    (LANGUAGE, "macros 1"): "syntax: expected ';'",
    # as documented: what is wrong in it is said in comments
    (LANGUAGE, "macros 2"): "Unhygienic access to map: @x",
    (LIBRARY, "delete 1"): "call to delete() with a single argument expects a map without explicit keys",
    (LIBRARY, "has-key 1"): "has_key() requires 2 arguments (1 provided)",
    (LIBRARY, "fail 1"): "Expected the first positional param to be greater than 1. Got 0",
    # a part of a script: the maps are another part's
    (LANGUAGE, "begin-end 1"): "Undefined map: @map1",
    # headers that are not there; the kernel's types need none
    (LANGUAGE, "kprobe-and-kretprobe 2"): "'linux/path.h' file not found",
    (MAN, "preprocessor-options 1"): "'foo.h' file not found",
    # a function that the kernel of the default snapshot does not have
    (LIBRARY, "skboutput 1"): "No matches for fentry dev_queue_xmit.",
}
"""What is expected of the examples that do not compile: a part of the first message."""
if shutil.which("clang") is None:
    FAILURES[LANGUAGE, "examples 2"] = "importing C sources needs clang"

PARAMETERS = {(LIBRARY, "fail 1"): ("0",)}


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    with Compiler(Kernel.load(Path("kernels/default.snapshot"))) as compiler:
        yield compiler


def read(reference: str) -> list[Example]:
    path = REFERENCES.get(reference)
    if path is None:
        return []
    if path.suffix == ".gz":
        return examples.of_man_page(gzip.decompress(path.read_bytes()).decode())
    return examples.of_markdown(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("reference", LEAST)
def test_examples_are_found(reference: str) -> None:
    if reference not in REFERENCES:
        pytest.skip(REFERENCES["missing"].read_text(encoding="utf-8"))
    names = {example.name for example in read(reference)}
    assert len(names) >= LEAST[reference]
    assert names >= {name for of, name in FAILURES if of == reference}


@pytest.mark.parametrize(
    ("reference", "example"),
    [
        pytest.param(reference, example, id=f"{reference}: {example.name}")
        for reference in LEAST
        for example in read(reference)
    ],
)
def test_example(reference: str, example: Example, compiler: Compiler, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name, text in example.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    parameters = PARAMETERS.get((reference, example.name), example.parameters)
    source = SourceFile(str(tmp_path / "example.bt"), example.text)
    check_formatting(example.text)
    errors = compiler.errors(source, parameters, unsafe=True)
    expected = FAILURES.get((reference, example.name))
    if expected is None:
        assert errors == ""
    else:
        assert expected in errors.partition("\n")[0]
