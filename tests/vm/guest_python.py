"""Writes an archive for an initramfs: the Python that runs this, with what it takes to start without its library.

That is the system's own interpreter, at its own place: a machine has no use for a virtual environment.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.vm.initramfs import cpio

ISOLATED = ("-I", "-S")
"""Options with which the modules that are compiled into the interpreter are enough."""

_ENCODINGS = ("__init__", "aliases", "ascii", "latin_1", "utf_8")


def interpreter() -> Path:
    """The real file: in a virtual environment there is a link to it."""
    return Path(sys.executable).resolve()


def _linked_files() -> Iterator[Path]:
    """The dynamic linker, and the libraries under the names that it looks for."""
    listing = subprocess.run(
        [interpreter()], env={"LD_TRACE_LOADED_OBJECTS": "1"}, check=True, capture_output=True, text=True
    ).stdout
    for path in re.findall(r"(?:=> |^\s*)(/\S+) \(", listing, re.MULTILINE):
        yield Path(path)


def _library_files() -> Iterator[Path]:
    library = Path(os.__file__).parent
    yield library / "os.py"  # by which the interpreter finds its library
    for name in _ENCODINGS:
        yield library / "encodings" / f"{name}.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    paths = [interpreter(), *_linked_files(), *_library_files()]
    archive = cpio({str(path).lstrip("/"): path.read_bytes() for path in paths})
    parser.parse_args().output.write_bytes(archive)


if __name__ == "__main__":
    main()
