"""Copies of this workspace with Bazel servers and outputs of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType


class BazelError(Exception):
    """A Bazel command failed; its output is the message."""


class Workspace:
    """A copy of the workspace in a folder. As a context manager it ends the copy's server and deletes its outputs."""

    def __init__(self, folder: Path, inner: str = "") -> None:
        """Copies the workspace from which `bazel run` was called to `folder`, which must not exist yet.

        `inner` is the folder of another workspace in it: then Bazel runs there.
        """
        original = Path(os.environ["BUILD_WORKSPACE_DIRECTORY"])
        self.folder = folder / inner
        self._copy = folder
        shutil.copytree(original, folder, ignore=shutil.ignore_patterns("bazel-*", ".git"))
        if inner:
            # Debian's Bazel, where bazelw takes that one, finds modules of its own from the workspace's folder.
            (self.folder / "tools").symlink_to(folder / "tools")

    def bazel(self, *arguments: str) -> None:
        result = subprocess.run(
            [self._copy / "bazelw", *arguments],
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if result.returncode:
            raise BazelError(f"bazel {' '.join(arguments)} in {self.folder}:\n{result.stdout}")

    def output(self, path: str) -> Path:
        return self.folder / "bazel-bin" / path

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bazel("clean", "--expunge")  # ends the server too
        shutil.rmtree(self._copy)
