"""Builds the example workspace, by MODULE.bazel and by WORKSPACE, and runs what it makes on this machine's own kernel.

    bazel run //tests/examples:check

The tracer watches a program that it starts itself, and nothing else. Exit status 0 if all is as it should be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from compiler.types.binary.elf import Elf
from tests.reproducibility.workspace import Workspace

_FOLDER = "uprobe_targets"
_PMU = Path("/sys/bus/event_source/devices/uprobe")
_OUTPUT = [
    "1 x tea at 250",
    "2 x cup at 900",
    "3 x spoon at 120",
    "@sold[tea]: 1",
    "@sold[cup]: 2",
    "@sold[spoon]: 3",
]


class Failure(Exception):
    """Something is not as it should be."""


def trace(tracer: Path, program: Path) -> subprocess.CompletedProcess[str]:
    """Runs the tracer with a copy of the program, found by PATH."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(program, Path(folder, "shop"))
        return subprocess.run(
            [tracer, "-c", "shop"],
            env={"PATH": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )


def expect_output(tracer: Path, program: Path) -> None:
    completed = trace(tracer, program)
    lines = completed.stdout.splitlines()
    missing = [line for line in _OUTPUT if line not in lines]
    if completed.returncode or missing:
        raise Failure(f"{program}: exit status {completed.returncode}, without {missing}:\n{completed.stdout}")


def expect_refusal(tracer: Path, program: Path, *build_ids: str) -> None:
    completed = trace(tracer, program)
    missing = [build_id for build_id in build_ids if build_id not in completed.stdout]
    if not completed.returncode or missing or "at 250" in completed.stdout:
        raise Failure(f"another build: exit status {completed.returncode}, without {missing}:\n{completed.stdout}")


def check(workspace: Workspace, scratch: Path) -> None:
    workspace.bazel("build", f"//{_FOLDER}:all")
    tracer, program, stripped = scratch / "orders", scratch / "shop", scratch / "stripped"
    for name in ("orders", "shop"):
        shutil.copy(workspace.output(f"{_FOLDER}/{name}"), scratch / name)
    can_trace = os.geteuid() == 0 and _PMU.exists()
    if can_trace:
        expect_output(tracer, program)
        subprocess.run(["strip", program, "-o", stripped], check=True)
        expect_output(tracer, stripped)
    source = workspace.folder / _FOLDER / "shop.c"
    source.write_text(source.read_text().replace("char name[16];", "char name[24];"))
    workspace.bazel("build", f"//{_FOLDER}:shop")
    other = workspace.output(f"{_FOLDER}/shop")
    ids = [Elf(path).build_id.hex() for path in (program, other)]
    if not all(ids) or ids[0] == ids[1]:
        raise Failure(f"build ids of two builds: {ids}")
    if can_trace:
        expect_refusal(tracer, other, *ids)
        workspace.bazel("build", f"//{_FOLDER}:orders")
        expect_output(workspace.output(f"{_FOLDER}/orders"), other)
        print(f"{_FOLDER}: the tracer runs with the build that it knows, stripped or not, and refuses another:")
        print(f"  {ids[0]}\n  {ids[1]}")
    else:
        print("built, but not run: that needs root and a kernel with uprobes")


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with Workspace(Path(scratch, "copy"), "examples") as workspace:
                check(workspace, Path(scratch))
                workspace.bazel("build", "--config=workspace", f"//{_FOLDER}:all")
                print(f"{_FOLDER}: builds by MODULE.bazel and by WORKSPACE")
        except Failure as failure:
            print(failure)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
