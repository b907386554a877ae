"""buildifier would change no Starlark file and has no warning about any."""

import os
from pathlib import Path

from tests.lint import repository


def test_buildifier() -> None:
    buildifier = Path(os.environ["TEST_SRCDIR"], os.environ["BUILDIFIER"])
    paths = repository.sources(".bzl", ".bazel", "WORKSPACE")
    result = repository.run([str(buildifier), "-mode=check", "-lint=warn", "-warnings=all", *paths])
    assert result.returncode == 0, result.stdout
