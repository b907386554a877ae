"""Links a tracer object with the shim, for use without Bazel."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

# The object first: it names the parts of the shim that are to be taken out of the archive.
FLAGS = ("-static", "-Wl,--gc-sections", "-Wl,-z,noseparate-code", "-Wl,--build-id=none", "-s")


class LinkError(Exception):
    """The linker failed; the message is what it printed."""


def link(data: bytes, shim: Sequence[str], compiler: str, output: Path) -> None:
    """Makes the executable `output` of a tracer object and the archives of the shim."""
    with tempfile.TemporaryDirectory(prefix="bpftrace-link-") as folder:
        object_file = Path(folder) / "tracer.o"
        object_file.write_bytes(data)
        command = [*compiler.split(), *FLAGS, "-o", str(output), str(object_file), *shim]
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise LinkError(f"cannot run {command[0]}: {error.strerror}") from None
        if result.returncode:
            raise LinkError(f"{' '.join(command)}\n{result.stderr.strip()}")
