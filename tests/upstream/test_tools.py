"""All tools of Debian's bpftrace compile, every one as it is shipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel
from tests.syntax.formatting import check_formatting
from tests.upstream.harness import Compiler

TOOLS = {path.name: path for path in map(Path, os.environ["UPSTREAM_TOOLS"].split())}
NEW_KERNEL = {"runqlen.bt"}
"""Those that read members which only newer kernels have than that of the default snapshot."""
MODULES = {"mdflush.bt"}
"""Those that probe functions of modules that the snapshot lacks: what --unsafe is for."""
NUMBER = 39


@pytest.fixture(scope="module")
def default() -> Iterator[Compiler]:
    with Compiler(Kernel.load(Path("kernels/default.snapshot"))) as compiler:
        yield compiler


@pytest.fixture(scope="module")
def new() -> Iterator[Compiler]:
    with Compiler(Kernel.load(Path(os.environ["NEW_SNAPSHOT"]))) as compiler:
        yield compiler


def test_all_are_there() -> None:
    assert len(TOOLS) == NUMBER
    assert set(TOOLS) >= NEW_KERNEL | MODULES


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_tool(name: str, request: pytest.FixtureRequest) -> None:
    compiler: Compiler = request.getfixturevalue("new" if name in NEW_KERNEL else "default")
    assert compiler.errors(SourceFile.read(TOOLS[name]), unsafe=name in MODULES) == ""


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_formatting(name: str) -> None:
    assert check_formatting(TOOLS[name].read_text(encoding="utf-8"))
