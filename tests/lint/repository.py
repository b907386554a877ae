"""The sources of this repository as a lint sees them: the runfiles, which hold them at their own paths."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path.cwd()  # a Bazel test runs in the runfiles folder of its repository


def _files() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        if "external" in folders:  # other repositories, where Bazel still keeps them within this one
            folders.remove("external")
        yield from (os.path.relpath(os.path.join(folder, name), ROOT) for name in names)


def sources(*suffixes: str) -> list[str]:
    """Paths of all source files with one of the suffixes, relative to the root; fails rather than return nothing."""
    found = [path for path in _files() if path.endswith(suffixes)]
    assert found, f"no file with {suffixes} among the test's data"
    return sorted(found)


def python_module(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m COMMAND` in the root, with this process's import path."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return run([sys.executable, "-m", *command], environment)


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command in the root; its stdout and stderr are the result's stdout, with paths relative to the root."""
    result = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    result.stdout = result.stdout.replace(f"{ROOT}/", "")
    return result
