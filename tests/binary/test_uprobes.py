"""What analysis makes of uprobes whose binary it knows."""

from __future__ import annotations

from pathlib import Path

from compiler import pipeline
from compiler.analysis.program import AnalyzedProgram
from compiler.arch import X86_64
from compiler.object import probes
from compiler.object.tables import Tables
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import SourceFile
from compiler.types.binary.binaries import Binaries
from compiler.types.binary.elf import Elf
from compiler.types.lattice import Struct
from proto import required_resources_pb2 as pb
from tests.analysis.harness import kernel


def analyze(text: str, file: Path | None, *, any_build: bool = False) -> AnalyzedProgram | str:
    """The program, or what was reported; `file` is the binary that the script calls /bin/it."""
    sink = DiagnosticSink()
    binaries = Binaries({} if file is None else {"/bin/it": file})
    options = pipeline.Options(X86_64, binaries=binaries, any_build=any_build)
    try:
        return pipeline.front(SourceFile("it.bt", text), kernel(), options, sink)[1]
    except pipeline.CompileError:
        return sink.render()


def analyzed(text: str, file: Path, *, any_build: bool = False) -> AnalyzedProgram:
    result = analyze(text, file, any_build=any_build)
    assert isinstance(result, AnalyzedProgram), result
    return result


def first_line(result: AnalyzedProgram | str) -> str:
    assert isinstance(result, str)
    return result.splitlines()[0].partition("ERROR: ")[2]


def probe_of(program: AnalyzedProgram) -> pb.Probe:
    return probes.describe(program.programs[0].attach_points[0], 0, Tables(pb.RequiredResources()), {})


def test_args_and_types(folder: Path) -> None:
    program = analyzed(
        """
        uprobe:/bin/it:plain {
            print((args.a, args.c->inner.name, args.c->matrix[1][2], args.d, args.c->high));
            print(((struct inner *)arg4)->bytes);
            print(sizeof(struct shape));
            print((uint64)GREEN);
        }""",
        folder / "whole.so",
    )
    values = [str(action.fields[0].type) for action in program.actions]
    assert values[0] == "(int32,string[8],int32,enum color,uint32)"
    assert values[1] == "string[4]"


def test_args_as_a_whole(folder: Path) -> None:
    program = analyzed("uprobe:/bin/it:with_floats { @ = args; print(@.d); }", folder / "whole.so")
    value = program.maps[0].value_type
    assert isinstance(value, Struct)
    assert [(field.name, field.byte_offset) for field in value.fields] == [("b", 0), ("d", 8)]
    refused = analyze("uprobe:/bin/it:with_floats { @ = args; print(@.a); }", folder / "whole.so")
    assert first_line(refused) == "'a' is not in a copy of args: its type is not supported"


def test_the_kernel_has_what_the_binary_has_not(folder: Path) -> None:
    analyzed("uprobe:/bin/it:plain { print(((struct task_struct *)arg0)->pid); }", folder / "whole.so")


def test_the_message_has_build_id_and_address(folder: Path) -> None:
    elf = Elf(folder / "whole.so")
    symbol = elf.function("plain")
    assert symbol is not None and elf.build_id
    for body in ("", "print(args.a);"):
        uprobe = probe_of(analyzed(f"uprobe:/bin/it:plain {{ {body} }}", folder / "whole.so")).uprobe
        assert (uprobe.function, uprobe.address, uprobe.build_id) == ("plain", symbol.address, elf.build_id)
    pattern = probe_of(analyzed("uprobe:/bin/it:pl* { }", folder / "whole.so")).uprobe
    assert (pattern.function, pattern.address, pattern.build_id) == ("pl*", 0, elf.build_id)


def test_source_lines(folder: Path) -> None:
    probe = probe_of(analyzed("uprobe:/bin/it@shapes.c:82 { }", folder / "whole.so"))
    assert probe.name == f"uprobe:/bin/it:{probe.uprobe.address}"
    assert probe.uprobe.address and not probe.uprobe.function
    for point, message in (
        ("uprobe:/bin/it@shapes.c", "Invalid uprobe arguments, expected format: uprobe:TARGET@FILE:LINE[:COL]"),
        ("uprobe:/bin/it@shapes.c:x", "Invalid line number: invalid integer: x"),
        ("uprobe:/bin/it@shapes.c:82:x", "Invalid column number: invalid integer: x"),
        ("uprobe:/bin/it@nothing.c:82", "DWARF error: No compilation unit matches nothing.c"),
        ("uprobe:/bin/i*@shapes.c:82", "Cannot use wildcards with source code location"),
        ("uretprobe:/bin/it@shapes.c:82", "Source code location not allowed"),
        (
            "uprobe:/bin/other@shapes.c:82",
            "No DWARF debug info found for '/bin/other', cannot attach by source code location.",
        ),
    ):
        assert first_line(analyze(f"{point} {{ }}", folder / "whole.so")) == message


def test_what_the_binary_does_not_have(folder: Path) -> None:
    missing = analyze("uprobe:/bin/it:plains { }", folder / "whole.so")
    assert first_line(missing) == "No matches for uprobe /bin/it:plains."
    assert isinstance(missing, str) and "HINT: Did you mean plain?" in missing
    assert analyzed("config = { missing_probes = warn } uprobe:/bin/it:no { } begin { }", folder / "whole.so")
    for point in ("usdt:/bin/it:no", "uprobe:/bin/it:0x10"):
        assert first_line(analyze(f"{point} {{ }}", folder / "whole.so")).startswith("No matches for")
    argument = analyze("uprobe:/bin/it:plain { print(args.x); }", folder / "whole.so")
    assert first_line(argument) == "Can't find function parameter x"
    double = analyze("uprobe:/bin/it:with_floats { print(args.c); }", folder / "whole.so")
    assert first_line(double) == "c is not passed where a probe can read it"


def test_args_that_are_not_known(folder: Path) -> None:
    prefix = 'Could not parse arguments of "uprobe:'
    unknown = analyze("uprobe:/bin/other:f { print(args.x); }", folder / "whole.so")
    assert first_line(unknown) == f'{prefix}/bin/other:f": no debuginfo found for /bin/other'
    assert isinstance(unknown, str) and "HINT: The compiler looks only at binaries that it is told of" in unknown
    many = analyze("uprobe:/bin/it:pl* { print(args.a); }", folder / "whole.so")
    assert first_line(many) == f'{prefix}/bin/it:pl*": it stands for many functions'
    bare = analyze("uprobe:/bin/it:plain { print(args.a); }", folder / "bare.so")
    assert first_line(bare) == f'{prefix}/bin/it:plain": no debuginfo found for /bin/it'
    assert isinstance(bare, str) and "HINT: Compile it with -g." in bare


def test_a_binary_without_build_id(folder: Path) -> None:
    message = "/bin/it has no build id, so that the tracer could not tell it from other builds"
    assert first_line(analyze("uprobe:/bin/it:plain { }", folder / "nameless.so")) == message
    program = analyzed("uprobe:/bin/it:plain { print(args.a); }", folder / "nameless.so", any_build=True)
    assert program.any_build
    # What is attached by address fits no other build.
    assert first_line(analyze("uprobe:/bin/it@shapes.c:82 { }", folder / "nameless.so", any_build=True)) == message
