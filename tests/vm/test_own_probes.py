"""Probes that trace nothing: iterators, and the tests and benchmarks of a script itself."""

import re

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines

_COLOR = re.compile(r"\x1b\[\d+m")


def test_iterators(machine: Machine) -> None:
    """What the kernel prints comes first: it is read before the ring buffer is."""
    completed = machine.run("/bin/iterators")
    assert completed.code == 0, completed
    assert output_lines(completed.stdout) == ["init  |  1|300|ff|%|1099511627776", "end", "@tasks: 1"]
    assert "Attached 2 probes" in completed.stderr


def test_tests(machine: Machine) -> None:
    completed = machine.run("/bin/own_tests", "--test")
    assert completed.code == 1, completed
    lines = [re.sub(r"\(\d+ \w+\)", "(time)", _COLOR.sub("", line)) for line in output_lines(completed.stdout)]
    assert lines == [
        "begin",
        "[==========] Running 4 tests.",
        "[ RUN      ] passes",
        "[       OK ] passes (time)",
        "[ RUN      ] fails",
        "shown",
        "[  FAILED  ] fails (time)",
        "[ RUN      ] reports",
        "tests/vm/scripts/own_tests.bt:7:16-37: ERROR: error 7",
        "[  FAILED  ] reports (time)",
        "[ RUN      ] exits",
        "[  FAILED  ] exits (time)",
        "[==========] 4 tests ran.",
        "[  PASSED  ] 1 test.",
        "[  FAILED  ] 3 tests, listed below:",
        "[  FAILED  ] fails",
        "[  FAILED  ] reports",
        "[  FAILED  ] exits",
        "end",
    ]


def test_filter(machine: Machine) -> None:
    completed = machine.run("/bin/own_tests", "--mode", "test", "--probe-filter", "^test:(passes|x)$")
    assert completed.code == 0, completed
    assert "Running 1 tests." in completed.stdout
    assert "passes" in completed.stdout


def test_benchmarks(machine: Machine) -> None:
    completed = machine.run("/bin/own_tests", "--bench")
    assert completed.code == 0, completed
    begin, header, rule, row, *rest = output_lines(completed.stdout)
    assert (begin, header) == ("begin", f"{'Benchmark':41}{'Time(ns)':15}Iterations")
    assert rule == "-" * 66
    name, time, iterations = row.split()
    assert name == "counts"
    assert int(time) > 0
    assert int(iterations) * int(time) >= 1_000_000
    assert rest == ["end"]


def test_neither(machine: Machine) -> None:
    """Without an option of theirs, they do not run."""
    completed = machine.run("/bin/own_tests")
    assert completed.code == 0, completed
    assert output_lines(completed.stdout) == ["begin", "end"]
