"""Every shipped tracer runs where nothing is installed, and is small."""

import os
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

MAX_BYTES = 120_000

TRACERS = [Path(os.environ["TEST_SRCDIR"], path) for path in os.environ["TRACERS"].split()]


@pytest.mark.parametrize("tracer", TRACERS, ids=lambda path: path.name)
def test_static(tracer: Path) -> None:
    """Neither a dynamic linker (INTERP) nor a library (NEEDED, a tag of DYNAMIC)."""
    with tracer.open("rb") as file:
        segments = list(ELFFile(file).iter_segments())
        types = [segment["p_type"] for segment in segments]
        dynamic = [segment for segment in segments if isinstance(segment, DynamicSegment)]
        tags = [tag.entry.d_tag for segment in dynamic for tag in segment.iter_tags()]
    assert "PT_LOAD" in types
    assert "PT_INTERP" not in types
    assert "DT_NEEDED" not in tags


@pytest.mark.parametrize("tracer", TRACERS, ids=lambda path: path.name)
def test_size(tracer: Path) -> None:
    assert tracer.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("tracer", TRACERS, ids=lambda path: path.name)
def test_no_path_of_the_build(tracer: Path) -> None:
    contents = tracer.read_bytes()
    for path in (b"/bazel-out/", b"/execroot/", b"/sandbox/"):
        assert path not in contents
