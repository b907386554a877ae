"""A snapshot of a kernel that is up, and the default snapshot beside the very kernel that it describes."""

import os
from pathlib import Path

import pytest

from compiler.types.errors import SnapshotError
from compiler.types.kernel import Kernel
from compiler.types.snapshot_file import FileSnapshot, encode
from compiler.types.snapshot_folder import FolderSnapshot
from kernels import image
from tests.vm.machine import Machine

TRACEPOINTS = ("syscalls/sys_enter_openat", "sched/sched_process_exec", "sock/inet_sock_set_state")


@pytest.fixture(scope="module")
def folder(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the machine's kernel as kernels/collect.sh copies them: those that a slow serial line can carry."""
    folder = tmp_path_factory.mktemp("kernel")
    copies = {"uname": "/proc/sys/kernel/osrelease", "vmlinux.btf": "/sys/kernel/btf/vmlinux"}
    for name in TRACEPOINTS:
        copies[f"tracefs/events/{name}/format"] = f"/sys/kernel/tracing/events/{name}/format"
    for name, path in copies.items():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(machine.read(path))
    return folder


def test_snapshot_of_a_running_kernel(folder: Path, kernel_release: str) -> None:
    kernel = Kernel(FileSnapshot("made", encode(FolderSnapshot.at(folder))))
    assert (kernel.release, kernel.arch) == (kernel_release, "x86_64")
    exec_ = kernel.tracepoint("sched", "sched_process_exec")
    assert exec_ and exec_.member("filename")
    task = kernel.struct("task_struct")
    assert task and task.member("real_parent")
    assert kernel.function("vfs_read") and kernel.has_helper("ringbuf_output")


def test_types_in_the_image_are_those_of_the_running_kernel(folder: Path, kernel_release: str) -> None:
    data = Path(os.environ["VM_KERNEL"]).read_bytes()
    if kernel_release.startswith("6.1."):
        with pytest.raises(SnapshotError, match="packed in an unknown way"):  # LZ4, for which Python has no module
            image.read(data)
        return
    found = image.read(data)
    assert found.release == kernel_release
    assert found.btf == (folder / "vmlinux.btf").read_bytes()


def test_default_snapshot_is_of_this_kernel(folder: Path) -> None:
    default, running = Kernel.load(Path("kernels/default.snapshot")), Kernel.load(folder)
    if default.release != running.release:
        pytest.skip(f"the default snapshot is of {default.release}")
    ours, theirs = default.btf(), running.btf()
    assert ours and theirs and ours.btf.data == theirs.btf.data
    for name in TRACEPOINTS:
        category, event = name.split("/")
        assert default.tracepoint(category, event) == running.tracepoint(category, event)
