"""bazelw takes a Bazel on PATH if it is new enough, and says what to do where it cannot install one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# What bazelw and provision.sh call before they come to install anything.
TOOLS = ("bash", "cat", "cut", "dirname", "env", "mkdir", "sed", "sha256sum")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for PATH with the few tools and no Bazel."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        tool = shutil.which(name)
        assert tool
        (folder / name).symlink_to(tool)
    return folder


def fake_bazel(path: Path, name: str, version: str) -> None:
    file = path / name
    file.write_text(
        f"#!{path}/bash\n"
        f'if [[ $1 == --version ]]; then echo "bazel {version}"; else echo "{name} {version}:" "$@"; fi\n'
    )
    file.chmod(0o755)


def bazelw(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./bazelw", *arguments],
        env={"PATH": str(path), "BAZELW_CACHE": str(path.parent / "cache"), **environment},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("version", ["7.0.0", "8.2.1", "10.0.0-pre.20250101.1"])
@pytest.mark.parametrize("name", ["bazel", "bazelisk"])
def test_new_enough(path: Path, name: str, version: str) -> None:
    fake_bazel(path, name, version)
    result = bazelw(path, "build", "//with a space", "--")
    assert result.returncode == 0
    assert result.stdout.endswith("build //with a space --\n")
    assert result.stdout.startswith(f"{name} {version}:")


@pytest.mark.parametrize("version", ["6.5.0", "0.29.1", "development version"])
def test_too_old(path: Path, version: str) -> None:
    fake_bazel(path, "bazel", version)
    result = bazelw(path, "build")
    assert result.returncode == 1
    assert "no Bazel 7 or later on PATH" in result.stderr
    assert "install Bazel 7 or later (or Bazelisk)" in result.stderr


def test_old_bazel_and_new_bazelisk(path: Path) -> None:
    fake_bazel(path, "bazel", "6.5.0")
    fake_bazel(path, "bazelisk", "7.4.0")
    assert bazelw(path, "info").stdout.startswith("bazelisk 7.4.0:")


def test_told_to_ignore_it(path: Path) -> None:
    fake_bazel(path, "bazel", "7.4.0")
    assert bazelw(path, "info", BAZELW_FORCE_ROOT="1").returncode == 1


def test_no_cache_folder(path: Path) -> None:
    result = subprocess.run(
        ["./bazelw"], env={"PATH": str(path)}, stderr=subprocess.PIPE, text=True, check=False, cwd=os.curdir
    )
    assert result.returncode == 1
    assert "BAZELW_CACHE" in result.stderr
