"""The pinned default snapshot, held against what `bpftool btf dump` and tracefs say of the same kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.types.kernel import Kernel
from compiler.types.lattice import AddressSpace, Pointer

SNAPSHOT = Path("kernels/default.snapshot")


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return Kernel.load(SNAPSHOT)


def test_identity(kernel: Kernel) -> None:
    assert (kernel.release, kernel.arch, kernel.version) == ("6.12.107+deb13-cloud-amd64", "x86_64", (6, 12))
    vmlinux = kernel.btf()
    assert vmlinux and len(vmlinux.btf) == 108151
    assert {"xfs", "nf_tables", "kvm"} < set(kernel.modules)
    assert SNAPSHOT.stat().st_size < 2_100_000


@pytest.mark.parametrize(
    ("struct", "size", "member", "type_", "offset", "bitfield"),
    [
        ("task_struct", 9792, "pid", "int32", 19456, 0),
        ("task_struct", 9792, "tgid", "int32", 19488, 0),
        ("task_struct", 9792, "real_parent", "struct task_struct *", 19584, 0),
        ("task_struct", 9792, "comm", "string[16]", 23808, 0),
        ("task_struct", 9792, "sched_reset_on_fork", "uint32", 18848, 1),
        ("task_struct", 9792, "in_execve", "uint32", 18883, 1),
        ("sock", 776, "__sk_common", "struct sock_common", 0, 0),
        ("sock_common", 136, "skc_daddr", "uint32", 0, 0),  # in an anonymous structure in an anonymous union
        ("sock_common", 136, "skc_dport", "uint16", 96, 0),
        ("sock_common", 136, "skc_family", "uint16", 128, 0),
        ("sock_common", 136, "skc_v6_daddr", "struct in6_addr", 448, 0),
    ],
)
def test_member(kernel: Kernel, struct: str, size: int, member: str, type_: str, offset: int, bitfield: int) -> None:
    found = kernel.struct(struct)
    assert found and found.size == size
    field = found.member(member)
    assert field and (str(field.type), field.offset, field.bitfield) == (type_, offset, bitfield)


def test_access_path_leads_to_the_member(kernel: Kernel) -> None:
    """Walk each path of two large structures by hand: it ends at the member's name and offset."""
    source = kernel.btf()
    assert source
    btf = source.btf
    for name in ("task_struct", "sock_common"):
        found = kernel.struct(name)
        assert found and len(found.fields) > 20
        for field in found.fields:
            at, offset, last = field.owner, 0, ""
            for index in field.path:
                member = btf.members(at)[index]
                at, offset, last = btf.strip(member.type), offset + member.offset, member.name
            assert (last, offset) == (field.name, field.offset)


def test_functions(kernel: Kernel) -> None:
    function = kernel.function("tcp_v4_connect")
    assert function and [f"{p.type} {p.name}" for p in function.parameters] == [
        "struct sock * sk",
        "struct sockaddr * uaddr",
        "int32 addr_len",
    ]
    assert str(function.result.type) == "int32"
    assert kernel.is_traceable("tcp_v4_connect") and not kernel.is_traceable("__x64_sys_nothing")
    assert kernel.function_module("xfs_file_open") == "xfs"
    assert len(list(kernel.traceable_functions())) == 45_511
    assert kernel.has_symbol("jiffies")


def test_tracepoint(kernel: Kernel) -> None:
    openat = kernel.tracepoint("syscalls", "sys_enter_openat")
    assert openat and openat.space is AddressSpace.USER
    assert {field.name: (str(field.type), field.byte_offset) for field in openat.layout.fields[5:]} == {
        "dfd": ("int64", 16),
        "filename": ("uint8 *", 24),
        "flags": ("int64", 32),
        "mode": ("uint64", 40),
    }
    filename = openat.member("filename")
    assert filename and isinstance(filename.type, Pointer)


def test_every_tracepoint_reads(kernel: Kernel) -> None:
    names = [
        (category, event) for category in kernel.tracepoint_categories for event in kernel.tracepoint_events(category)
    ]
    assert len(names) == 2284
    for category, event in names:
        tracepoint = kernel.tracepoint(category, event)
        assert tracepoint and all(str(field.type) not in ("none", "") for field in tracepoint.layout.fields)


def test_bpf_abilities(kernel: Kernel) -> None:
    assert kernel.has_helper("get_current_task_btf") and not kernel.has_helper("nothing")
    assert kernel.has_map_type("BPF_MAP_TYPE_RINGBUF")
    assert kernel.has_program_type("BPF_PROG_TYPE_TRACING")
    assert kernel.has_attach_type("BPF_TRACE_KPROBE_MULTI")
    assert kernel.has_kfunc("bpf_rcu_read_lock") and not kernel.has_kfunc("vfs_read")
