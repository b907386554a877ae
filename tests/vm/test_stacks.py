"""User stacks of programs in several languages name their functions, innermost first."""

import re
import signal

import pytest

from tests.vm.guest_python import ISOLATED, interpreter
from tests.vm.machine import Machine
from tests.vm.tracing import start

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
SHORT_LIVED_FUNCTIONS = ["short_inner", "short_outer", "main"]
PYTHON_PROGRAM = """\
import os, time
def python_inner():
    os.getppid()
def python_outer():
    python_inner()
python_outer()
time.sleep(3)
"""


_FRAME = re.compile(r"^\t[0-9a-f]+ (.+) \((.+)\)$", re.MULTILINE)


def frames(machine: Machine, *command: str) -> list[tuple[str, str]]:
    """Names and modules of all frames, those before the child became the command included."""
    completed = machine.run("/bin/stacks", "-c", " ".join(command))
    assert completed.code == 0, completed
    return _FRAME.findall(completed.stdout)


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


def unwound(machine: Machine, *command: str) -> str:
    """Stacks of a command by its call frame information."""
    completed = machine.run("/bin/unwound_stacks", "-c", " ".join(command))
    assert completed.code == 0, completed
    return completed.stdout


def stacks_in(text: str) -> list[list[tuple[str, str]]]:
    """Names and modules of the frames of each stack; those that are keys of a map come last."""
    return [stack for part in re.split(r"\n\n|@busy", text) if (stack := _FRAME.findall(part))]


def test_without_frame_pointers(machine: Machine) -> None:
    """The C library is musl, which has no call frame information: stacks end there, visibly."""
    end = ("0xffffffffffffffff", "[unknown]")
    completed = unwound(machine, "/bin/unwound_calls", "500")
    saving, system_call, *busy = stacks_in(completed)
    calls = ["unwound_saving", "unwound_growing", "unwound_aligned", "main"]
    assert names_in(saving, "/bin/unwound_calls")[: len(calls)] == calls
    assert names_in(system_call, "/bin/unwound_calls")[: len(calls) + 1] == ["unwound_leaf", *calls]
    assert saving[-1] == system_call[-1] == end
    assert ["unwound_busy", "main"] in [names_in(stack, "/bin/unwound_calls")[:2] for stack in busy]
    depths = dict(re.findall(r"^@depths\[(\w+)\]: (\d+)$", completed, re.MULTILINE))
    assert depths == {"kprobe": str(len(system_call)), "fentry": str(len(system_call))}


def test_libraries_without_frame_pointers(machine: Machine) -> None:
    """The interpreter and its libraries are linked dynamically: the tracer has read them before the first stack."""
    machine.write("/unwound.py", PYTHON_PROGRAM.encode())
    stack = stacks_in(unwound(machine, str(interpreter()), *ISOLATED, "/unwound.py"))[0]
    names = [re.sub(r"\+\d+$", "", name) for name, _ in stack]
    assert names[0] in ("getppid", "__getppid")
    assert {"Py_RunMain", "Py_BytesMain", "__libc_start_main"} <= set(names)


def stacks_of_ended(stdout: str) -> dict[int, list[tuple[str, str]]]:
    """Names without offsets, and modules, of the frames of each process."""
    return {
        int(pid): re.findall(r"^\t[0-9a-f]+ (.+?)(?:\+\d+)? \((.+)\)$", frames, re.MULTILINE)
        for pid, frames in re.findall(r"^@\[(\d+), \n(.*?)\n\]: 1$", stdout, re.MULTILINE | re.DOTALL)
    }


def test_processes_that_have_ended(machine: Machine) -> None:
    """One that was there before the tracer, one that came later, the child of one, and one with libraries."""
    waiting = machine.spawn("/bin/short_lived", "wait")
    waiting.wait_for_line("ready")
    tracer = start(machine, "/bin/ended_stacks")
    tracer.wait_for_line("noted")
    waiting.signal(signal.SIGUSR1)
    assert waiting.wait().code == 0
    assert machine.run("/bin/short_lived").code == 0
    assert machine.run("/bin/short_lived", "fork").code == 0
    machine.write("/ended.py", b"import os\nos.getppid()\n")
    assert machine.run(str(interpreter()), *ISOLATED, "/ended.py").code == 0
    tracer.signal(signal.SIGINT)
    ended = tracer.wait()
    assert ended.code == 0, ended
    stacks = stacks_of_ended(ended.stdout)
    assert len(stacks) == 4, ended
    of_python = [frames for frames in stacks.values() if ("main", "/bin/short_lived") not in frames]
    assert len(of_python) == 1 and of_python[0][0][0] == "getppid" and of_python[0][0][1].endswith("/libc.so.6"), (
        of_python
    )
    for frames in stacks.values():
        assert frames in of_python or [name for name, _ in frames[:3]] == SHORT_LIVED_FUNCTIONS, frames


def test_a_command_that_has_ended(machine: Machine) -> None:
    completed = machine.run("/bin/ended_stacks", "-c", "/bin/short_lived")
    (frames,) = stacks_of_ended(completed.stdout).values()
    assert [name for name, _ in frames[:3]] == SHORT_LIVED_FUNCTIONS


def test_a_process_that_has_ended(machine: Machine) -> None:
    waiting = machine.spawn("/bin/short_lived", "wait")
    waiting.wait_for_line("ready")
    tracer = start(machine, "/bin/ended_stacks", "-p", str(waiting.pid))
    waiting.signal(signal.SIGUSR1)
    assert waiting.wait().code == 0
    (frames,) = stacks_of_ended(tracer.wait().stdout).values()
    assert [name for name, _ in frames[:3]] == SHORT_LIVED_FUNCTIONS


def test_of_no_process(machine: Machine) -> None:
    completed = machine.run("/bin/unwound_stacks")
    assert completed.code == 1
    assert "dw_ustack requires a target process. Use -p, -c, or --dwarf-pid to specify one." in completed.stderr
