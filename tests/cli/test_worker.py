"""The compiler as a persistent worker: the same bytes and words as without one, and nothing left of a request."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compiler import main as cli
from compiler import worker
from compiler.types.kernel import Kernel

_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"
_SCRIPTS = {
    "hello.bt": 'BEGIN { printf("hello\\n"); }\n',
    "count.bt": 'import "near.bt";\nkprobe:vfs_read { @[twice(pid), comm] = count(); }\n',
    "near.bt": "macro twice(x) { x * 2 }\n",
    "types.bt": "struct pair { int a; int b; };\nkprobe:vfs_read { print(((struct pair *)arg1)->b); }\n",
    "warns.bt": "BEGIN { 1; }\n",
    "wrong.bt": "BEGIN { nonsense(); }\n",
}
_SERVE = "import sys\nfrom compiler import main\nsys.exit(main.main(['--persistent_worker']))\n"

# In the place of the compiler: does to itself, or to LLVM's process, what the first word says.
_SERVE_FAULTS = """
import os, signal, sys
from compiler.backend import Backend, BackendError
from compiler import worker

def run(words, ready):
    match words[0]:
        case "abort":
            ir = "define i64 @f(ptr %p) { %x = atomicrmw min ptr %p, i64 1 seq_cst\\n ret i64 %x }"
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "outlive":
            os.kill(os.getppid(), signal.SIGKILL)
            ir = ""
        case "raise":
            raise KeyError("oops")
        case _:
            ir = "define i64 @f() { ret i64 7 }"
    try:
        print(len(ready.backend.compile_ir('target triple = "bpf"\\n' + ir).object))
        return 0
    except BackendError as error:
        print(error)
        return 3

sys.exit(worker.serve(run, Backend()))
"""


def _parent(file: Path) -> int | None:
    """The parent of the process that a file /proc/PID/stat tells of; None if it has ended."""
    try:
        return int(file.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


class Worker:
    """A worker process, started in a folder as Bazel does."""

    def __init__(self, folder: Path, code: str = _SERVE) -> None:
        self._scratch = folder / "tmp"
        self._scratch.mkdir()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(self._scratch)}
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment
        )

    def send(self, arguments: list[str], inputs: tuple[str, ...] = ()) -> dict[str, Any]:
        """The response to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        digests = {path: hashlib.sha256((self._folder / path).read_bytes()).hexdigest() for path in inputs}
        listed = [{"path": path, "digest": digest} for path, digest in digests.items()]
        self._process.stdin.write(json.dumps({"arguments": arguments, "inputs": listed}).encode() + b"\n")
        self._process.stdin.flush()
        response = json.loads(self._process.stdout.readline())
        assert isinstance(response, dict)
        return response

    def send_last(self, arguments: list[str]) -> int:
        """Sends a request that ends the worker; the exit code, once all processes are gone that have its output."""
        self._process.communicate(json.dumps({"arguments": arguments, "inputs": []}).encode() + b"\n", timeout=30)
        return self._process.returncode

    def children(self, count: int = 2) -> set[int]:
        """Its child processes, once the last request's folder is gone, and its fork with it, and there are so many:
        between two requests LLVM's, and a fork that waits.
        """
        for _ in range(300):
            is_done = not list(self._scratch.iterdir())
            stats = Path("/proc").glob("[0-9]*/stat")
            children = {int(file.parent.name) for file in stats if _parent(file) == self._process.pid}
            if is_done and len(children) == count:
                return children
            time.sleep(0.1)
        raise AssertionError(f"not {count} child processes but {len(children)}, {'no' if is_done else 'a'} folder")

    def kill(self) -> int:
        """Ends it alone; the exit code, once all processes are gone that have its output."""
        self._process.kill()
        self._process.communicate(timeout=30)
        return self._process.returncode

    def close(self) -> int:
        self._process.communicate()
        return self._process.returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in _SCRIPTS.items():
        (tmp_path / name).write_text(text)
    shutil.copyfile(_SNAPSHOT, tmp_path / "kernel.snapshot")
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[Worker]:
    served = Worker(folder)
    yield served
    assert served.close() == 0


def _arguments(script: str, output: str) -> list[str]:
    return [script, "--hermetic", "--snapshot", "kernel.snapshot", "--arch", "x86_64", "-o", output]


def _inputs(script: str) -> tuple[str, ...]:
    return (script, "kernel.snapshot", *(["near.bt"] if script == "count.bt" else []))


def test_same_bytes_and_words_as_without(
    folder: Path, served: Worker, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    scripts = ["hello.bt", "count.bt", "types.bt", "warns.bt", "wrong.bt"]
    alone = {}
    for script in scripts:
        code = cli.main(_arguments(script, "alone.o"))
        alone[script] = code, capfd.readouterr().err, Path("alone.o").read_bytes()
    assert alone["wrong.bt"][0] == 1
    # In several orders, so that each comes after each other; at last with time for rehearsals.
    for order, pause in ((scripts, 0), (scripts[::-1], 0), ([*scripts[::2], *scripts[1::2]], 0.3)):
        for script in order:
            time.sleep(pause)
            Path("out").mkdir(exist_ok=True)
            response = served.send(_arguments(script, "out/served.o"), _inputs(script))
            code, words, data = alone[script]
            assert (response["exitCode"], response["output"]) == (code, words)
            if code == 0:
                assert Path("out/served.o").read_bytes() == data
            shutil.rmtree("out")


def test_only_declared_files_are_there(folder: Path, served: Worker) -> None:
    response = served.send(_arguments("count.bt", "x.o"), ("count.bt", "kernel.snapshot"))
    assert response["exitCode"] == 1
    assert "near.bt" in response["output"]
    assert not (folder / "x.o").exists()
    assert served.send(_arguments("count.bt", "x.o"), _inputs("count.bt"))["exitCode"] == 0


def test_a_snapshot_is_read_anew_when_it_has_changed(folder: Path, served: Worker) -> None:
    arguments, inputs = _arguments("hello.bt", "x.o"), _inputs("hello.bt")
    assert served.send(arguments, inputs)["exitCode"] == 0
    (folder / "kernel.snapshot").write_bytes(b"no snapshot")
    assert "not a kernel snapshot" in served.send(arguments, inputs)["output"]
    shutil.copyfile(_SNAPSHOT, folder / "kernel.snapshot")
    assert served.send(arguments, inputs)["exitCode"] == 0


def test_a_snapshot_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []

    def load(path: Path) -> Kernel:
        loaded.append(path)
        return kernel

    kernel = Kernel.load(_SNAPSHOT)
    monkeypatch.setattr(Kernel, "load", load)
    snapshots = worker.Snapshots()
    for digest in ("a", "a", "b", "a"):
        assert snapshots.of(worker.Request(["--snapshot", "s"], {"s": digest}, 0)) == {"s": kernel}
    assert len(loaded) == 2
    assert snapshots.of(worker.Request(["--snapshot", "other"], {}, 0)) == {}
    for digest in "cdefg":
        snapshots.of(worker.Request(["--snapshot", "s"], {"s": digest}, 0))
    assert [digest for _, digest in snapshots.kernels] == ["d", "e", "f", "g"]


def test_a_fork_that_waits_gets_the_next_snapshot(folder: Path, served: Worker) -> None:
    assert served.send(_arguments("hello.bt", "x.o"), _inputs("hello.bt"))["exitCode"] == 0
    shutil.copyfile(_SNAPSHOT, folder / "other.snapshot")
    waiting = served.children()
    arguments = ["other.snapshot" if word == "kernel.snapshot" else word for word in _arguments("hello.bt", "y.o")]
    assert served.send(arguments, ("hello.bt", "other.snapshot"))["exitCode"] == 0
    assert (folder / "x.o").read_bytes() == (folder / "y.o").read_bytes()
    assert len(waiting - served.children()) == 1


def test_nothing_is_left_of_what_is_done(served: Worker) -> None:
    """LLVM's process stays, and a fork waits."""
    for _ in range(3):
        served.send(_arguments("hello.bt", "x.o"), _inputs("hello.bt"))
    left = served.children()
    served.send(_arguments("hello.bt", "x.o"), _inputs("hello.bt"))
    assert len(left & served.children()) == 1


def test_a_fork_that_waits_ends_with_its_worker(folder: Path) -> None:
    served = Worker(folder)
    served.send(_arguments("hello.bt", "x.o"), _inputs("hello.bt"))
    served.children()
    assert served.kill() == -signal.SIGKILL


def test_a_fork_that_ends_while_it_waits(tmp_path: Path) -> None:
    faulty = Worker(tmp_path, _SERVE_FAULTS)
    llvm = faulty.children(1)
    assert faulty.send(["compile"])["exitCode"] == 0
    (waiting,) = faulty.children() - llvm
    os.kill(waiting, signal.SIGKILL)
    assert "the compiler was ended by SIGKILL" in faulty.send(["compile"])["output"]
    assert faulty.send(["compile"])["exitCode"] == 0
    assert faulty.close() == 0


def test_what_ends_a_request_does_not_end_the_worker(tmp_path: Path) -> None:
    faulty = Worker(tmp_path, _SERVE_FAULTS)
    for _ in range(2):
        assert faulty.send(["compile"])["exitCode"] == 0
        response = faulty.send(["abort"])
        assert response["exitCode"] == 3
        assert f"LLVM was ended by {signal.SIGABRT.name}" in response["output"]
        assert faulty.send(["compile"])["exitCode"] == 0
        assert faulty.send(["die"]) == {
            "exitCode": 1, "output": "the compiler was ended by SIGKILL\n", "requestId": 0
        }  # fmt: skip
        assert "KeyError: 'oops'" in faulty.send(["raise"])["output"]
    assert faulty.close() == 0


def test_a_request_ends_with_its_worker(tmp_path: Path) -> None:
    """It does not wait for an answer that nobody will give."""
    assert Worker(tmp_path, _SERVE_FAULTS).send_last(["outlive"]) == -signal.SIGKILL


def test_arguments_in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    Path("arguments").write_text("\n".join(_arguments("hello.bt", "file.o")) + "\n")
    assert cli.main(["@arguments"]) == 0
    assert cli.main(_arguments("hello.bt", "words.o")) == 0
    assert Path("file.o").read_bytes() == Path("words.o").read_bytes()
    assert cli.main(["@nowhere"]) == 1
    assert "failed to open file 'nowhere': No such file or directory" in capfd.readouterr().err
