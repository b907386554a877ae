"""Makes and shows kernel snapshots.

    snapshot make --from-running -o FILE
    snapshot make --from-folder DIR [--name RELEASE] -o FILE
    snapshot make --from-image VMLINUZ [--name RELEASE] -o FILE
    snapshot show FILE

`make` reads the running kernel (as root: tracefs and the symbol table are for root only), a folder with copies of a
kernel's files (`compiler/types/snapshot_folder.py` lists them), or the types alone out of a kernel's image. The same
files make the same bytes. `show` prints what a snapshot file, or such a folder, holds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from compiler.types.errors import SnapshotError
from compiler.types.kernel import Kernel
from compiler.types.snapshot import VMLINUX, Snapshot, open_snapshot
from compiler.types.snapshot_file import FileSnapshot, encode
from compiler.types.snapshot_folder import FolderSnapshot
from kernels import image

_FROM_RUNNING = flags.DEFINE_bool("from-running", False, "make: read the running kernel")
_FROM_FOLDER = flags.DEFINE_string("from-folder", None, "make: read a folder with a kernel's files")
_FROM_IMAGE = flags.DEFINE_string("from-image", None, "make: read the types in a kernel's image (vmlinuz or vmlinux)")
_NAME = flags.DEFINE_string("name", None, "make: the kernel's release, as `uname -r` prints it")
_OUTPUT = flags.DEFINE_string("output", None, "make: the file to write", short_name="o")


def _fail(message: str) -> int:
    print(f"snapshot: {message}", file=sys.stderr)
    return 1


def _source() -> Snapshot:
    match _FROM_RUNNING.value, _FROM_FOLDER.value, _FROM_IMAGE.value:
        case True, None, None:
            return FolderSnapshot.of_running_kernel(_NAME.value)
        case False, str(folder), None:
            return FolderSnapshot.at(Path(folder), _NAME.value)
        case False, None, str(path):
            return _of_image(Path(path))
        case _:
            raise SnapshotError("make: give one of --from-running, --from-folder DIR and --from-image VMLINUZ")


def _of_image(path: Path) -> Snapshot:
    try:
        found = image.read(path.read_bytes())
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from error
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from error
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vmlinux.btf").write_bytes(found.btf)
        snapshot = FolderSnapshot.at(Path(folder), _NAME.value or found.release)
        snapshot.btf(VMLINUX)  # read while the file is there
    return snapshot


def _check(snapshot: Snapshot) -> None:
    """Refuse what would only fail when it is used; say what is missing where one can do without it."""
    kernel = Kernel(snapshot)
    if not (kernel.version and kernel.arch):
        raise AssertionError("both raise rather than be empty")
    for category in kernel.tracepoint_categories:
        for event in kernel.tracepoint_events(category):
            kernel.tracepoint(category, event)
    if _FROM_IMAGE.value:
        return  # which has nothing but types
    for missing, what in (
        (not snapshot.categories, "tracepoints: is tracefs readable?"),
        (not snapshot.traceable(VMLINUX), "traceable functions: is available_filter_functions there and readable?"),
        (not snapshot.objects(VMLINUX), "symbols: is kallsyms there?"),
    ):
        if missing:
            print(f"snapshot: warning: no {what}", file=sys.stderr)


def _progress(part: str) -> None:
    # A terminal shows one line that changes, a log nothing.
    if sys.stderr.isatty():
        print(f"\r\033[Ksnapshot: packing {part}", end="", file=sys.stderr, flush=True)


def _make() -> int:
    if not _OUTPUT.value:
        return _fail("make: give -o FILE")
    snapshot = _source()
    _progress("(reading)")
    _check(snapshot)
    data = encode(snapshot, _progress)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    FileSnapshot(_OUTPUT.value, data)
    # Never leave half a snapshot behind under the final name.
    target = Path(_OUTPUT.value)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        return _fail(f"make: {target}: {error.strerror}")
    print(f"{target}: {snapshot.release} ({snapshot.arch}), {len(data)} bytes", file=sys.stderr)
    return 0


def _show(path: str) -> int:
    snapshot = open_snapshot(Path(path))
    print(f"release:     {snapshot.release}")
    print(f"arch:        {snapshot.arch}")
    print(f"tracepoints: {sum(len(snapshot.events(name)) for name in snapshot.categories)}")
    print(f"{'module':<24} {'types':>8} {'traceable':>10} {'functions':>10} {'objects':>8}")
    for module in snapshot.modules:
        btf = snapshot.btf(module)
        counts = [len(names(module)) for names in (snapshot.traceable, snapshot.functions, snapshot.objects)]
        print(f"{module:<24} {len(btf.own_ids) if btf else 0:>8} {counts[0]:>10} {counts[1]:>10} {counts[2]:>8}")
    return 0


def main(argv: Sequence[str]) -> int:
    try:
        match argv[1:]:
            case ["make"]:
                return _make()
            case ["show", path]:
                return _show(path)
            case _:
                return _fail(
                    "usage: snapshot make (--from-running | --from-folder DIR | --from-image VMLINUZ) -o FILE; "
                    "snapshot show FILE"
                )
    except SnapshotError as error:
        return _fail(str(error))


if __name__ == "__main__":
    app.run(main)
