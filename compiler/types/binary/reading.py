"""One error for whatever readers of damaged files raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compiler.types.errors import BinaryError


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns the exceptions of pyelftools, which are of all kinds for a file that is damaged, into a BinaryError."""
    try:
        yield
    except BinaryError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {error}".rstrip(": ")
        raise BinaryError(f"{path}: cannot read the file or its debug information: {cause}") from error
