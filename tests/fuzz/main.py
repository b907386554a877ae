"""Fuzzes the compiler: mutated scripts through parser, formatter, analysis, code generation and LLVM.

    ./bazelw run //tests/fuzz -- --count 1000000 --seed 7

Input number N of a seed is always the same, so `--seed 7 --first N --count 1` runs one again. Each finding is printed
once, with the shortest script that still shows it. Exits with 1 if there was any.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from random import Random

from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import Seeds, load_seeds
from tests.fuzz.target import Finding, Target, reduce

_PROGRESS_SECONDS = 10


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    if options.jobs == 1:
        return fuzz(options, options.first, 1)
    children = []
    for job in range(options.jobs):
        child = os.fork()
        if child == 0:
            os._exit(fuzz(options, options.first + job, options.jobs))
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return max(abs(code) for code in codes)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1, help="which inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so many seconds")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--no-llvm", action="store_true", help="stop before code generation")
    return parser.parse_args(arguments)


def fuzz(options: argparse.Namespace, first: int, step: int) -> int:
    """Every `step`th input from `first` on; the exit code."""
    target = Target(with_llvm=not options.no_llvm)
    seeds = load_seeds()
    gc.freeze()  # Or each collection goes through all that has been loaded.
    findings: dict[str, int] = {}
    start = shown = time.monotonic()
    done = 0
    for number in range(first, options.first + options.count, step):
        random, text = _input(options.seed, number, seeds)
        finding = target.run(text, random)
        done += 1
        if finding is not None:
            findings[finding.kind] = findings.get(finding.kind, 0) + 1
            if findings[finding.kind] == 1:
                random, text = _input(options.seed, number, seeds)
                _show(number, finding, reduce(target, text, finding.kind, random))
        now = time.monotonic()
        if now - shown >= _PROGRESS_SECONDS:
            shown = now
            _progress(done, target, findings, now - start)
        if options.seconds and now - start >= options.seconds:
            break
    target.close()
    _progress(done, target, findings, time.monotonic() - start)
    return 1 if findings else 0


def _input(seed: int, number: int, seeds: Seeds) -> tuple[Random, str]:
    """The text, and the generator that made it, which goes on to choose the options."""
    random = Random(f"{seed}:{number}")
    return random, mutate(random, seeds)


def _show(number: int, finding: Finding, text: str) -> None:
    print(f"=== input {number}: {finding.kind}\n{finding.details}\n--- script\n{text!r}\n{text}\n", flush=True)


def _progress(done: int, target: Target, findings: dict[str, int], seconds: float) -> None:
    found = ", ".join(f"{kind}: {count}" for kind, count in findings.items()) or "none"
    rate = done / seconds if seconds else 0.0
    print(f"{done} inputs, {target.compiled} compiled, {rate:.0f}/s, findings: {found}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
