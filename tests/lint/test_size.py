"""No source file has grown past what can be read in one go."""

from pathlib import Path

from tests.lint import repository

LIMIT = 600  # lines


def test_file_length() -> None:
    lengths = {
        path: len(Path(path).read_text(encoding="utf-8").splitlines())
        for path in repository.sources(".py", ".c", ".h", ".bzl", ".bazel", ".proto")
        if not path.endswith("_pb2.py")
    }
    too_long = {path: length for path, length in lengths.items() if length >= LIMIT}
    assert not too_long, f"split these: {too_long}"
