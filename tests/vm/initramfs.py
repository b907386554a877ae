"""Writes an initramfs: a cpio archive in the format `newc`.

The kernel describes it in Documentation/driver-api/early-userspace/buffer-format.rst.
The archive depends on nothing but the files' contents and their places: no times, owners or inode numbers of this
machine go in.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

_MAGIC = b"070701"
_DIRECTORY_MODE = 0o40755
_FILE_MODE = 0o100755
_TRAILER = "TRAILER!!!"


def cpio(files: Mapping[str, bytes]) -> bytes:
    """The archive of executable FILES (path without a leading slash, content) and the directories that they need."""
    entries: dict[str, tuple[int, bytes]] = {}
    for path, content in sorted(files.items()):
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            entries.setdefault(str(parent), (_DIRECTORY_MODE, b""))
        entries[path] = (_FILE_MODE, content)
    return b"".join(_members(entries))


def _members(entries: Mapping[str, tuple[int, bytes]]) -> Iterator[bytes]:
    for inode, (path, (mode, content)) in enumerate(entries.items(), start=1):
        yield _member(inode, path, mode, content)
    yield _member(0, _TRAILER, 0, b"")


def _member(inode: int, path: str, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device (major, minor), device of a node (major, minor), name, checksum
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    return _padded(_MAGIC + b"".join(b"%08x" % field for field in fields) + name) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--archive", type=Path, default=[], action="append", help="another archive to put behind this one"
    )
    parser.add_argument("files", nargs="+", metavar="PATH=FILE", help="a file and its place in the archive")
    arguments = parser.parse_args()
    files: dict[str, bytes] = {}
    for word in arguments.files:
        path, _, file = word.partition("=")
        if path in files:
            parser.error(f"{path} is given twice")
        files[path] = Path(file).read_bytes()
    archives = [cpio(files), *(path.read_bytes() for path in arguments.archive)]
    arguments.output.write_bytes(b"".join(archives))  # the kernel unpacks one after the other


if __name__ == "__main__":
    main()
