"""clang-tidy has nothing to say about any C file, and it compiles with all warnings as errors."""

import shutil

import pytest

from tests.lint import repository

# The flags of //shim's own build, so that clang's warnings are held against the code beside gcc's.
FLAGS = ["-std=c11", "-I.", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]

# States that the analyzer looks at in each function: its own limit, ten times as many, takes it ten times as long.
ANALYZER = ["-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000"]


# C sources of tracers are not for this machine, and include what the compiler writes.
SOURCES = [path for path in repository.sources(".c") if not path.endswith(".bpf.c")]


@pytest.mark.parametrize("path", SOURCES)
def test_clang_tidy(path: str) -> None:
    clang_tidy = shutil.which("clang-tidy")
    if not clang_tidy:
        pytest.skip("no clang-tidy on PATH")
    result = repository.run([clang_tidy, "--quiet", "--warnings-as-errors=*", path, "--", *FLAGS, *ANALYZER])
    assert result.returncode == 0, result.stdout
