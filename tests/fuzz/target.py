"""What is fuzzed: the compiler, from a text to the tracer's resources, all in this process but for LLVM.

What does not depend on the text is done once: the kernel snapshot is read, LLVM is loaded, and its child goes on to the
next module. IR that LLVM has translated before is not translated again.
"""

from __future__ import annotations

import re
import resource
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from compiler import back, pipeline
from compiler.arch import ARM64, X86_64
from compiler.backend import Backend, BackendResult
from compiler.codegen import llvm
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.printer import print_program
from compiler.syntax.source import SourceFile
from compiler.types.kernel import Kernel

LIMIT_SECONDS = 10
_PROCESS_CLOCK = 2  # the kernel's CPUCLOCK_SCHED: with a process id, the clock of that process
_SNAPSHOT = Path(__file__).resolve().parents[2] / "kernels" / "default.snapshot"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not happen. Two of one `kind` most likely have one cause."""

    kind: str
    details: str


class _Timeout(BaseException):
    """Not an Exception, so that nothing on the way takes it for an error of its own."""


class _Backend(Backend):
    """Of one IR there is one result."""

    _REMEMBERED = 500

    def __init__(self) -> None:
        llvm.initialize()  # The children are forks of this process, and so have it ready.
        super().__init__()
        self._results: dict[tuple[str, ...], BackendResult] = {}

    def compile_ir(self, ir: str, *, linked: Sequence[str] = (), texts: bool = False) -> BackendResult:
        key = (ir, *linked)
        if key not in self._results:
            if len(self._results) == self._REMEMBERED:
                self._results.clear()
            if self._pid:
                self._limit()
            self._results[key] = super().compile_ir(ir, linked=linked, texts=texts)
        return self._results[key]

    def _start(self) -> None:
        super()._start()
        self._limit()

    def _limit(self) -> None:
        """Lets the child have so much more of the processor; then SIGXCPU ends it."""
        used = time.clock_gettime(~self._pid << 3 | _PROCESS_CLOCK)
        resource.prlimit(self._pid, resource.RLIMIT_CPU, (int(used) + LIMIT_SECONDS, resource.RLIM_INFINITY))


class Target:
    """Compiles texts; the compiler must answer each with a tracer or with diagnostics."""

    def __init__(self, *, with_llvm: bool = True) -> None:
        self._kernel = Kernel.load(_SNAPSHOT)
        self._backend = _Backend() if with_llvm else None
        self.compiled = 0
        """How many texts became a tracer."""

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()

    def run(self, text: str, random: Random, seconds: float = LIMIT_SECONDS) -> Finding | None:
        try:
            with _time_limit(seconds):
                self._check_printer(text)
                sink = DiagnosticSink()
                options = pipeline.Options(
                    random.choice((X86_64, ARM64)), random.choice(((5, 10), (6, 1), (7, 0))), random.random() < 0.8
                )
                _, program = pipeline.front(SourceFile("fuzz.bt", text), self._kernel, options, sink)
                if self._backend is not None:
                    back.compile_program(program, self._backend, sink, pipeline.Timings())
                    self.compiled += 1
        except pipeline.CompileError:
            return None if sink.render() else Finding("no diagnostic", "failed without saying why")
        except _Timeout:
            if self._backend is not None:
                self._backend.kill()  # it may be what hangs
            return Finding("timeout", f"more than {seconds} s, here:\n{traceback.format_exc(limit=-12)}")
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.name}"
            return Finding(f"{type(error).__name__} in {place}", traceback.format_exc(limit=-8))
        return None

    def _check_printer(self, text: str) -> None:
        """What the formatter prints is a script, and formatting it again changes nothing."""
        sink = DiagnosticSink()
        program = parse(SourceFile("fuzz.bt", text), sink)
        if sink.has_errors:
            return
        printed = print_program(program)
        again = parse(SourceFile("fuzz.bt", printed), sink)
        if sink.has_errors:
            raise AssertionError(f"the formatter breaks the script:\n{printed}\n{sink.render()}")
        if print_program(again) != printed:
            raise AssertionError(f"the formatter is not idempotent:\n{printed}\n\n{print_program(again)}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Of processor time, so that a busy machine makes no finding. What only waits has many times that."""

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise _Timeout

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 60 * seconds))
    before = [signal.signal(number, expire) for _, number, _ in timers]
    for timer, _, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def reduce(target: Target, text: str, kind: str, random: Random) -> str:
    """A shorter text that makes the same finding: whatever can be left out is left out."""
    limit = 3 * LIMIT_SECONDS if kind == "timeout" else LIMIT_SECONDS
    for pattern in (r"[^\n]*\n?", r"\w+|\s+|."):
        parts = [part for part in re.findall(pattern, text, re.DOTALL) if part]
        size = max(len(parts) // 2, 1)
        tries = 300 if kind != "timeout" else 8
        while size and tries:
            index = 0
            while index < len(parts) and tries:
                candidate = parts[:index] + parts[index + size :]
                tries -= 1
                state = random.getstate()
                finding = target.run("".join(candidate), random, limit)
                random.setstate(state)
                if finding is not None and finding.kind == kind:
                    parts = candidate
                else:
                    index += size
            size //= 2
        text = "".join(parts)
    return text
