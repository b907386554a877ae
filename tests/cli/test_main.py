"""The command line: what is written, what is printed, how it ends."""

from pathlib import Path

import pytest

from compiler import main as cli
from compiler.backend import Backend, BackendError
from compiler.codegen import generator

HELLO = 'BEGIN { printf("hello\\n"); }'


def run(*words: str | Path) -> int:
    return cli.main([str(word) for word in words])


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "hello.bt"
    path.write_text(HELLO)
    return path


def test_object_of_a_file_and_of_a_text(script: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first.o", tmp_path / "second.o"
    assert run(script, "-o", first) == 0
    assert run("-e", HELLO, "-o", second) == 0
    assert first.read_bytes()[:4] == second.read_bytes()[:4] == b"\x7fELF"
    assert capfd.readouterr() == ("", "")


def test_same_input_same_bytes(script: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name for name in ("a", "b")]
    for output in outputs:
        assert run(script, "-o", output) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("ast", "printf"),
        ("types", "printf"),
        ("ir", "define"),
        ("asm", "call 130"),
        ("resources", 'name: "ringbuf"'),
    ],
)
def test_dumps(stage: str, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--dump", stage, "-e", HELLO) == 0
    assert expected in capfd.readouterr().out


def test_errors_of_the_script_go_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "x.o"
    assert run("-e", "BEGIN { nonsense(1); }", "-o", output) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("stdin:1:9-20: ERROR: Unknown function: 'nonsense'\n")
    assert not output.exists()


def test_parameters_and_environment(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BPFTRACE_PRINT_MAPS_ON_EXIT", "0")
    assert run("--dry-run", "--dump", "resources", "-e", "$1 { print($2); }", "--", "i:ms:5", "word") == 0
    out = capfd.readouterr().out
    assert 'name: "interval:ms:5"' in out
    assert "position:" not in out
    assert "print_maps_on_exit" not in out


def test_config_overrides_script_and_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BPFTRACE_STR_TRUNC_TRAILER", "!")
    script = 'config = { max_cat_bytes = 5 } BEGIN { cat("x"); }'
    words = ["--config=max_cat_bytes=77", "--config", "str_trunc_trailer=?", "--dump", "resources", "-e", script]
    assert run(*words) == 0
    out = capfd.readouterr().out
    assert "max_cat_bytes: 77" in out
    assert 'str_trunc_trailer: "?"' in out


def test_warnings_can_be_silenced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words: list[str | Path] = ["-e", "BEGIN { $a = (int64)-10; print($a / 3); }", "-o", tmp_path / "x.o"]
    assert run(*words) == 0
    assert "WARNING" in capfd.readouterr().err
    assert run("--no-warnings", *words) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-e", HELLO], "no output file"),
        (["-o", "x"], "no program"),
        (["--nonsense", "-e", HELLO], "Unknown command line flag 'nonsense'"),
        (["--nonsense", "-e", HELLO], "USAGE:"),
        (["-o", "x", "-e", HELLO, "--", "--name=1"], "--name=1: named parameters are for the tracer to take"),
        (["--link", "-o", "x", "-e", HELLO], "--link needs the archive of the shim"),
        (["--dump", "nothing", "-e", HELLO], "dump"),
        (
            ["--dump", "ast", "--config", "nosuch=1", "-e", HELLO],
            "--config takes NAME=VALUE with the name of a setting",
        ),
        (["--min_kernel", "new", "--dump", "ast", "-e", HELLO], "--min_kernel takes a version"),
        (["/nowhere/x.bt", "-o", "x"], "failed to open file '/nowhere/x.bt': No such file or directory"),
        (["--snapshot", "/nowhere", "-o", "x", "-e", HELLO], "/nowhere"),
    ],
)
def test_bad_use(words: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 1
    err = capfd.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_output_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("-e", HELLO, "-o", tmp_path / "no" / "x.o") == 1
    assert "No such file or directory" in capfd.readouterr().err


def test_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capfd.readouterr().out
    assert "-e PROGRAM" in out
    assert "--snapshot" in out


def test_words_behind_two_dashes_are_parameters(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each to its end: in a file of words, too, only a line feed ends one."""
    words = ["--dump", "resources", "-e", "BEGIN { print(str($1)); print(str($2)); }", "--", "-h", "one\u2028two\x0c"]
    assert run(*words) == 0
    direct = capfd.readouterr().out
    assert "USAGE" not in direct
    path = tmp_path / "words"
    path.write_text("".join(f"{word}\n" for word in words))
    assert run(f"@{path}") == 0
    assert capfd.readouterr().out == direct


def test_an_internal_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(generator, "run", broken)
    assert run("-e", HELLO, "-o", tmp_path / "x") == cli.EX_SOFTWARE
    err = capfd.readouterr().err
    assert err.startswith("internal error: KeyError: 'oops'\n")
    assert "report it" in err
    assert "Traceback" not in err


def test_traceable_functions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of our own takes the place of the snapshot's, also an empty one."""
    functions = tmp_path / "functions"
    command = ["--dump=resources", "--traceable-functions", str(functions), "-e", "kprobe:vfs_read { }"]
    functions.write_text("")
    assert cli.main(command) == 1
    assert "ERROR: No matches for kprobe vfs_read." in capsys.readouterr().err
    assert cli.main(["--unsafe", *command]) == 0
    assert "WARNING: vfs_read is not traceable" in capsys.readouterr().err
    functions.write_text("vfs_read\nnf_tables_newtable [nf_tables]\n")
    assert cli.main(command) == 0
    assert capsys.readouterr().err == ""


_GOOD_IR = 'target triple = "bpf"\ndefine i64 @f() nounwind section "program.f" { ret i64 7 }\n'


@pytest.mark.parametrize(
    ("ir", "message"),
    [
        ("nonsense", "expected top-level entity"),
        # LLVM ends its process with exit(1) here.
        (
            'target triple = "bpf"\n'
            'define i64 @f(i64 %a, i64 %b) nounwind section "program.f" { %x = sdiv i64 %a, %b\n ret i64 %x }\n',
            "LLVM",
        ),
        # And with abort() here.
        (
            'target triple = "bpf"\n'
            'define i64 @f(ptr %p) nounwind section "program.f" {\n'
            " %x = atomicrmw min ptr %p, i64 1 seq_cst\n ret i64 %x }\n",
            "SIGABRT",
        ),
    ],
)
def test_llvm_cannot_take_the_compiler_along(ir: str, message: str) -> None:
    backend = Backend()
    before = backend.compile_ir(_GOOD_IR)
    with pytest.raises(BackendError, match=message):
        backend.compile_ir(ir)
    assert backend.compile_ir(_GOOD_IR) == before
    backend.close()
