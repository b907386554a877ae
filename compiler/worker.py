"""The compiler as a persistent worker of Bazel (https://bazel.build/remote/creating): JSON requests in, responses out.

What does not depend on a request is done once: the modules and LLVM are loaded, and a kernel snapshot is read when it
is first asked for. Then each request gets a process of its own, a fork of this one, so nothing that it does reaches the
next, and whatever becomes of it becomes a response. It runs in a folder that has links to the request's inputs and
nothing else: a script that uses a file that it does not declare fails here as it does in a sandbox. Only LLVM's process
serves one after the other; it gives each module a context of its own.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NoReturn

# With what a fork would else have to load itself.
from compiler import back, link, pipeline  # noqa: F401
from compiler.arch import X86_64
from compiler.backend import Backend, BackendError, receive, send
from compiler.main import Ready
from compiler.object import features, tracer  # noqa: F401
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.errors import SnapshotError
from compiler.types.kernel import Kernel

_MAX_SNAPSHOTS = 4
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
    """Digest by path, relative to the folder that Bazel started the worker in."""
    number: int

    @staticmethod
    def parse(line: bytes) -> Request:
        message = json.loads(line)
        inputs = {item["path"]: item.get("digest", "") for item in message.get("inputs", ())}
        return Request(message.get("arguments", []), inputs, message.get("requestId", 0))

    def values(self, option: str) -> list[str]:
        """What follows each occurrence of an option."""
        return [value for word, value in pairwise(self.arguments) if word == option]


@dataclass(slots=True)
class Snapshots:
    """Kernels by path and digest of their snapshots: the last few."""

    kernels: dict[tuple[str, str], Kernel] = field(default_factory=dict)

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
            while len(self.kernels) >= _MAX_SNAPSHOTS:
                del self.kernels[next(iter(self.kernels))]
        self.kernels[path, digest] = kernel
        return kernel


def serve(run: Run, backend: Backend) -> int:
    """Answers requests until stdin ends. `run` takes the words of a command line."""
    requests, responses = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stdout is for responses alone
    snapshots = Snapshots()
    is_warm = False
    for line in requests:
        request = Request.parse(line)
        kernels = snapshots.of(request)
        gc.freeze()  # or the first collection in a fork would copy all that it shares
        with ExitStack() as afterwards:  # when nobody waits any more
            code, output = _in_fork(run, request, kernels, backend, afterwards)
            response = {"exitCode": code, "output": output, "requestId": request.number}
            responses.write(json.dumps(response).encode() + b"\n")
            responses.flush()
        if not is_warm and kernels:
            _warm_up(next(iter(kernels.values())), backend)
            is_warm = True
    backend.close()
    return 0


def _warm_up(kernel: Kernel, backend: Backend) -> None:
    """Compiles a script for nothing: what is made at its first use (patterns, parsed macros, the types that most
    scripts ask the snapshot for, LLVM's tables) is there for the forks to come.
    """
    sink, timings = DiagnosticSink(), pipeline.Timings()
    try:
        _, program = pipeline.front(SourceFile("warm-up", _ORDINARY), kernel, pipeline.Options(X86_64), sink)
        back.compile_program(program, backend, sink, timings)
    except pipeline.CompileError:
        pass  # a kernel without what an ordinary one has
    for event in kernel.tracepoint_events("syscalls"):
        kernel.tracepoint("syscalls", event)


class _Relay(Backend):
    """The backend of a fork: it asks the worker, whose child LLVM's process is."""

    def __init__(self) -> None:
        self._question, self._request = os.pipe()
        self._response, self._answer = os.pipe()

    def begin(self) -> None:
        """In the fork: leaves the worker's ends to the worker, so that nobody waits for one that is gone."""
        os.close(self._question)
        os.close(self._answer)

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

    def serve(self, backend: Backend) -> int | None:
        """In the worker: answers the fork until it is done. Its exit code, None if it ended without one."""
        os.close(self._request)
        os.close(self._response)
        while not isinstance(message := receive(self._question), int | None):
            try:
                answer = backend.ask(message)
            except BackendError as error:
                answer = str(error)
            send(self._answer, answer)
        os.close(self._question)
        os.close(self._answer)
        return message

    def close(self) -> None:
        pass  # the process is the worker's


def _in_fork(
    run: Run, request: Request, kernels: Mapping[str, Kernel], backend: Backend, afterwards: ExitStack
) -> tuple[int, str]:
    """Exit code and output of `run` in a process and a folder of its own."""
    output = afterwards.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed afterwards
    folder = Path(afterwards.enter_context(tempfile.TemporaryDirectory(prefix="bpftrace-compiler-")))
    relay = _Relay()
    pid = os.fork()
    if pid == 0:
        _child(run, request, Ready(kernels, relay), relay, folder, output)
    code = relay.serve(backend)
    message = ""
    if code is None:
        _, status = os.waitpid(pid, 0)
        code, message = 1, f"the compiler was ended by {signal.Signals(os.WTERMSIG(status)).name}\n"
    else:
        afterwards.callback(os.waitpid, pid, 0)
    output.seek(0)
    return code, output.read().decode(errors="replace") + message


def _child(run: Run, request: Request, ready: Ready, relay: _Relay, folder: Path, output: BinaryIO) -> NoReturn:
    code = 1
    try:
        relay.begin()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        home = Path.cwd()
        _furnish(folder, request, home)
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
    inputs = {_whole_runfiles(path) for path in (*request.inputs, *request.values("--clang"))}
    for path in inputs.union(request.values("-o")):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(home / path)


def _whole_runfiles(path: str) -> str:
    """The folder of a tool's runfiles for each file in it: one link instead of hundreds."""
    tool, runfiles, _ = path.partition(f"{_RUNFILES}/")
    return f"{tool}{_RUNFILES}" if runfiles else path
