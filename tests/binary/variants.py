"""Builds the binaries that the reader of debug information is tested with.

    variants CC FOLDER

They are shared objects without any library, so that any C compiler can make them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parent
_FILES = ("shapes.c", "elsewhere.c")
_LINK = ("-shared", "-fPIC", "-nostdlib", "-Wl,--build-id")
VARIANTS: dict[str, tuple[str, ...]] = {
    "whole.so": ("-g", "-gdwarf-5"),
    "dwarf4.so": ("-g", "-gdwarf-4"),
    "optimized.so": ("-g", "-O2"),
    "compressed.so": ("-g", "-gz"),
    "split.so": ("-gdwarf-5", "-gsplit-dwarf"),
    "typeunits.so": ("-g", "-gdwarf-5", "-fdebug-types-section"),
    "typeunits4.so": ("-g", "-gdwarf-4", "-fdebug-types-section"),
    "nameless.so": ("-g", "-Wl,--build-id=none"),
    "other.so": ("-g", "-O1"),
    "bare.so": (),
}


def build(cc: str, folder: Path) -> None:
    """Makes those of VARIANTS; stripped.so, whose debug information is in debug/stripped.so.debug; and linked.so, which
    has no build id and whose debug file is found by a link with a checksum.
    """
    cc = os.path.abspath(cc) if os.sep in cc else cc
    (folder / "debug").mkdir(parents=True, exist_ok=True)
    for file in (*_FILES, "shapes.h"):
        shutil.copy(SOURCES / file, folder / file)
    for name, options in VARIANTS.items():
        _run(folder, cc, *_LINK, *options, *_FILES, "-o", name)
    for source, name in (("whole.so", "stripped.so"), ("nameless.so", "linked.so")):
        debug = f"debug/{name}.debug"
        _run(folder, "objcopy", "--only-keep-debug", source, debug)
        link = [] if source == "whole.so" else [f"--add-gnu-debuglink={debug}"]
        _run(folder, "objcopy", "--strip-all", *link, source, name)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    os.environ.setdefault("PATH", "/usr/bin:/bin")
    build(sys.argv[1], Path(sys.argv[2]))
