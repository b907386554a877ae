"""LLVM in a process of its own.

LLVM reports many errors by ending the process, and importing llvmlite takes 0.1 s. So a child process is forked at
the very start; it imports LLVM while this process parses and analyzes, and whatever becomes of it becomes an exception
here.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

from compiler.object.sections import ObjectError

_LENGTH = struct.Struct("<Q")
_STDERR = 2  # what LLVM writes to, wherever sys.stderr goes


class BackendError(Exception):
    """LLVM failed on our IR: an error of the compiler. The message is LLVM's own."""


@dataclass(frozen=True, slots=True)
class BackendResult:
    """The object file; optimized IR and assembly if they were asked for."""

    object: bytes
    optimized_ir: str
    assembly: str


@dataclass(frozen=True, slots=True)
class Description:
    """A module of bitcode: its IR as this LLVM writes it, and the BTF of its functions and variables."""

    ir: str
    btf: bytes


class Backend:
    """The child process; translates one module after the other. After one that ended it comes a new child."""

    _MOST_MODULES = 500  # of one child: LLVM keeps some 50 KB of each

    def __init__(self) -> None:
        """Forks. Call it early, and before any thread is started."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._start()

    def _start(self) -> None:
        request, self._request = os.pipe()
        self._response, response = os.pipe()
        self._modules = 0
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._request)
            os.close(self._response)
            os.dup2(self._errors.fileno(), _STDERR)
            _serve(request, response)
        os.close(request)
        os.close(response)

    def compile_ir(self, ir: str, *, linked: Sequence[str] = (), texts: bool = False) -> BackendResult:
        """Translates a module, with those in `linked` made part of it. Raises BackendError."""
        answer = self.ask((ir, list(linked), texts))
        assert isinstance(answer, BackendResult)
        return answer

    def describe(self, bitcode: bytes) -> Description:
        """Reads LLVM bitcode. Raises BackendError."""
        answer = self.ask(bitcode)
        assert isinstance(answer, Description)
        return answer

    def ask(self, message: object) -> object:
        """Sends the child a message and waits for its answer."""
        if self._modules == self._MOST_MODULES:
            self.close()
        if not self._pid:
            self._start()
        self._modules += 1
        self._errors.seek(0)  # the child's place, too
        self._errors.truncate()
        send(self._request, message)
        answer = receive(self._response)
        if isinstance(answer, BackendResult | Description):
            return answer
        raise BackendError(str(answer) if answer is not None else self._last_words(self._finish()))

    def close(self) -> None:
        """Lets a child that is not needed any more go."""
        if self._pid:
            self._finish()

    def kill(self) -> None:
        """Ends a child that does not answer."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._finish()

    def _finish(self) -> int:
        os.close(self._request)
        os.close(self._response)
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return status

    def _last_words(self, status: int) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        if os.WIFSIGNALED(status):
            lines.append(f"LLVM was ended by {signal.Signals(os.WTERMSIG(status)).name}")
        else:
            lines.append(f"LLVM exited with status {os.WEXITSTATUS(status)}")
        return "\n".join(lines)


def _serve(request: int, response: int) -> NoReturn:
    try:
        # Here, so that only this process pays for it.
        from compiler.codegen import llvm
        from compiler.object import elf

        llvm.initialize()
        while (message := receive(request)) is not None:
            try:
                if isinstance(message, bytes):
                    described = llvm.describe(message)
                    btf = elf.read(described.object).get(".BTF")
                    answer: object = Description(described.ir, btf.data if btf else b"")
                else:
                    ir, linked, texts = cast("tuple[str, list[str], bool]", message)
                    output = llvm.compile_ir(ir, linked=linked, texts=texts)
                    answer = BackendResult(output.object, output.optimized_ir, output.assembly)
            except (RuntimeError, ObjectError) as error:
                answer = str(error)
            send(response, answer)
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)


def send(descriptor: int, message: object) -> None:
    """Writes a message to a pipe."""
    data = pickle.dumps(message)
    data = _LENGTH.pack(len(data)) + data
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BrokenPipeError:
            return  # the reader's end says what happened


def receive(descriptor: int) -> object:
    """A message from a pipe, or None if the other side is gone."""
    header = _read_exactly(descriptor, _LENGTH.size)
    if header is None:
        return None
    data = _read_exactly(descriptor, _LENGTH.unpack(header)[0])
    return None if data is None else pickle.loads(data)


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
