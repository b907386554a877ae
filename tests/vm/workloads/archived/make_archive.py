"""Makes a ZIP archive with a file as lib/stored.so, so that processes can map it, and compressed as lib/squeezed.so."""

import argparse
import zipfile
from pathlib import Path

_PAGE = 4096
_LOCAL_HEADER = 30  # bytes before the name
_PADDING = 0xD935  # the extra field that Android's zipalign uses for it: id, length, alignment, zeros


def _extra(offset: int, name: str) -> bytes:
    """An extra field that lets the data of a member begin with a page, whose header is at the offset."""
    fixed = 6
    size = -(offset + _LOCAL_HEADER + len(name) + fixed) % _PAGE
    return b"".join(number.to_bytes(2, "little") for number in (_PADDING, size + 2, _PAGE)) + bytes(size)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=Path)
    parser.add_argument("archive", type=Path)
    arguments = parser.parse_args()
    content = arguments.library.read_bytes()
    with zipfile.ZipFile(arguments.archive, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lib/squeezed.so"), content, zipfile.ZIP_DEFLATED)
        stored = zipfile.ZipInfo("lib/stored.so")
        assert archive.fp is not None
        stored.extra = _extra(archive.fp.tell(), stored.filename)
        archive.writestr(stored, content, zipfile.ZIP_STORED)


if __name__ == "__main__":
    main()
