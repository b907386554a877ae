"""How fast a tracer is up, and what it costs: `./bazelw run //bench/startup`.

Measures the tracer `hello`, beside the floor (floor.c: the same by bare system calls) and, where it is installed,
upstream's bpftrace, which compiles the same script each time it starts, and its --aot, which compiles it beforehand.
Each number is the median of the runs. It runs on this machine's own kernel, so it needs root; the script has only a
`begin` probe, so nothing of the machine is traced.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_TRACERS = _FOLDER.parent.parent / "tracers"
_HEADER = ("program", "first output ms", "exit ms", "peak RSS kB", "bytes")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured. `size` is in bytes, None where one file does not tell it."""

    name: str
    command: Sequence[str]
    size: int | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians."""

    first_output_ms: float
    exit_ms: float
    peak_kb: float


class MeasureError(Exception):
    """A run failed; the message has what the program said."""


def measure(command: Sequence[str], runs: int) -> Cost:
    times = [_measure_once("time", command) for _ in range(runs)]
    peaks = [_measure_once("memory", command) for _ in range(runs)]
    first, end = zip(*times, strict=True)
    return Cost(
        statistics.median(first) / 1e6, statistics.median(end) / 1e6, statistics.median(peak for (peak,) in peaks)
    )


def _measure_once(what: str, command: Sequence[str]) -> list[int]:
    result = subprocess.run([_FOLDER / "measure", what, *command], capture_output=True, text=True, check=False)
    if result.returncode:
        raise MeasureError(f"{command[0]} failed: {result.stderr.strip()}")
    return [int(word) for word in result.stdout.split()]


def _own_subjects() -> Iterator[Subject]:
    for name, path in (("floor", _FOLDER / "floor"), ("hello", _TRACERS / "hello")):
        yield Subject(name, [str(path)], path.stat().st_size)


def _upstream_subjects(bpftrace: Sequence[str], scratch: Path) -> Iterator[Subject]:
    script = (_TRACERS / "hello.bt").read_text()
    yield Subject("bpftrace -e", [*bpftrace, "-e", script], None)
    compiled = scratch / "hello-aot"
    command = [*bpftrace, "--aot", str(compiled), "-e", script]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if compiled.exists():
        yield Subject("bpftrace --aot", [str(compiled)], compiled.stat().st_size)
    else:
        print(f"bpftrace --aot did not work: {result.stdout.strip()}", file=sys.stderr)


def _row(subject: Subject, cost: Cost) -> tuple[str, ...]:
    size = "-" if subject.size is None else str(subject.size)
    return subject.name, f"{cost.first_output_ms:.2f}", f"{cost.exit_ms:.2f}", f"{cost.peak_kb:.0f}", size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="runs of each kind (default: %(default)s)")
    parser.add_argument("--bpftrace", nargs="+", metavar="WORD", help="the command for upstream's (default: on PATH)")
    arguments = parser.parse_args()
    bpftrace = arguments.bpftrace or [path for path in [shutil.which("bpftrace")] if path]
    print("{:<16}{:>18}{:>12}{:>14}{:>12}".format(*_HEADER))
    with tempfile.TemporaryDirectory() as scratch:
        subjects = list(_own_subjects())
        if bpftrace:
            subjects += _upstream_subjects(bpftrace, Path(scratch))
        for subject in subjects:
            try:
                cost = measure(subject.command, arguments.runs)
            except MeasureError as error:
                print(f"startup: {error}", file=sys.stderr)
                return 1
            print("{:<16}{:>18}{:>12}{:>14}{:>12}".format(*_row(subject, cost)))
    if not bpftrace:
        print("(upstream's bpftrace is not installed)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
