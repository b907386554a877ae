"""Hand-made tracers, run on this kernel: the shim from the payload to the last line.

They trace nothing but themselves and this test. They lie in the folder SHIM_TRACERS, by default beside this file.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

TRACERS = Path(os.environ.get("SHIM_TRACERS", Path(__file__).parent))
NOTICE = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
RELEASE = os.uname().release

resolvers = pytest.mark.parametrize("resolver", ["kernel", "user space"])


def environment(resolver: str = "kernel") -> dict[str, str]:
    return {"BPFTRACE_USERSPACE_CORE": "1"} if resolver == "user space" else {}


def run(name: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRACERS / name, *arguments], capture_output=True, text=True, env=env or {}, timeout=60, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def privileges() -> None:
    """Root alone is not enough: in a user namespace, such as Bazel's sandbox, it may not load programs."""
    if "Operation not permitted" in run("hello").stderr:
        pytest.skip("this process may not load BPF programs")


def error(name: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Runs a tracer that must fail without printing anything on stdout; returns what it says."""
    result = run(name, *arguments, env=env)
    assert result.returncode == 1
    assert result.stdout == ""
    return result.stderr


def test_hello() -> None:
    result = run("hello")
    assert (result.returncode, result.stdout, result.stderr) == (0, "hello\n\n\n", "Attached 1 probe\n")


def test_quiet_and_output_file(tmp_path: Path) -> None:
    result = run("hello", "-qo", str(tmp_path / "out"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "out").read_text() == "hello\n\n\n"


def test_output_file_that_cannot_be_opened() -> None:
    assert error("hello", "-o", "/nonexistent/out") == (
        'ERROR: Failed to open output file: "/nonexistent/out": No such file or directory\n'
    )


def test_full_disk_is_an_error() -> None:
    result = run("hello", "-q", "-o", "/dev/full")
    assert result.returncode == 1
    assert "No space left on device" in result.stderr


def test_help_and_version() -> None:
    for option in ("-h", "--help"):
        result = run("parameters", option)
        assert result.returncode == 0
        assert "USAGE" in result.stdout
        assert "$1" in result.stdout
    result = run("hello", "-V")
    assert (result.returncode, result.stdout) == (
        0,
        "hello.bt (sha256 0000000000000000), compiled by rules_bpftrace 0.0\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-z"], "unknown option: -z"),
        (["--nothing"], "unknown option: --nothing"),
        (["-qo"], "option needs an argument: -qo"),
        (["-B", "some"], "-B must be either 'line', 'full', or 'none'."),
        (["-f", "json"], "-f json is not supported yet"),
        (["--quiet=1"], "option takes no argument: --quiet=1"),
    ],
)
def test_wrong_options(arguments: list[str], message: str) -> None:
    assert error("hello", *arguments) == f"ERROR: USAGE: {message}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_runs_end_and_prints_maps(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [TRACERS / "ticks"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={NOTICE: ""}
    )
    assert process.stdout
    assert process.stdout.readline() == f"{NOTICE}\n"
    assert process.stdout.readline() == "tick\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert err == "Attached 2 probes\n"
    assert process.returncode == 0
    found = re.fullmatch(r"((?:tick\n)*)end\n\n\n@ticks: (\d+)\n", out)
    assert found
    assert len(found[1].splitlines()) + 1 == int(found[2])


@resolvers
def test_core_field(resolver: str) -> None:
    with subprocess.Popen(
        [TRACERS / "core_field", "-q"], stdout=subprocess.PIPE, text=True, env=environment(resolver)
    ) as process:
        out, _ = process.communicate(timeout=60)
        assert out == f"{process.pid}\n\n\n"


@resolvers
def test_core_field_that_the_kernel_lacks(resolver: str) -> None:
    assert error("core_absent", env=environment(resolver)) == (
        "core_absent.bt:1:16-42: ERROR: btf: resolve struct task_struct.no_such_member: "
        f"it is not on this kernel ({RELEASE})\n"
        "BEGIN { print(curtask->no_such_member); }\n"
        "               ~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
    )


@resolvers
def test_core_field_behind_a_guard(resolver: str) -> None:
    result = run("core_guarded", "-q", env=environment(resolver))
    assert (result.returncode, result.stdout, result.stderr) == (0, "0\n\n\n", "")


def test_settings_of_the_environment() -> None:
    assert run("exit_code", "-q", env={"BPFTRACE_PRINT_MAPS_ON_EXIT": "false"}).returncode == 3
    pages = run("losses", env={"BPFTRACE_PERF_RB_PAGES": "3"})  # becomes 4: room for all events
    assert (pages.stdout, pages.stderr) == ("event\n" * 600 + "\n\n", "Attached 1 probe\n")
    assert run("absent_allowed", env={"BPFTRACE_MISSING_PROBES": "IGNORE"}).stderr == "Attached 1 probe\n"
    for name, value, problem in (
        ("MISSING_PROBES", "maybe", "not a word that it takes"),
        ("LOG_SIZE", "5x", "invalid trailing bytes"),
        ("PERF_RB_PAGES", "-1", "value is out of range"),
        ("PRINT_MAPS_ON_EXIT", "5", "expects a boolean (e.g. 'true')"),
    ):
        message = error("hello", env={f"BPFTRACE_{name}": value})
        assert message == f"ERROR: BPFTRACE_{name}: {problem} (value: {value})\n"


def test_dry_run_attaches_and_ends() -> None:
    result = run("hello", "--dry-run")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        ([], "0 default"),
        (["40"], "41 default"),
        (["0x10", "text"], "18 text"),
        (["--", "-5"], "-4 default"),
        (["40", "-q", "text"], "42 text"),
    ],
)
def test_parameters(arguments: list[str], out: str) -> None:
    assert run("parameters", *arguments).stdout == f"{out}\n\n\n"


def test_wrong_parameters() -> None:
    assert "ERROR: positional parameter $1: invalid integer (value: abc)\n" in error("parameters", "abc")
    assert f"ERROR: positional parameter $2: is too long (value: {'a' * 16})\n" in error("parameters", "1", "a" * 16)
    assert "ERROR: positional parameter $1: not given\n" in error("getpgid")
    assert error("parameters", "--", "--help") == "HINT: no custom program options defined.\n"
    assert error("parameters", "--", "--name=1") == (
        "ERROR: unexpected program command line options: --name=1\nHINT: no custom program options defined.\n"
    )


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["i", "ms:1"], "interval:ms:1"),
        (["interval:us", "1_000"], "interval:us:1_000"),
        (["i", "2000000"], "interval:2000000"),
        (["i:hz", "99"], "interval:hz:99"),
        (["profile", "hz:99"], "profile:hz:99"),
        (["p:ms", "1"], "profile:ms:1"),
    ],
)
def test_parameters_complete_an_attach_point(words: list[str], name: str) -> None:
    result = run("late", "-v", *words)
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) == {"tick"}  # of a profile on several processors, maybe
    assert f"Attaching {name}\n" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "attach point $1:$2: no probe type that parameters may say"),
        (["BEGIN"], "attach point $1:$2: no probe type that parameters may say"),
        (["a:b:c:d:e:f:g:h", "i:j"], "attach point $1:$2: it has too many parts"),
        (["i:ms:1", "1"], "interval:ms:1:1: a timer has one or two parts"),
        (["i:m", "1"], "interval:m:1: the units of time are s, ms, us and hz"),
        (["i:ms", "0"], "interval:ms:0: frequency should be a positive integer"),
        (["i:ms", "-5x"], "interval:ms:-5x: invalid integer"),
        (["p:s", "99999999999"], "profile:s:99999999999: value is out of range"),
        (["p", "10"], "profile:10: the least rate is 1000 or 1us"),
        (["t:..", "x"], "tracepoint:..:x: no name of a tracepoint"),
        (["t", "x"], "tracepoint:x: a tracepoint has a category and an event"),
        (["rt", ""], "rawtracepoint:: it has no function"),
        (["k:a:b", "c"], "kprobe:a:b:c: it has one or two parts"),
        (["kr", "f+4"], "kretprobe:f+4: offset not allowed"),
        (["k", "+4"], "kprobe:+4: invalid offset"),
        (["k", "0x1000"], "kprobe:0x1000: probing by address requires --unsafe when it is compiled"),
        (["uprobe", ""], "uprobe:: it has a path and a function"),
        (["uprobe", "f"], "attach uprobe:f: a probe without a path needs a process: -p PID"),
        (["u:/bin/sh", "f+1"], "uprobe:/bin/sh:f+1: probing at an offset requires --unsafe when it is compiled"),
        (["usdt:/bin/sh", ""], "usdt:/bin/sh:: it has a path and a name"),
        (["w:0:4", "w"], "watchpoint:0:4:w: watchpoint must be attached to a non-zero address"),
        (["w:1:3", "w"], "watchpoint:1:3:w: watchpoint length must be one of (1,2,4,8)"),
        (["w:1:4", "r"], "watchpoint:1:4:r: the modes of watchpoints are rw, w and x"),
        (["fexit:a:b", "c"], "fexit:a:b:c: it has one or two parts"),
    ],
)
def test_attach_point_of_parameters_that_cannot_be(words: list[str], message: str) -> None:
    assert error("late", "--", *words) == f"late.bt:1:1-6: ERROR: {message}\n$1:$2\n~~~~~\n"


def test_nothing_to_unwatch() -> None:
    result = run("unwatch", "-q")
    assert (result.returncode, result.stdout) == (0, "\n\n")
    assert result.stderr == (
        "unwatch.bt:1:9-34: WARNING: unwatch: no watchpoint has the address 0xf00\n"
        "BEGIN { unwatch(0xf00); exit(); }\n"
        "        ~~~~~~~~~~~~~~~~~~~~~~~~~\n"
    )
    assert run("unwatch", "-q", "--no-warnings").stderr == ""


def test_lost_events_are_counted() -> None:
    result = run("losses")
    # A record takes 16 bytes, and the ring buffer of 4096 is never quite full.
    assert result.stdout == "event\n" * 255 + "\n\n"
    assert result.stderr == "Attached 1 probe\nLost 345 events\nWARNING: Total lost event count: 345\n"


def test_exit_code_and_what_follows_exit() -> None:
    result = run("exit_code", "-q")
    assert (result.returncode, result.stdout, result.stderr) == (3, "end\n\n\n", "")


def test_tracepoint() -> None:
    process = subprocess.Popen(
        [TRACERS / "getpgid", str(os.getpid())], stdout=subprocess.PIPE, text=True, env={NOTICE: ""}
    )
    assert process.stdout
    assert process.stdout.readline() == f"{NOTICE}\n"
    for _ in range(100):
        os.getpgid(0)
    os.getpgid(1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "0\n" * 100 + "1\n\n\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent_tracepoint", "tracepoint: attach tracepoint:syscalls:sys_enter_nothing: not on this kernel"),
        ("absent_field", 'tracepoint: read field "nothing" of syscalls:sys_enter_getpgid: it is not on this kernel'),
        ("absent_function", "fentry: attach fentry:no_such_function: not on this kernel"),
    ],
)
def test_what_the_kernel_lacks_is_named(name: str, message: str) -> None:
    first = error(name).splitlines()[0]
    assert re.fullmatch(rf"{name}\.bt:1:\d+-\d+: ERROR: {re.escape(message)} \({re.escape(RELEASE)}\)", first)


def test_missing_probes() -> None:
    result = run("absent_allowed")
    assert (result.returncode, result.stdout) == (0, "begun\n\n\n")
    assert result.stderr == (
        "absent_tracepoint.bt:1:1-38: WARNING: No matches for tracepoint syscalls:sys_enter_nothing. Skipping.\n"
        "tracepoint:syscalls:sys_enter_nothing\n"
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "absent_tracepoint.bt:1:1-38: WARNING: Probe has no valid attach points. It is being removed which may "
        "cause issues with program behavior.\n"
        "tracepoint:syscalls:sys_enter_nothing\n"
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "Attached 1 probe\n"
    )
    assert error("all_absent") == "No probes to attach\n"


def test_program_that_the_verifier_refuses() -> None:
    summary = error("refused")
    assert "refused.bt:1:1-10: ERROR: bpf: load program program0: Permission denied\nBEGIN { }\n~~~~~~~~~\n" in summary
    assert "The verifier says (-v shows its whole log):\n" in summary
    assert "\nR5 !read_ok\n" in summary
    assert f"ERROR: bpf: time travel: needs Linux 99.0 or newer, this is {RELEASE}\n" in summary
    assert "processed" not in summary
    assert "processed 1 insns" in error("refused", "-v")


def test_without_privileges() -> None:
    # By its descriptor: the folders above it may be closed to others.
    with (TRACERS / "hello").open("rb") as program:
        result = subprocess.run(
            [f"/proc/self/fd/{program.fileno()}"],
            pass_fds=[program.fileno()],
            capture_output=True,
            text=True,
            check=False,
            user=65534,
            group=65534,
            extra_groups=[],
        )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("ERROR: bpf: ")
    assert result.stderr.endswith(": Operation not permitted: run as root or with CAP_BPF and CAP_PERFMON\n")


def test_process_that_is_not_there() -> None:
    assert error("hello", "-p", "4194304").startswith("ERROR: Failed to attach to pid: 4194304: ")
    assert error("hello", "-p", "12x") == "ERROR: Failed to parse pid: invalid trailing bytes: 12x\n"


def test_command() -> None:
    """It runs once the probes are attached, and the tracer ends with it."""
    result = run("getpgid", "-v", "-c", "/bin/sh -c exit", "1")
    assert result.returncode == 0, result.stderr
    assert "Child exited with code: 0\n" in result.stderr
    assert "Path '/no/such/program' does not exist" in error("getpgid", "-c", "/no/such/program", "1")
