"""Builds all tracers in two copies of the workspace and compares their digests.

    bazel run //tests/reproducibility:check

The copies lie in folders of different names and depths and have output bases of their own. One is built with
MODULE.bazel and persistent workers, the other with WORKSPACE and a compiler for each action. Exit status 0 if all
digests are equal.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from tests.reproducibility.workspace import Workspace


def digests(workspace: Workspace, *options: str) -> dict[str, str]:
    """sha256 by tracer."""
    workspace.bazel("build", *options, "//tracers:all")
    names = sorted(script.stem for script in (workspace.folder / "tracers").glob("*.bt"))
    return {name: hashlib.sha256(workspace.output(f"tracers/{name}").read_bytes()).hexdigest() for name in names}


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as scratch,
        Workspace(Path(scratch, "one")) as one,
        Workspace(Path(scratch, "another", "folder")) as other,
    ):
        by_module = digests(one)
        by_workspace = digests(other, "--config=workspace", "--strategy=BpftraceCompile=sandboxed")
    for name, digest in by_module.items():
        print(f"{digest}  {name}")
        if by_workspace[name] != digest:
            print(f"{by_workspace[name]}  {name} in WORKSPACE mode and without workers: not the same")
    return 0 if by_module and by_module == by_workspace else 1


if __name__ == "__main__":
    sys.exit(main())
