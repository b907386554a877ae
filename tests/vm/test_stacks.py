"""User stacks of programs in several languages name their functions, innermost first."""

import re

import pytest

from tests.vm.guest_python import ISOLATED, interpreter
from tests.vm.machine import Machine

C_FUNCTIONS = ["stack_inner", "stack_outer", "main"]
CPP_FUNCTIONS = [
    "shapes::Circle<int>::area(long) const",
    "int shapes::operator+<int, long>(shapes::Circle<int> const&, int (*)(int, long))",
    "(anonymous namespace)::measure(shapes::Circle<int> const&)::{lambda(int)#1}::operator()(int) const",
    "(anonymous namespace)::measure(shapes::Circle<int> const&)",
    "main",
]
RUST_FUNCTIONS = [
    "rust_calls::getppid",
    "<rust_calls::shapes::Square<i64> as rust_calls::shapes::Shape>::area",
    "rust_calls::measure::<rust_calls::shapes::Square<i64>>",
    "main",
]
PYTHON_PROGRAM = """\
import os, time
def python_inner():
    os.getppid()
def python_outer():
    python_inner()
python_outer()
time.sleep(3)
"""


def frames(machine: Machine, *command: str) -> list[tuple[str, str]]:
    """Names and modules of all frames, those before the child became the command included."""
    completed = machine.run("/bin/stacks", "-c", " ".join(command))
    assert completed.code == 0, completed
    return re.findall(r"^\t[0-9a-f]+ (.+) \((.+)\)$", completed.stdout, re.MULTILINE)


def names_in(found: list[tuple[str, str]], module: str) -> list[str]:
    return [re.sub(r"\+\d+$", "", name) for name, where in found if where == module]


@pytest.mark.parametrize(
    ("program", "functions"),
    [
        ("/bin/c_calls", C_FUNCTIONS),
        ("/bin/cpp_calls", CPP_FUNCTIONS),
        ("/bin/rust_calls", RUST_FUNCTIONS),
    ],
)
def test_compiled(machine: Machine, program: str, functions: list[str]) -> None:
    assert names_in(frames(machine, program), program)[: len(functions)] == functions


def test_stripped(machine: Machine) -> None:
    names = names_in(frames(machine, "/bin/c_calls_stripped"), "/bin/c_calls_stripped")
    assert len(names) >= len(C_FUNCTIONS)
    assert all(re.fullmatch("0x[0-9a-f]+", name) for name in names)


def test_go(machine: Machine) -> None:
    """buildifier is a program in Go. Its input is large, so that it is not done before its stack is printed."""
    machine.write("/large.bzl", b"".join(b"x%d = [%d]\n" % (number, number) for number in range(40_000)))
    names = names_in(
        frames(machine, "/bin/buildifier-linux_amd64", "-mode=check", "/large.bzl"), "/bin/buildifier-linux_amd64"
    )
    assert names[0].endswith("syscall.Syscall6")
    assert [name for name in names if name.startswith("os.")] == ["os.openFileNolog", "os.OpenFile", "os.ReadFile"]
    assert any(name.startswith("main.(*buildifier).processFiles") for name in names)
    assert names[-1] == "runtime.goexit.abi0"


def test_python(machine: Machine) -> None:
    """The interpreter writes a map of the code that it makes for each function. Libraries are anywhere."""
    machine.write("/calls.py", PYTHON_PROGRAM.encode())
    found = frames(machine, str(interpreter()), *ISOLATED, "-X", "perf", "/calls.py")
    assert [name for name, module in found if module.endswith("/libc.so.6") and name.startswith("getppid+")]
    named = [(name, module) for name, module in found if name.startswith("py::")]
    assert named and re.fullmatch(r"py::python_inner:/calls\.py\+\d+", named[0][0]), found
    assert re.fullmatch(r"/tmp/perf-\d+\.map", named[0][1])
