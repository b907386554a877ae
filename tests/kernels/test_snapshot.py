from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.types.errors import SnapshotError
from compiler.types.kernel import Kernel
from compiler.types.snapshot import VMLINUX, Snapshot, open_snapshot
from compiler.types.snapshot_file import FORMAT_VERSION, MAGIC, FileSnapshot, encode
from compiler.types.snapshot_folder import FolderSnapshot
from kernels import snapshot as tool
from proto.kernel_snapshot_pb2 import Blob, KernelSnapshot, Module, TracepointCategory
from tests.kernels.kernel_folder import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "kernel")


@pytest.fixture(params=["folder", "file"])
def snapshot(request: pytest.FixtureRequest, folder: Path) -> Snapshot:
    """The same kernel in both forms: every test that takes it holds for both."""
    from_folder = FolderSnapshot.at(folder)
    return from_folder if request.param == "folder" else FileSnapshot("test", encode(from_folder))


def test_contents(snapshot: Snapshot) -> None:
    assert (snapshot.release, snapshot.arch) == ("6.1.2-test", "x86_64")
    assert list(snapshot.modules) == [VMLINUX, "net"]
    assert set(snapshot.traceable(VMLINUX)) == {"vfs_read", "untyped"}
    assert set(snapshot.traceable("net")) == {"net_open"}
    assert set(snapshot.functions(VMLINUX)) == {"vfs_read", "untyped", "helper.constprop.0"}
    assert set(snapshot.objects(VMLINUX)) == {"jiffies", "counter"}
    assert set(snapshot.objects("net")) == {"net_table"}
    assert set(snapshot.traceable("absent")) == set()
    assert snapshot.btf("absent") is None
    assert list(snapshot.categories) == ["net", "syscalls"]
    assert list(snapshot.events("syscalls")) == ["sys_enter_close", "sys_enter_open"]
    assert list(snapshot.events("absent")) == []
    assert snapshot.format("syscalls", "absent") is snapshot.format("absent", "absent") is None


def test_membership_agrees_with_iteration(snapshot: Snapshot) -> None:
    names = ("vfs_read", "untyped", "helper.constprop.0", "jiffies", "counter", "not_in_the_symbol_table", "")
    for found in (snapshot.traceable(VMLINUX), snapshot.functions(VMLINUX), snapshot.objects(VMLINUX)):
        assert {name for name in names if name in found} == set(found)
        assert len(found) == len(set(found))


def test_kernel(snapshot: Snapshot) -> None:
    kernel = Kernel(snapshot)
    assert kernel.version == (6, 1)
    assert str(kernel.c_type("struct net_state *")) == "struct net_state *"
    net_state = kernel.struct("net_state")
    assert net_state and str(kernel.layout(net_state).fields[0].type) == "int32"
    assert not any(find("absent") for find in (kernel.struct, kernel.union, kernel.enum, kernel.typedef))
    counter = kernel.variable("counter")
    assert counter and str(counter[1]) == "int32"

    read = kernel.function("vfs_read")
    assert read and (read.module, [p.name for p in read.parameters]) == (VMLINUX, ["count"])
    opened = kernel.function("net_open")
    assert opened and opened.module == "net"
    assert kernel.function("net_open", VMLINUX) is kernel.function("net_open", "absent") is None
    assert kernel.function_module("net_open") == "net"
    assert kernel.has_function("helper.constprop.0") and not kernel.is_traceable("helper.constprop.0")
    assert kernel.is_traceable("untyped") and kernel.function("untyped") is None
    assert not kernel.has_function("not_in_the_symbol_table")
    assert list(kernel.traceable_functions()) == [(VMLINUX, "untyped"), (VMLINUX, "vfs_read"), ("net", "net_open")]
    assert kernel.has_symbol("jiffies") and kernel.has_symbol("net_open") and not kernel.has_symbol("absent")

    tracepoint = kernel.tracepoint("syscalls", "sys_enter_open")
    assert tracepoint and [str(field.type) for field in tracepoint.layout.fields] == ["uint16", "int8 *"]
    assert kernel.tracepoint("syscalls", "absent") is None

    assert kernel.has_helper("map_lookup_elem") and not kernel.has_helper("loop")
    assert kernel.has_program_type("BPF_PROG_TYPE_KPROBE") and not kernel.has_program_type("BPF_PROG_TYPE_LSM")
    assert kernel.has_map_type("BPF_MAP_TYPE_RINGBUF") and not kernel.has_map_type("BPF_MAP_TYPE_ARENA")
    assert kernel.has_attach_type("BPF_TRACE_FENTRY") and not kernel.has_attach_type("BPF_TRACE_KPROBE_MULTI")
    assert kernel.has_kfunc("net_open") and not kernel.has_kfunc("vfs_read")


def test_only_the_btf_is_required(tmp_path: Path) -> None:
    make_folder(tmp_path / "full")
    bare = tmp_path / "5.10.7"
    bare.mkdir()
    (tmp_path / "full/vmlinux.btf").rename(bare / "vmlinux.btf")
    kernel = Kernel.load(bare)
    assert kernel.release == "5.10.7" and kernel.version == (5, 10)
    assert kernel.tracepoint("a", "b") is None
    assert not kernel.is_traceable("vfs_read")
    assert list(kernel.tracepoint_categories) == []


def test_release_may_be_in_misc(folder: Path) -> None:
    (folder / "misc").mkdir()
    (folder / "uname").rename(folder / "misc/uname")
    assert FolderSnapshot.at(folder).release == "6.1.2-test"


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_arch(tmp_path: Path, arch: str) -> None:
    assert FolderSnapshot.at(make_folder(tmp_path, arch=arch)).arch == arch


def test_same_files_same_bytes(tmp_path: Path) -> None:
    one, two = (encode(FolderSnapshot.at(make_folder(tmp_path / name))) for name in ("one", "two"))
    assert one == two
    assert encode(FileSnapshot("test", one)) == one


# Damage


def test_not_a_folder_of_a_kernel(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"has no vmlinux\.btf"):
        open_snapshot(tmp_path)
    with pytest.raises(SnapshotError, match="No such file"):
        open_snapshot(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vmlinux.btf", b"x", r"vmlinux\.btf: BTF is shorter"),
        ("btf-modules/net.btf", b"x", r"net\.btf: BTF is shorter"),
        ("kallsyms", b"oops\n", "cannot read the line 'oops'"),
        ("tracefs/events/net/net_rx/format", b"x", "net:net_rx: format has no ID"),
    ],
)
def test_damaged_folder(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(SnapshotError, match=message):
        use_everything(FolderSnapshot.at(folder))


def test_unknown_architecture(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="neither x86_64 nor arm64"):
        _ = FolderSnapshot.at(make_folder(tmp_path, arch="m68k")).arch


def test_release_without_numbers(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="'next' is not a kernel release"):
        _ = Kernel.load(make_folder(tmp_path, release="next")).version


def header(version: int = FORMAT_VERSION) -> bytes:
    return MAGIC + version.to_bytes(4, "little")


def message(**fields: object) -> bytes:
    return header() + KernelSnapshot(format_version=FORMAT_VERSION, **fields).SerializeToString()  # type: ignore[arg-type]


def vmlinux(blob: Blob) -> list[Module]:
    return [Module(name=VMLINUX, btf=blob)]


@pytest.mark.parametrize(
    ("data", "message_part"),
    [
        (b"", "not a kernel snapshot"),
        (b"GIF89a" * 4, "not a kernel snapshot"),
        (header(99), "snapshot format 99, but this compiler reads format 1"),
        (header() + b"\xff\xff\xff", "damaged kernel snapshot"),
        (message(), "it has no vmlinux"),
        (message(modules=vmlinux(Blob(codec=Blob.ZLIB, size=4, data=b"1234"))), "BTF of vmlinux: Error -3"),
        (message(modules=vmlinux(Blob(codec=Blob.XZ, size=4, data=b"1234"))), "BTF of vmlinux"),
        (message(modules=vmlinux(Blob(codec=Blob.STORED, size=9, data=b"1234"))), "BTF of vmlinux is not 9 bytes"),
        (message(modules=vmlinux(Blob(size=1 << 31))), "BTF of vmlinux claims 2147483648 bytes"),
        (message(modules=vmlinux(Blob(size=4, data=b"1234"))), "BTF is shorter"),
    ],
)
def test_damaged_file(data: bytes, message_part: str) -> None:
    with pytest.raises(SnapshotError, match=message_part) as error:
        FileSnapshot("x.snapshot", data).btf(VMLINUX)
    assert str(error.value).startswith("x.snapshot: ")


def test_formats_must_be_as_many_as_events(folder: Path) -> None:
    stored = KernelSnapshot.FromString(encode(FolderSnapshot.at(folder))[12:])
    del stored.tracepoints[:]
    stored.tracepoints.append(TracepointCategory(name="a", events=["b", "c"], formats=Blob(size=2, data=b"x\0")))
    with pytest.raises(SnapshotError, match="formats of tracepoints a"):
        FileSnapshot("x", header() + stored.SerializeToString()).format("a", "b")


def test_any_damage_is_a_snapshot_error(folder: Path) -> None:
    original = encode(FolderSnapshot.at(folder))
    generator = random.Random(1)
    raised = 0
    for _ in range(300):
        data = bytearray(original)
        for _ in range(generator.randint(1, 3)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.2:
            del data[generator.randrange(len(data)) :]
        try:
            use_everything(FileSnapshot("x", bytes(data)))
        except SnapshotError:
            raised += 1
    assert raised > 0


def use_everything(snapshot: Snapshot) -> None:
    kernel = Kernel(snapshot)
    _ = kernel.release, kernel.arch
    for module in kernel.modules:
        for names in (snapshot.traceable(module), snapshot.functions(module), snapshot.objects(module)):
            assert len(names) == len(list(names))
    for category in kernel.tracepoint_categories:
        for event in kernel.tracepoint_events(category):
            kernel.tracepoint(category, event)
    kernel.struct("net_state")
    for _, name in kernel.traceable_functions():
        kernel.function(name)
    kernel.has_kfunc("vfs_read")


# The tool


def run_tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, tool.__file__, *arguments]
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_tool_makes_and_shows(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "k.snapshot"
    made = run_tool("make", "--from-folder", str(folder), "--name", "6.6.6-renamed", "-o", str(output))
    assert (made.returncode, made.stdout) == (0, "")
    size = output.stat().st_size
    assert made.stderr == f"{output}: 6.6.6-renamed (x86_64), {size} bytes\n"
    shown = run_tool("show", str(output))
    assert shown.returncode == 0
    assert "release:     6.6.6-renamed\n" in shown.stdout
    assert "tracepoints: 3\n" in shown.stdout
    assert "net                             4          1          1        1\n" in shown.stdout
    assert list(tmp_path.glob(".k.snapshot*")) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "usage: "),
        (("make",), "make: give -o FILE"),
        (("make", "-o", "x"), "give one of --from-running, --from-folder DIR"),
        (("make", "-o", "x", "--from-running", "--from-folder", "y"), "give one of --from-running, --from-folder"),
        (("make", "-o", "x", "--from-folder", "/nonexistent"), "/nonexistent: not a kernel's folder"),
        (("show", "/nonexistent"), "/nonexistent: No such file"),
    ],
)
def test_tool_errors(arguments: tuple[str, ...], error: str) -> None:
    failed = run_tool(*arguments)
    assert failed.returncode == 1 and failed.stdout == ""
    assert failed.stderr.startswith("snapshot: ") and error in failed.stderr and failed.stderr.count("\n") == 1


def test_tool_cannot_write(folder: Path) -> None:
    failed = run_tool("make", "--from-folder", str(folder), "-o", "/nonexistent/k.snapshot")
    assert failed.returncode == 1
    assert failed.stderr == "snapshot: make: /nonexistent/k.snapshot: No such file or directory\n"
