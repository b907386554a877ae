"""The compiler's command line: a bpftrace script in, a tracer object or a finished tracer out.

It takes the words of bpftrace's own command line that concern compiling (`-e`, `-I`, `--unsafe`, ...). Diagnostics go
to stderr; the exit code is 0, 1 for errors in the script or its use, 70 for an error of the compiler itself.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from compiler.backend import Backend, BackendError, Description

if TYPE_CHECKING:
    from compiler.analysis.program import AnalyzedProgram
    from compiler.pipeline import Timings
    from compiler.syntax import ast
    from compiler.syntax.diagnostics import DiagnosticSink
    from compiler.syntax.source import SourceFile
    from compiler.types.binary.binaries import Binaries
    from compiler.types.kernel import Kernel

_DUMPS = ("ast", "types", "ir", "asm", "resources")
_DEFAULT_SNAPSHOT = Path(__file__).resolve().parent.parent / "kernels" / "default.snapshot"
_ISSUES = "https://github.com/bpftrace/rules_bpftrace/issues"

EX_SOFTWARE = 70  # sysexits.h

_USAGE = """\
Compiles a bpftrace script ahead of time.

USAGE:
    bpftrace-compiler [options] FILE           compile a script
    bpftrace-compiler [options] -e PROGRAM     compile a program given as text
    bpftrace-compiler [options] -              compile what stdin holds

    bpftrace-compiler opensnoop.bt -o opensnoop.o
    bpftrace-compiler --link --shim=libshim.a --cc=musl-gcc opensnoop.bt -o opensnoop
    bpftrace-compiler --fmt --write opensnoop.bt
    bpftrace-compiler --dump=asm -e 'BEGIN { printf("hello\\n"); }'

What else is on the command line are the script's positional parameters, which then are fixed. Without any, the tracer
takes them when it runs. Variables such as BPFTRACE_MAX_STRLEN in the environment override the script's settings.
"""

_flags = flags.FlagValues()  # type: ignore[no-untyped-call]
_PROGRAM = flags.DEFINE_string("e", None, "The program, instead of a file.", flag_values=_flags)
_OUTPUT = flags.DEFINE_string("output", None, "File to write.", short_name="o", flag_values=_flags)
_SNAPSHOT = flags.DEFINE_string(
    "snapshot", str(_DEFAULT_SNAPSHOT), "Kernel snapshot, or a folder that holds a kernel's files.", flag_values=_flags
)
_ARCH = flags.DEFINE_enum(
    "arch", None, ["x86_64", "arm64", "aarch64"], "Target architecture. Default: the snapshot's.", flag_values=_flags
)
_MIN_KERNEL = flags.DEFINE_string(
    "min_kernel", "5.10", "Oldest kernel that the tracer has to run on.", flag_values=_flags
)
_DUMP = flags.DEFINE_enum("dump", None, _DUMPS, "Print a stage instead of writing a file.", flag_values=_flags)
_LINK = flags.DEFINE_bool("link", False, "Link a finished tracer; needs --shim.", flag_values=_flags)
_SHIM = flags.DEFINE_multi_string("shim", [], "Archive of the shim.", flag_values=_flags)
_CC = flags.DEFINE_string("cc", "cc", "C compiler to link with.", flag_values=_flags)
_CLANG = flags.DEFINE_string(
    "clang",
    None,
    "clang, for the C sources that the script imports. Default: the one on PATH; none with --hermetic.",
    flag_values=_flags,
)
_UNSAFE = flags.DEFINE_bool("unsafe", False, "Allow functions that change the system.", flag_values=_flags)
_VERBOSE = flags.DEFINE_bool("verbose", False, "Print how long each pass takes.", short_name="v", flag_values=_flags)
_TRACEBACK = flags.DEFINE_bool("traceback", False, "Print the traceback of an internal error.", flag_values=_flags)
_NO_WARNINGS = flags.DEFINE_bool("no-warnings", False, "Print no warnings.", flag_values=_flags)
_HELPER_ERRORS = flags.DEFINE_bool(
    "k", False, "Let the tracer warn of failed reads too, not only of other failed helpers.", flag_values=_flags
)
_INCLUDE_FOLDERS = flags.DEFINE_multi_string(
    "I", [], "Folder to look for included and imported files in.", flag_values=_flags
)
_INCLUDES = flags.DEFINE_multi_string(
    "include", [], "C header to include before the script's own definitions.", flag_values=_flags
)
_HERMETIC = flags.DEFINE_bool(
    "hermetic",
    False,
    "Use no file that is not named: no system headers. Whoever names them answers for them, so imports may come from "
    "folders that everybody may write to.",
    flag_values=_flags,
)
_CONFIG = flags.DEFINE_multi_string(
    "config", [], "A setting, NAME=VALUE; it overrides the script's and the environment's.", flag_values=_flags
)
_DRY_RUN = flags.DEFINE_bool(
    "dry-run",
    False,
    "Of the tracer; without effect here, as everything that it does is only compiled.",
    flag_values=_flags,
)
_FMT = flags.DEFINE_bool("fmt", False, "Format the script and print it.", flag_values=_flags)
_MODE = flags.DEFINE_enum(
    "mode",
    None,
    ["bench", "test", "format"],
    "format is --fmt. The others are for the tracer (as --test and --bench are) and mean nothing here: they are "
    "accepted so that a command line of bpftrace can be given as it is.",
    flag_values=_flags,
)
_TEST = flags.DEFINE_bool("test", False, "As --mode=test.", flag_values=_flags)
_BENCH = flags.DEFINE_bool("bench", False, "As --mode=bench.", flag_values=_flags)
_PROBE_FILTER = flags.DEFINE_string(
    "probe-filter",
    "",
    "Let the tracer run only probes whose name this regular expression matches somewhere; its own option "
    "--probe-filter overrides it.",
    flag_values=_flags,
)
_TRACEABLE = flags.DEFINE_string(
    "traceable-functions",
    None,
    "File with the kernel functions that can be traced, as in tracefs's available_filter_functions, instead of the "
    "snapshot's. (The tracer reads the target's own when it expands wildcards.)",
    flag_values=_flags,
)
_WRITE = flags.DEFINE_bool("write", False, "With --fmt, write the script back to its file.", flag_values=_flags)
_ROOT = flags.DEFINE_string(
    "root",
    None,
    "Folder that holds the target's file system. Debug information of binaries in it gives uprobes `args`, types and "
    "source lines.",
    flag_values=_flags,
)
_BINARIES = flags.DEFINE_multi_string(
    "binary",
    [],
    "NAME=FILE: the binary that attach points of the script call NAME. The tracer runs only with this build of it.",
    flag_values=_flags,
)
_DEBUG_FOLDERS = flags.DEFINE_multi_string(
    "debuginfo",
    [],
    "DIR[:DIR]: where to look for separate debug files, before .debug and /usr/lib/debug. Relative to the binary, or "
    "below --root.",
    flag_values=_flags,
)
_ANY_BUILD = flags.DEFINE_bool(
    "any_build",
    False,
    "Let the tracer run, with a warning, with other builds of binaries than it was compiled with.",
    flag_values=_flags,
)


class UsageError(Exception):
    """A command line that cannot be obeyed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What is there before a compilation begins: kernels by the path of their snapshot, and a backend."""

    kernels: Mapping[str, Kernel] = field(default_factory=dict)
    backend: Backend | None = None


def main(arguments: list[str] | None = None, ready: Ready = Ready()) -> int:
    """Runs the compiler with the words of a command line; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["--persistent_worker"]:
        backend = Backend()  # It imports LLVM while the next line imports all else.
        from compiler import worker

        return worker.serve(main, backend)
    try:
        if len(words) == 1 and words[0].startswith("@"):
            words = _words_of(words[0][1:])
        options = words[: words.index("--")] if "--" in words else words
        if any(word in ("-h", "--help", "-help") for word in options):
            sys.stdout.write(f"{_USAGE}\n{_flags.get_help()}\n")
            return 0
        _flags.unparse_flags()
        positional = _flags(["bpftrace-compiler", *words])[1:]
        return _run(positional, ready)
    except (flags.Error, UsageError) as error:
        sys.stderr.write(f"ERROR: {error}\n{_USAGE}See --help.\n")
        return 1
    except Exception as error:
        if _flags.is_parsed() and _TRACEBACK.value:
            traceback.print_exc()
        first_line = (str(error).splitlines() or [""])[0]
        sys.stderr.write(
            f"internal error: {type(error).__name__}: {first_line}\n"
            f"This is a bug of the compiler. Please report it with the script and what --traceback shows: {_ISSUES}\n"
        )
        return EX_SOFTWARE


def _words_of(file: str) -> list[str]:
    """A command line that is too long, or not known when the compiler starts, is in a file: a word a line."""
    try:
        return Path(file).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise UsageError(f"failed to open file '{file}': {error.strerror}") from None


def _run(positional: list[str], ready: Ready) -> int:
    if _PROGRAM.value is None and not positional:
        raise UsageError("no program: give a FILE, or -e PROGRAM")
    file, parameters = (None, positional) if _PROGRAM.value is not None else (positional[0], positional[1:])
    named = next((word for word in parameters if word.startswith("--")), None)
    if named:
        raise UsageError(f"{named}: named parameters are for the tracer to take")
    if _FMT.value or _MODE.value == "format":
        return _format(file)
    if _DUMP.value is None and _OUTPUT.value is None:
        raise UsageError("no output file: give -o FILE, or --dump=STAGE")
    if _LINK.value and not _SHIM.value:
        raise UsageError("--link needs the archive of the shim: --shim=FILE")
    # Before anything else is imported: the child imports LLVM meanwhile.
    backend = ready.backend or Backend()
    try:
        return _compile(backend, file, tuple(parameters), ready.kernels)
    finally:
        backend.close()


def _format(file: str | None) -> int:
    from compiler.syntax.diagnostics import DiagnosticSink
    from compiler.syntax.parser import parse
    from compiler.syntax.printer import print_program
    from compiler.syntax.source import encode

    if _WRITE.value and file in (None, "-"):
        raise UsageError("--write needs a FILE to write to")
    source = _source(file)
    sink = DiagnosticSink()
    program = parse(source, sink)
    if sink.has_errors:
        sys.stderr.write(sink.render(color=sys.stderr.isatty()))
        return 1
    text = encode(print_program(program))
    if not _WRITE.value:
        sys.stdout.buffer.write(text)
    elif text != encode(source.text):
        Path(source.name).write_bytes(text)
    return 0


def _compile(backend: Backend, file: str | None, parameters: tuple[str, ...], kernels: Mapping[str, Kernel]) -> int:
    from compiler import back, pipeline
    from compiler.analysis.c_definitions import Includes
    from compiler.analysis.c_sources import Compiler, DescribeError
    from compiler.analysis.imports import Search
    from compiler.arch import ARCHITECTURES
    from compiler.link import LinkError, link
    from compiler.object.features import features
    from compiler.object.tracer import tracer_object
    from compiler.syntax.diagnostics import DiagnosticSink
    from compiler.types.errors import BinaryError, SnapshotError
    from compiler.types.kernel import Kernel
    from compiler.types.traceable import read_traceable

    sink = DiagnosticSink()
    timings = pipeline.Timings()
    source = _source(file)
    try:
        with timings.measure("snapshot"):
            kernel = kernels.get(_SNAPSHOT.value) or Kernel.load(Path(_SNAPSHOT.value))
            if _TRACEABLE.value is not None:
                kernel = kernel.with_traceable(read_traceable(Path(_TRACEABLE.value)))
        options = pipeline.Options(
            arch=ARCHITECTURES[_ARCH.value or kernel.arch],
            min_kernel=_version(_MIN_KERNEL.value),
            unsafe=_UNSAFE.value,
            binaries=_binaries(),
            any_build=_ANY_BUILD.value,
            includes=Includes(_include_folders(kernel.arch), [Path(name) for name in _INCLUDES.value]),
            imports=Search([Path(name) for name in _INCLUDE_FOLDERS.value], trusted=_HERMETIC.value),
            clock_map=os.environ.get("BPFTRACE_DUMMY_TS_MAP", ""),
            environment=_environment(),
            parameters=parameters,
            c_compiler=Compiler(_clang(), [Path(name) for name in _INCLUDE_FOLDERS.value]),
        )

        def describe(bitcode: bytes) -> Description:
            try:
                return backend.describe(bitcode)
            except BackendError as error:
                raise DescribeError(str(error)) from None

        tree, program = pipeline.front(source, kernel, options, sink, timings, describe)
        if _DUMP.value in ("ast", "types"):
            return _print(_dump_tree(tree, program, typed=_DUMP.value == "types"))
        compiled = back.compile_program(
            program,
            backend,
            sink,
            timings,
            helper_errors=2 if _HELPER_ERRORS.value else 1,
            texts=_DUMP.value is not None,
        )
        compiled.resources.config.probe_filter = _PROBE_FILTER.value
        match _DUMP.value:
            case "ir":
                return _print(compiled.ir)
            case "asm":
                return _print(compiled.assembly)
            case "resources":
                return _print(str(compiled.resources))
        with timings.measure("tracer"):
            data = tracer_object(compiled.resources, features(compiled.resources))
            output = Path(_OUTPUT.value or "")
            if _LINK.value:
                link(data, _SHIM.value, _CC.value, output)
            else:
                output.write_bytes(data)
        return 0
    except pipeline.CompileError:
        return 1
    except (SnapshotError, BinaryError, LinkError) as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"ERROR: {error.filename}: {error.strerror}\n")
        return 1
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        raise
    finally:
        _report(sink, timings)


def _source(file: str | None) -> SourceFile:
    from compiler.syntax.source import SourceFile, decode

    if file is None:
        return SourceFile("stdin", _PROGRAM.value or "")
    if file == "-":
        return SourceFile("stdin", decode(sys.stdin.buffer.read()))
    try:
        return SourceFile.read(Path(file))
    except OSError as error:
        raise UsageError(f"failed to open file '{file}': {error.strerror}") from None


def _include_folders(arch: str) -> list[Path]:
    """Those that are named, then the system's."""
    triple = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[arch]
    system = ["/usr/local/include", f"/usr/include/{triple}", "/usr/include"]
    return [Path(name) for name in [*_INCLUDE_FOLDERS.value, *([] if _HERMETIC.value else system)]]


def _binaries() -> Binaries:
    from compiler.types.binary.binaries import Binaries

    named = {}
    for word in _BINARIES.value:
        name, equals, file = word.partition("=")
        if not (name and equals and file):
            raise UsageError(f"--binary takes NAME=FILE, not {word}")
        named[name] = Path(file)
    # A `+` asks bpftrace to check the file's checksum, which is done in any case.
    folders = [folder.lstrip("+") for word in _DEBUG_FOLDERS.value for folder in word.split(":") if folder]
    return Binaries(named, Path(_ROOT.value) if _ROOT.value else None, folders)


def _clang() -> str | None:
    if _CLANG.value is not None or _HERMETIC.value:
        return _CLANG.value
    return shutil.which("clang")


def _environment() -> Mapping[str, str]:
    """With what --config sets, as the variables that set the same."""
    from compiler.analysis.config import SETTINGS

    environment = dict(os.environ)
    for text in _CONFIG.value:
        name, equals, value = text.partition("=")
        if not equals or name not in SETTINGS:
            raise UsageError(f"--config takes NAME=VALUE with the name of a setting, not {text}")
        environment[f"BPFTRACE_{name.upper()}"] = value
    return environment


def _version(text: str) -> tuple[int, int]:
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise UsageError(f"--min_kernel takes a version such as 5.10, not {text}")
    return int(major), int(minor)


def _print(text: str) -> int:
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    return 0


def _dump_tree(tree: ast.Program, program: AnalyzedProgram, *, typed: bool) -> str:
    from compiler.syntax import dump

    if not typed:
        return dump.dump(tree)
    return "\n".join(dump.dump(bpf.probe) for bpf in program.programs if bpf.halves is None)


def _report(sink: DiagnosticSink, timings: Timings) -> None:
    from compiler.syntax.diagnostics import Severity

    color = sys.stderr.isatty()
    for diagnostic in sink:
        if diagnostic.severity is Severity.ERROR or not _NO_WARNINGS.value:
            sys.stderr.write(diagnostic.render(color=color))
    if _VERBOSE.value:
        for name, seconds in timings.seconds.items():
            sys.stderr.write(f"{name:>14} {seconds * 1000:8.1f} ms\n")


if __name__ == "__main__":
    sys.exit(main())
