"""C sources, from the import to the resources of the tracer.

In place of clang stands a script that gives what clang made of sample.bpf.c, sample.ll:

    clang -target bpf -mcpu=v3 -O2 -g -fno-builtin -S -emit-llvm sample.bpf.c
"""

from __future__ import annotations

import re
from pathlib import Path

import llvmlite.binding as llvm
import pytest
from google.protobuf import text_format

from compiler import main as cli
from compiler.types.btf import Btf
from proto import required_resources_pb2 as pb

_FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def bitcode() -> bytes:
    module = llvm.parse_assembly((_FOLDER / "sample.ll").read_text())
    data = module.as_bitcode()
    assert isinstance(data, bytes)
    return data


class Compilation:
    """A folder with a script, the C source that it imports, and something that can be run as clang."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        folder.chmod(0o755)
        self.folder = folder
        self.capfd = capfd
        (folder / "sample.bpf.c").write_text((_FOLDER / "sample.bpf.c").read_text())

    def clang(self, output: bytes, *, says: str = "", status: int = 0) -> None:
        (self.folder / "output").write_bytes(output)
        (self.folder / "says").write_text(says.replace("DIR", str(self.folder)))
        script = self.folder / "clang"
        script.write_text(
            f'#!/bin/sh\necho "$@" >>{self.folder}/arguments\ncat {self.folder}/says >&2\ncat {self.folder}/output\n'
            f"exit {status}\n"
        )
        script.chmod(0o755)

    def run(self, body: str, *, definitions: str = "") -> tuple[int, str]:
        """Compiles; the exit code, and what went to stderr, with the folder as DIR."""
        script = self.folder / "main.bt"
        script.write_text(f'{definitions}import "sample.bpf.c";\n{body}\n')
        status = cli.main([str(script), "--clang", str(self.folder / "clang"), "--dump=resources"])
        out, err = self.capfd.readouterr()
        self.output = out
        return status, err.replace(str(self.folder), "DIR")

    def resources(self, body: str, *, definitions: str = "") -> pb.RequiredResources:
        status, errors = self.run(body, definitions=definitions)
        assert (status, errors) == (0, "")
        return text_format.Parse(self.output, pb.RequiredResources())


@pytest.fixture
def compilation(tmp_path: Path, capfd: pytest.CaptureFixture[str], bitcode: bytes) -> Compilation:
    result = Compilation(tmp_path, capfd)
    result.clang(bitcode)
    return result


def test_functions_of_every_type(compilation: Compilation) -> None:
    body = """
    BEGIN {
      $own = (struct own *)0;
      print((tally(3), both(true, 44), small(-1), normal(), thread(curtask), letter(curtask)));
      nothing(1);
      print((same($own).a, same($own).task.pid));
    }"""
    resources = compilation.resources(body, definitions="struct own { int a; struct task_struct *task; };")
    assert len(resources.programs) == 1


def test_nothing_is_called_that_can_be_inlined(compilation: Compilation) -> None:
    resources = compilation.resources("BEGIN { print(small(3)); print(thread(curtask)); }")
    btf = Btf(resources.btf)
    names = {btf.name(function.btf_type) for program in resources.programs for function in program.functions}
    assert not {name for name in names if name.startswith(("small", "thread"))}


def test_callbacks_are_subprograms(compilation: Compilation) -> None:
    resources = compilation.resources("BEGIN { print(tally(3)); }")
    (program,) = resources.programs
    names = [Btf(resources.btf).name(function.btf_type) for function in program.functions]
    assert names[0] == program.name
    assert any(name.startswith("visit") for name in names)


def compile_two(compilation: Compilation, ir: str) -> pb.RequiredResources:
    """A script that imports two sources: that of `ir`, and one that differs only in the names that it defines for
    others: `tally2` and so on.
    """
    folder = compilation.folder
    names = r'(@|name: ")(thread|letter|normal|tally|both|small|same|nothing|limit)\b'
    for source, text in (("sample", ir), ("second", re.sub(names, r"\g<1>\g<2>2", ir))):
        (folder / f"{source}.bpf.c").touch()
        (folder / source).write_bytes(llvm.parse_assembly(text, llvm.create_context()).as_bitcode())
    (folder / "clang").write_text(
        f'#!/bin/sh\ncase "$*" in *second*) cat {folder}/second ;; *) cat {folder}/sample ;; esac\n'
    )
    return compilation.resources("BEGIN { print(tally(3)); print(tally2(3)); }", definitions='import "second.bpf.c";\n')


def test_static_functions_of_one_name(compilation: Compilation) -> None:
    resources = compile_two(compilation, (_FOLDER / "sample.ll").read_text())
    (program,) = resources.programs
    names = [Btf(resources.btf).name(function.btf_type) for function in program.functions]
    assert sum(name.startswith("visit") for name in names) == 2


@pytest.mark.parametrize(("linkage", "number"), [("dso_local", 1), ("internal", 2)])
def test_maps_of_one_name(compilation: Compilation, linkage: str, number: int) -> None:
    ir = (_FOLDER / "sample.ll").read_text().replace("@counts = dso_local", f"@counts = {linkage}")
    is_local = "true" if linkage == "internal" else "false"
    ir = re.sub(r'(DIGlobalVariable\(name: "counts",.*isLocal:) false', rf"\1 {is_local}", ir)
    resources = compile_two(compilation, ir)
    maps = [index for index, map_ in enumerate(resources.maps) if map_.name == "counts"]
    assert len(maps) == number
    assert {constant.map.map for constant in resources.constants if constant.HasField("map")} >= set(maps)


def test_maps_and_data(compilation: Compilation) -> None:
    resources = compilation.resources("BEGIN { print(tally(3)); }")
    maps = {map_.name: map_ for map_ in resources.maps}
    counts = maps["counts"]
    assert (counts.bpf_type, counts.key_size, counts.value_size, counts.max_entries) == (1, 4, 8, 16)
    assert counts.role == pb.Map.SCRATCH
    assert not maps["bss"].frozen
    assert maps["rodata"].frozen
    assert maps["rodata"].initial_value[:4] == b"\x05\0\0\0"


def test_relocations(compilation: Compilation) -> None:
    resources = compilation.resources("BEGIN { print((thread(curtask), letter(curtask), normal())); }")
    found = {constant.core.description: constant for constant in resources.constants if constant.HasField("core")}
    kind = pb.CoreRelocation
    assert {description: constant.core.kind for description, constant in found.items()} == {
        "struct task_struct.pid": kind.FIELD_BYTE_OFFSET,
        "struct task_struct.comm[2]": kind.FIELD_BYTE_OFFSET,
        "enum zone_type.ZONE_NORMAL": kind.ENUM_VALUE,
    }
    assert found["struct task_struct.comm[2]"].core.local_value == 6
    assert found["enum zone_type.ZONE_NORMAL"].core.local_value == 1
    span = resources.spans[found["struct task_struct.pid"].span]
    assert (span.line, span.text.strip()) == (31, b"bpf_probe_read_kernel(&r, 4, &t->pid);")


def test_clang_sees_no_header_of_the_machine(compilation: Compilation) -> None:
    compilation.resources("BEGIN { }")
    arguments = (compilation.folder / "arguments").read_text().split()
    assert "-nostdinc" in arguments
    assert arguments[arguments.index("-c") + 1] == str(compilation.folder / "sample.bpf.c")
    assert "-D__TARGET_ARCH_x86" in arguments


def test_import_inside_of_a_block(compilation: Compilation) -> None:
    script = compilation.folder / "main.bt"
    text = 'BEGIN { if (1) { import "sample.bpf.c"; print(small(1)); } }'
    clang = str(compilation.folder / "clang")
    script.write_text(f"config = {{ unstable_import_statement = enable }}\n{text}")
    assert cli.main([str(script), "--clang", clang, "--dump=resources"]) == 0
    assert compilation.capfd.readouterr().err == ""
    script.write_text(text)
    assert cli.main([str(script), "--clang", clang, "--dump=resources"]) == 1
    assert "ERROR: Import statements that are not at the top level are primarily" in compilation.capfd.readouterr().err


def with_declarations(bitcode: bytes, text: str) -> bytes:
    """The bitcode with more IR at its end."""
    ir = str(llvm.parse_bitcode(bitcode, llvm.create_context()))
    data = llvm.parse_assembly(f"{ir}\n{text}", llvm.create_context()).as_bitcode()
    assert isinstance(data, bytes)
    return data


_CALLS_KERNEL = """
declare i64 @{name}(ptr) section ".ksyms"
define dso_local i64 @user(ptr %p) {{
  %tested = icmp ne ptr {tested}, null
  %r = call i64 @{name}(ptr %p)
  %s = select i1 %tested, i64 %r, i64 0
  ret i64 %s
}}
"""


@pytest.mark.parametrize(
    ("name", "tested", "message"),
    [
        ("bpf_map_sum_elem_count", "%p", ""),
        ("bpf_map_sum_elem_count", "@bpf_map_sum_elem_count", "the address of a kernel function"),
        ("bpf_no_such", "%p", "'bpf_no_such' is no function of the kernel 6.12"),
    ],
)
def test_kernel_functions(compilation: Compilation, bitcode: bytes, name: str, tested: str, message: str) -> None:
    compilation.clang(with_declarations(bitcode, _CALLS_KERNEL.format(name=name, tested=tested)))
    status, errors = compilation.run("BEGIN { print(small(1)); }")
    assert (status, message in errors) == (int(bool(message)), True)


def test_what_no_source_defines(compilation: Compilation, bitcode: bytes) -> None:
    text = "declare i64 @elsewhere()\ndefine i64 @user() {\n%r = call i64 @elsewhere()\nret i64 %r\n}\n"
    compilation.clang(with_declarations(bitcode, text))
    assert "'elsewhere' is declared, but no imported C source defines it" in compilation.run("BEGIN { }")[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("thread(1)", "Expected struct task_struct * for argument `t` got int8"),
        ('small("x")', "Expected int8 for argument `x` got string[2]"),
        ("small(1, 2)", "Function `small` requires 1 arguments, got 2"),
        ("tally()", "Function `tally` requires 1 arguments, got only 0"),
        ("visit(1, 2, 3, 4)", "Unsupported function linkage: 'visit'"),
        ("taly(1)", "Unknown function: 'taly'"),
    ],
)
def test_wrong_calls(compilation: Compilation, call: str, message: str) -> None:
    status, errors = compilation.run(f"BEGIN {{ print({call}); }}")
    assert status == 1
    assert f"ERROR: {message}\n" in errors


def test_a_name_that_is_nearly_right(compilation: Compilation) -> None:
    assert compilation.run("BEGIN { print(taly(1)); }")[1].endswith("HINT: Did you mean tally?\n")


def test_errors_point_into_the_source(compilation: Compilation) -> None:
    compilation.clang(b"", says="DIR/sample.bpf.c:31:3: error: something is wrong\n1 error generated.\n", status=1)
    assert compilation.run("BEGIN { }") == (
        1,
        "DIR/sample.bpf.c:31:3-24: ERROR: something is wrong\n"
        "  bpf_probe_read_kernel(&r, 4, &t->pid);\n"
        "  ~~~~~~~~~~~~~~~~~~~~~\n"
        "DIR/main.bt:1:1-22: ERROR: imported here\n"
        'import "sample.bpf.c";\n'
        "~~~~~~~~~~~~~~~~~~~~~\n",
    )


def test_warnings_do_not_end_it(compilation: Compilation, bitcode: bytes) -> None:
    compilation.clang(bitcode, says="DIR/sample.bpf.c:31:3: warning: this is odd [-Wodd]\n")
    status, errors = compilation.run("BEGIN { }")
    assert status == 0
    assert errors.startswith("DIR/sample.bpf.c:31:3-24: WARNING: this is odd [-Wodd]\n")


def test_vmlinux_is_written_when_it_is_missed(compilation: Compilation) -> None:
    compilation.clang(b"", says="DIR/sample.bpf.c:1:10: fatal error: 'vmlinux.h' file not found\n", status=1)
    assert "'vmlinux.h' file not found" in compilation.run("BEGIN { }")[1]
    assert len((compilation.folder / "arguments").read_text().splitlines()) == 2


def test_what_is_no_bitcode(compilation: Compilation) -> None:
    compilation.clang(b"nonsense")
    status, errors = compilation.run("BEGIN { }")
    assert status == 1
    assert errors.startswith("DIR/main.bt:1:1-22: ERROR: DIR/sample.bpf.c: ")


def test_what_not_even_clang_makes_code_of(compilation: Compilation) -> None:
    """LLVM refuses the bitcode, and clang, asked for the reason, ends without a place in the source."""
    script = 'case "$*" in *-emit-llvm*) echo nonsense ;; *) echo "error in backend: it cannot be" >&2; exit 1 ;; esac'
    (compilation.folder / "clang").write_text(f"#!/bin/sh\n{script}\n")
    status, errors = compilation.run("BEGIN { }")
    assert status == 1
    assert errors.startswith("DIR/main.bt:1:1-22: ERROR: DIR/clang failed: error in backend: it cannot be\n")


def test_a_clang_that_cannot_be_run(compilation: Compilation) -> None:
    (compilation.folder / "clang").unlink()
    assert "ERROR: DIR/clang: No such file or directory\n" in compilation.run("BEGIN { }")[1]


def test_without_clang(compilation: Compilation) -> None:
    script = compilation.folder / "main.bt"
    script.write_text('import "sample.bpf.c";\nBEGIN { }\n')
    assert cli.main([str(script), "--hermetic", "--dump=resources"]) == 1
    assert compilation.capfd.readouterr().err.replace(str(compilation.folder), "DIR") == (
        "DIR/main.bt:1:1-22: ERROR: importing C sources needs clang: sample.bpf.c\n"
        'import "sample.bpf.c";\n'
        "~~~~~~~~~~~~~~~~~~~~~\n"
        "HINT: Name one: the attribute `clang` of bpftrace_toolchain, or --clang=PROGRAM where the compiler is run by "
        "hand.\n"
    )
