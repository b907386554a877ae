"""What the compiler sees of traced binaries: here the compiler's own object files."""

from pathlib import Path

import pytest

from compiler.object.tracer import SYMBOL, payload, tracer_object
from compiler.types.binary.binaries import Binaries
from proto import required_resources_pb2 as pb

_RESOURCES = pb.RequiredResources(arch=pb.Architecture.X86_64, compiler_version="x")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/traced").write_bytes(tracer_object(_RESOURCES, ["elsewhere"]))
    (tmp_path / "bin/script").write_text("#!/bin/sh\n")
    return tmp_path


def test_size_of_a_symbol(root: Path) -> None:
    assert Binaries(root=root).symbol_size("/bin/traced", SYMBOL) == len(payload(_RESOURCES))


def test_a_relative_path_is_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert Binaries(root=Path("/nowhere")).symbol_size("bin/traced", SYMBOL) == len(payload(_RESOURCES))


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("/bin/traced", "unknown"),
        ("/bin/traced", "elsewhere"),  # undefined: the file only uses it
        ("/bin/script", SYMBOL),
        ("/bin/missing", SYMBOL),
        ("/bin", SYMBOL),
        ("other", SYMBOL),
    ],
)
def test_unknown(root: Path, path: str, symbol: str) -> None:
    assert Binaries(root=root).symbol_size(path, symbol) is None


def test_without_root_nothing_is_seen(root: Path) -> None:
    assert Binaries().symbol_size(str(root / "bin/traced"), SYMBOL) is None
