"""Times what a compilation asks of a kernel snapshot: `bench/snapshot FILE [FOLDER]`; each figure is a minimum of 5."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from absl import app

from compiler.types.btf import Btf
from compiler.types.kernel import Kernel
from compiler.types.snapshot import VMLINUX


def _milliseconds(work: Callable[[], object], rounds: int = 5) -> float:
    def once() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1000

    return min(once() for _ in range(rounds))


def _opensnoop(path: Path) -> None:
    """What opensnoop asks for: two tracepoints and the types of their fields."""
    kernel = Kernel.load(path)
    for event in ("sys_enter_openat", "sys_exit_openat"):
        if kernel.tracepoint("syscalls", event) is None:
            sys.exit(f"{path}: no tracepoint syscalls:{event}")


def _all_functions(path: Path) -> None:
    for _ in Kernel.load(path).traceable_functions():
        pass


def main(argv: Sequence[str]) -> None:
    if len(argv) < 2:
        sys.exit("usage: bench/snapshot FILE [FOLDER]")
    for path in map(Path, argv[1:]):
        kernel = Kernel.load(path)
        source = kernel.btf(VMLINUX)
        assert source
        btf = source.btf
        print(f"{path.name} ({kernel.release}), {len(btf)} types")
        measured: list[tuple[str, Callable[[], object]]] = [
            ("index of vmlinux's types", partial(Btf, btf.data)),
            ("what opensnoop needs", partial(_opensnoop, path)),
            ("all traceable functions", partial(_all_functions, path)),
        ]
        for what, work in measured:
            print(f"  {what:<26} {_milliseconds(work):7.1f} ms")


if __name__ == "__main__":
    app.run(main)
