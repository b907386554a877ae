"""A virtual machine that runs processes for a test: QEMU without KVM, a kernel, an initramfs with guest/init.c.

The first serial line is the guest's console and goes to a log file. The second is the agent's (protocol: guest/agent.c)
and goes over QEMU's standard input and output. Neither needs a driver that a distribution's kernel has as a module.

Everything in here is 5 to 15 times slower than on hardware, so no time limit is tight and no test asserts on time.
"""

import os
import selectors
import signal
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# cmpxchg16b is hidden because old versions of QEMU emulate it wrongly; the rest are features that cost time under TCG.
_CPU = "max,la57=off,pku=off,cx16=off"
# All processors take turns on one thread. With a thread each, one can translate code that another is about to overwrite
# and then run the old: a kernel that patches itself (static keys, kprobes, ftrace) meets a breakpoint that is long
# gone, and panics; seldom, but CI has seen it. Taking turns is no slower.
_ACCELERATOR = "tcg,thread=single,tb-size=1024"
_KERNEL_ARGUMENTS = "console=ttyS0 panic=-1 quiet mitigations=off net.ifnames=0"
_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.05
_WAIT_SLICE_SECONDS = 5.0


class MachineError(Exception):
    """The machine did not do what was asked: it died, an answer did not come in time, or it refused a request."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a process left behind. A code below 0 is the negative number of the signal that ended it."""

    pid: int
    code: int
    stdout: str
    stderr: str


class Process:
    """A process in the machine, in a session of its own."""

    def __init__(self, machine: "Machine", pid: int, arguments: Sequence[str]) -> None:
        self.pid = pid
        self._machine = machine
        self._arguments = arguments

    @property
    def stdout(self) -> str:
        """What it has written so far."""
        return self._machine.read(f"/out/{self.pid}.stdout").decode()

    @property
    def stderr(self) -> str:
        return self._machine.read(f"/out/{self.pid}.stderr").decode()

    def signal(self, number: signal.Signals) -> None:
        self._machine.request("signal", str(self.pid), str(number.value))

    def poll(self, seconds: float = 0.0) -> int | None:
        """The exit code, or None when the process still runs after so many seconds."""
        state, _, number = (
            self._machine.request("wait", str(self.pid), str(int(seconds * 1000))).decode().partition(" ")
        )
        match state:
            case "exited":
                return int(number)
            case "signaled":
                return -int(number)
            case _:
                return None

    def wait(self, timeout: float = _PATIENCE_SECONDS) -> Completed:
        """Waits for its end. Raises MachineError, and kills it, when that does not come in time."""
        deadline = time.monotonic() + timeout
        while (code := self.poll(_WAIT_SLICE_SECONDS)) is None:
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                raise MachineError(self._report(f"still ran after {timeout:.0f} s"))
        return Completed(self.pid, code, self.stdout, self.stderr)

    def wait_for_line(self, line: str, timeout: float = _PATIENCE_SECONDS) -> None:
        """Waits until its standard output has LINE. Raises MachineError when it ends before, or is not in time."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self.poll() is not None
            if line in self.stdout.splitlines():
                return
            if ended:
                raise MachineError(self._report(f"ended without the line {line!r}"))
            if time.monotonic() > deadline:
                raise MachineError(self._report(f"had no line {line!r} after {timeout:.0f} s"))
            time.sleep(_POLL_SECONDS)

    def _report(self, what: str) -> str:
        return f"{' '.join(self._arguments)} {what}\nstdout: {self.stdout}\nstderr: {self.stderr}"


@dataclass(slots=True)
class Machine:
    """Use it as a context manager: on entry the machine is up, on exit without an exception its verdict is checked."""

    qemu: Sequence[str]
    kernel: Path
    initramfs: Path
    console: Path
    megabytes: int = 1024
    processors: int = 2
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        # fmt: off
        command = [
            *self.qemu, "-M", "pc", "-cpu", _CPU, "-accel", _ACCELERATOR, "-m", str(self.megabytes),
            "-smp", str(self.processors), "-nodefaults", "-no-reboot", "-display", "none",
            "-kernel", str(self.kernel), "-initrd", str(self.initramfs), "-append", _KERNEL_ARGUMENTS,
            "-serial", f"file:{self.console}", "-chardev", "stdio,id=agent,signal=off", "-serial", "chardev:agent",
        ]
        # fmt: on
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        try:
            self._receive()  # the greeting
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._power_off()
        finally:
            self._kill()

    def spawn(self, *arguments: str, uid: int = 0, environment: Mapping[str, str] | None = None) -> Process:
        """Starts the program arguments[0], a path in the machine, with standard input from /dev/null."""
        variables = [f"{name}={value}" for name, value in (environment or {}).items()]
        pid = self.request("spawn", str(uid), str(len(variables)), *variables, *arguments)
        return Process(self, int(pid), arguments)

    def run(
        self,
        *arguments: str,
        uid: int = 0,
        environment: Mapping[str, str] | None = None,
        timeout: float = _PATIENCE_SECONDS,
    ) -> Completed:
        """spawn() and wait()."""
        return self.spawn(*arguments, uid=uid, environment=environment).wait(timeout)

    def read(self, path: str) -> bytes:
        """A file of the machine as it is now."""
        content = b""
        while part := self.request("read", path, str(len(content))):
            content += part
        return content

    def write(self, path: str, content: bytes) -> None:
        self.request("write", path, content)

    def request(self, *words: str | bytes) -> bytes:
        """Sends one request to the agent and returns the data of its reply. Raises MachineError if it refuses."""
        payload = b"".join((word.encode() if isinstance(word, str) else word) + b"\0" for word in words)
        data = memoryview(struct.pack("<I", len(payload)) + payload)
        while data:
            data = data[self._pipe("stdin").write(data) or 0 :]
        reply = self._receive()
        if reply[:1] != b"+":
            raise MachineError(f"{words[0]!r}: {reply[1:].decode(errors='replace')}")
        return reply[1:]

    def _receive(self) -> bytes:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        (length,) = struct.unpack("<I", self._receive_exactly(4, deadline))
        return self._receive_exactly(length, deadline)

    def _receive_exactly(self, size: int, deadline: float) -> bytes:
        pipe = self._pipe("stdout")
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while len(data) < size:
                if not selector.select(deadline - time.monotonic()):
                    raise MachineError(f"no answer in {_PATIENCE_SECONDS:.0f} s; {self._console_end()}")
                part = pipe.read(size - len(data))
                if not part:
                    raise MachineError(f"the machine has died; {self._console_end()}")
                data += part
        return data

    def _power_off(self) -> None:
        self.request("off")
        assert self._process is not None
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise MachineError(f"it did not power off; {self._console_end()}") from None
        verdicts = [line for line in self._console_lines() if line == "success" or line.startswith("failure: ")]
        if verdicts != ["success"]:
            raise MachineError(f"the machine's verdict is {verdicts}, not success; {self._console_end()}")

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _pipe(self, name: str) -> IO[bytes]:
        if self._process is None:
            raise MachineError("the machine is not running")
        pipe: IO[bytes] = getattr(self._process, name)
        return pipe

    def _console_lines(self) -> list[str]:
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return [line for line in text.splitlines() if line.strip()]

    def _console_end(self) -> str:
        return "\n".join([f"the end of its console ({os.fspath(self.console)}):", *self._console_lines()[-30:]])
