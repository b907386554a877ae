from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.types.binary.binaries import Binaries
from compiler.types.binary.binary import Binary
from tests.binary import variants


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binaries: those that the build has made, or made here."""
    made = os.environ.get("BINARY_VARIANTS")
    if made:
        return Path(made).parent
    folder = tmp_path_factory.mktemp("variants")
    variants.build(os.environ.get("CC", "cc"), folder)
    return folder


@pytest.fixture(scope="session")
def whole(folder: Path) -> Binary:
    return open_binary(folder / "whole.so")


def open_binary(path: Path, *debug_folders: str) -> Binary:
    found = Binaries({path.name: path}, debug_folders=debug_folders).find(path.name)
    assert found is not None
    return found
