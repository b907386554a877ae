"""Parameters of a tracer, on its command line and in its attach points; and programs that are hard on the verifier."""

import pytest

from tests.vm.machine import Machine
from tests.vm.tracing import output_lines, trace

_SYS_GETPGID = 121
_WORKLOAD = ["/bin/syscall_10000", str(_SYS_GETPGID)]


def test_parameters_as_words_texts_numbers_and_attach_points(machine: Machine) -> None:
    words = ["hello world", "lo w", "20", "do_getpgid", "-q", "--", "--count=0x7", "k:do_getpgid"]
    traced = trace(machine, ["/bin/parameters", *words], _WORKLOAD)
    assert traced.lines[:8] == [
        "(hello world, lo w, hello world, world, wor, 5, 7, none)",
        "hello world 20",
        "equal",
        "(3, true, 3)",
        "(6, -1, 0)",
        "(true, 0)",
        "true",
        "true",
    ]
    hits, in_rounds, late, a, hello, ticks = traced.lines[8:]
    assert (hits, in_rounds, late, a, hello) == (
        "@hits[do_getpgid, kprobe:do_getpgid]: 10000",
        "@in_rounds[do_getpgid]: 10000",
        "@late: 10000",
        "@texts[a]: 1",
        "@texts[hello world]: 2",
    )
    assert ticks.startswith("@ticks: ")


@pytest.mark.parametrize(
    ("place", "workload", "hits"),
    [
        ("k:do_getpg*", _WORKLOAD, 10000),
        ("fexit:do_getpgid", _WORKLOAD, 10000),
        ("t:syscalls:sys_enter_getpgid", _WORKLOAD, 10000),
        ("u:/bin/calls:counted_first", ["/bin/calls"], 7),
        ("u:/bin/calls:counted_*", ["/bin/calls"], 12),
        ("ur:/bin/calls:counted_*", ["/bin/calls"], 12),
    ],
)
def test_attach_points_of_any_type(machine: Machine, place: str, workload: list[str], hits: int) -> None:
    traced = trace(machine, ["/bin/parameters", "a", "b", "20", "do_getpgid", place], workload)
    assert f"@late: {hits}" in traced.lines


def test_parameters_that_no_attach_point_has(machine: Machine) -> None:
    completed = machine.run("/bin/parameters", "a", "b", "0", "do_getpgid", "i:ms:10")
    assert completed.code == 1
    assert "ERROR: interval:ms:0: frequency should be a positive integer\n" in completed.stderr
    completed = machine.run("/bin/parameters", "a", "b", "5", "do_getpgid", "nothing:a")
    assert "ERROR: attach point $5: no probe type that parameters may say\n" in completed.stderr


def test_dry_run_prints_nothing(machine: Machine) -> None:
    completed = machine.run("/bin/parameters", "a", "b", "5", "do_getpgid", "t:syscalls:sys_enter_getpgid", "--dry-run")
    assert (completed.code, output_lines(completed.stdout), completed.stderr) == (0, [], "")
