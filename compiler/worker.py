"""The compiler as a persistent worker of Bazel (https://bazel.build/remote/creating): JSON requests in, responses out.

What does not depend on a request is done once: the modules and LLVM are loaded, and a kernel snapshot is read when it
is first asked for. Then each request gets a process of its own, a fork of this one, so nothing that it does reaches the
next, and whatever becomes of it becomes a response. The fork is there before its request, and rehearses while there is
time. It runs in a folder that has links to the request's inputs and nothing else: a script that uses a file that it
does not declare fails here as it does in a sandbox. Only LLVM's process serves one after the other; it gives each
module a context of its own.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

# With what a fork would else have to load itself.
from compiler import back, link, pipeline  # noqa: F401
from compiler.backend import Backend, BackendError, receive, send
from compiler.main import Ready
from compiler.object import features, tracer  # noqa: F401
from compiler.types.errors import SnapshotError
from compiler.types.kernel import Kernel

_MAX_SNAPSHOTS = 4
_IDLE = 0.1  # seconds without a request: there is time to prepare for the next one
_RUNFILES = ".runfiles"  # of the tools, this program among them

# One that anybody might write.
_ORDINARY = """
tracepoint:syscalls:sys_enter_openat { @name[tid] = args.filename; @start[tid] = nsecs; }
tracepoint:syscalls:sys_exit_openat / @start[tid] / {
  printf("%d %s %s %d\\n", pid, comm, str(@name[tid]), args.ret);
  @us = hist((nsecs - @start[tid]) / 1000);
  @count[comm, curtask.real_parent.comm] = count();
  delete(@start, tid);
}
tracepoint:sched:sched_switch { $c = args.prev_comm; @[$c] = count(); }
kprobe:vfs_read { $f = (struct file *)arg0; @sizes[str($f.f_path.dentry.d_name.name)] = sum(arg2); }
interval:s:1 { time(); print(@us); clear(@us); }
"""

Run = Callable[[list[str], Ready], int]


@dataclass(frozen=True, slots=True)
class Request:
    arguments: list[str]
    inputs: Mapping[str, str]
    """Digest by path, relative to the folder that Bazel started the worker in. A tool's runfiles are one folder."""
    number: int

    @staticmethod
    def parse(line: bytes) -> Request:
        message = json.loads(line)
        inputs = {_whole_runfiles(item["path"]): item.get("digest", "") for item in message.get("inputs", ())}
        return Request(message.get("arguments", []), inputs, message.get("requestId", 0))

    def values(self, option: str) -> list[str]:
        """What follows each occurrence of an option."""
        return [value for word, value in pairwise(self.arguments) if word == option]


@dataclass(slots=True)
class Snapshots:
    """Kernels by path and digest of their snapshots: the last few."""

    kernels: dict[tuple[str, str], Kernel] = field(default_factory=dict)
    loads: int = 0

    def of(self, request: Request) -> dict[str, Kernel]:
        """Those that a request names, by path. One that cannot be read is left for the request to complain of."""
        found = {}
        for path in request.values("--snapshot"):
            digest = request.inputs.get(path)
            if digest:
                try:
                    found[path] = self._load(path, digest)
                except SnapshotError:
                    continue
        return found

    def _load(self, path: str, digest: str) -> Kernel:
        kernel = self.kernels.pop((path, digest), None)
        if kernel is None:
            kernel = Kernel.load(Path(path))
            kernel.btf()
            self.loads += 1
            while len(self.kernels) >= _MAX_SNAPSHOTS:
                del self.kernels[next(iter(self.kernels))]
        self.kernels[path, digest] = kernel
        return kernel


def serve(run: Run, backend: Backend) -> int:
    """Answers requests until stdin ends. `run` takes the words of a command line."""
    requests, responses = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stdout is for responses alone
    snapshots = Snapshots()
    fork: _Fork | None = None
    rehearsal: _Rehearsal | None = None
    for line in requests:
        request = Request.parse(line)
        loads = snapshots.loads
        kernels = snapshots.of(request)
        if fork and snapshots.loads > loads:  # it has not what was loaded now
            fork.close()
            fork = None
        fork = fork or _Fork(run, snapshots)
        code, output = fork.serve(request, backend)
        response = {"exitCode": code, "output": output, "requestId": request.number}
        responses.write(json.dumps(response).encode() + b"\n")
        responses.flush()
        # The rest is done when nobody waits any more.
        fork.close()
        if rehearsal is None and kernels:
            rehearsal = _Rehearsal(run, kernels, backend)
        fork = _Fork(run, snapshots, rehearsal)
    if fork:
        fork.close()
    backend.close()
    return 0


class _Rehearsal(Backend):
    """A compilation for nothing. In the worker it makes what is made at its first use: patterns, parsed macros, the
    types that most scripts ask the snapshot for, LLVM's tables. A fork that repeats it gets copies of its own of the
    memory that a compilation writes to. Its backend is itself: LLVM is asked only by the worker.
    """

    def __init__(self, run: Run, kernels: Mapping[str, Kernel], backend: Backend) -> None:
        self._run, self._kernels = run, kernels
        for kernel in kernels.values():
            for event in kernel.tracepoint_events("syscalls"):
                kernel.tracepoint("syscalls", event)
        self._backend: Backend | None = backend
        self._answer: object = None
        self.repeat()
        self._backend = None

    def repeat(self) -> None:
        words = ["-e", _ORDINARY, "--hermetic", "--snapshot", next(iter(self._kernels)), "-o", os.devnull]
        with redirect_stderr(StringIO()):  # a kernel may lack what an ordinary one has
            self._run(words, Ready(self._kernels, self))

    def ask(self, message: object) -> object:
        if self._backend:
            self._answer = self._backend.ask(message)
        return self._answer

    def close(self) -> None:
        pass  # the process is the worker's


class _Relay(Backend):
    """The pipes between the worker and a fork, and the fork's backend: LLVM's process is the worker's child."""

    def __init__(self) -> None:
        self._question, self._request = os.pipe()
        self._response, self._answer = os.pipe()

    def enter_fork(self) -> None:
        """Leaves the worker's ends to the worker, so that nobody waits for one that is gone."""
        os.close(self._question)
        os.close(self._answer)

    def enter_worker(self) -> None:
        """Leaves the fork's ends to the fork."""
        os.close(self._request)
        os.close(self._response)

    def is_idle(self) -> bool:
        """In the fork: whether the worker has nothing for it for a while."""
        return not select.select([self._response], [], [], _IDLE)[0]

    def task(self) -> tuple[Request, Path] | None:
        """In the fork: the request and the folder for it, None if there will be none."""
        return cast("tuple[Request, Path] | None", receive(self._response))

    def ask(self, message: object) -> object:
        send(self._request, message)
        match receive(self._response):
            case str() | None as error:
                raise BackendError(str(error))
            case answer:
                return answer

    def finish(self, code: int) -> None:
        """In the fork: says that all is done, and with what exit code."""
        send(self._request, code)

    def serve(self, request: Request, folder: Path, backend: Backend) -> int | None:
        """In the worker: answers the fork until it is done. Its exit code, None if it ended without one."""
        send(self._answer, (request, folder))
        while not isinstance(message := receive(self._question), int | None):
            try:
                answer = backend.ask(message)
            except BackendError as error:
                answer = str(error)
            send(self._answer, answer)
        return message

    def close(self) -> None:
        pass  # the process is the worker's

    def hang_up(self) -> None:
        """In the worker: the fork is not needed any more."""
        os.close(self._question)
        os.close(self._answer)


class _Fork:
    """A process for one request. It is made before that comes, so that nobody waits for it."""

    def __init__(self, run: Run, snapshots: Snapshots, rehearsal: _Rehearsal | None = None) -> None:
        self._afterwards = ExitStack()
        self._output = self._afterwards.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed afterwards
        self._relay = _Relay()
        gc.freeze()  # or the first collection in the fork would copy all that it shares
        self._pid = os.fork()
        if self._pid == 0:
            _child(run, snapshots, rehearsal, self._relay, self._output)
        self._relay.enter_worker()

    def serve(self, request: Request, backend: Backend) -> tuple[int, str]:
        """Exit code and output of `run` in this process and a folder of its own."""
        folder = self._afterwards.enter_context(tempfile.TemporaryDirectory(prefix="bpftrace-compiler-"))
        code, message = self._relay.serve(request, Path(folder), backend), ""
        if code is None:
            _, status = os.waitpid(self._pid, 0)
            self._pid = 0
            code, message = 1, f"the compiler was ended by {signal.Signals(os.WTERMSIG(status)).name}\n"
        self._output.seek(0)
        return code, self._output.read().decode(errors="replace") + message

    def close(self) -> None:
        """Ends it, if it still waits, and removes what was made for it."""
        self._relay.hang_up()
        if self._pid:
            os.waitpid(self._pid, 0)
        self._afterwards.close()


def _child(run: Run, snapshots: Snapshots, rehearsal: _Rehearsal | None, relay: _Relay, output: BinaryIO) -> NoReturn:
    code = 1
    try:
        relay.enter_fork()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        if rehearsal and relay.is_idle():
            rehearsal.repeat()
            gc.freeze()
        task = relay.task()
        if task is None:
            os._exit(0)
        request, folder = task
        ready = Ready(snapshots.of(request), relay)
        _furnish(folder, request, Path.cwd())
        os.chdir(folder)
        code = run(request.arguments, ready)
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            code = 1  # no room for the output
        relay.finish(code)
        os._exit(0)


def _furnish(folder: Path, request: Request, home: Path) -> None:
    """Makes the links to the inputs, and to the places of the outputs."""
    clang = map(_whole_runfiles, request.values("--clang"))
    for path in {*request.inputs, *clang, *request.values("-o")}:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(home / path)


def _whole_runfiles(path: str) -> str:
    """The folder of a tool's runfiles for each file in it: one link instead of hundreds."""
    tool, runfiles, _ = path.partition(f"{_RUNFILES}/")
    return f"{tool}{_RUNFILES}" if runfiles else path
