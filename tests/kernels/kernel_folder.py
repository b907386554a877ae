"""A made-up kernel's files, as `FolderSnapshot` reads them."""

from __future__ import annotations

from pathlib import Path

from compiler.types.btf import Btf, Kind
from tests.types.btf_writer import BtfWriter

FORMAT = """\
name: {event}
ID: 7
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:const char * filename;\toffset:8;\tsize:8;\tsigned:0;

print fmt: "%s", REC->filename
"""

KALLSYMS = """\
ffffffff81000000 T vfs_read
ffffffff81000100 T __pfx_vfs_read
ffffffff81000200 t helper.constprop.0
ffffffff81000300 D jiffies
ffffffff81000400 d local.12
ffffffff81000500 A counter
ffffffffc0000000 t net_open\t[net]
ffffffffc0000100 d net_table\t[net]
ffffffffc0000200 t bpf_prog_12_x\t[bpf]
"""


def make_folder(folder: Path, *, release: str = "6.1.2-test", arch: str = "x86_64") -> Path:
    vmlinux = BtfWriter()
    number = vmlinux.integer("int", 32, signed=True)
    vmlinux.integer("char", 8, signed=True)
    if arch == "x86_64":
        vmlinux.struct("pt_regs", 8, ("orig_ax", number, 0))
    elif arch == "arm64":
        vmlinux.struct("user_pt_regs", 8, ("sp", number, 0))
    vmlinux.function("vfs_read", number, ("count", number))
    vmlinux.function("not_in_the_symbol_table", number)
    vmlinux.add(Kind.VAR, "counter", number, 1)
    vmlinux.enum("bpf_func_id", ("BPF_FUNC_unspec", 0), ("BPF_FUNC_map_lookup_elem", 1))
    vmlinux.enum("bpf_prog_type", ("BPF_PROG_TYPE_KPROBE", 2))
    vmlinux.enum("bpf_map_type", ("BPF_MAP_TYPE_RINGBUF", 27))
    vmlinux.enum("bpf_attach_type", ("BPF_TRACE_FENTRY", 24))
    base = Btf(vmlinux.bytes())
    module = BtfWriter(first_id=len(base), first_string=base.strings_end)
    module.struct("net_state", 4, ("open", number, 0))
    module.function("net_open", number)
    module.add(Kind.DECL_TAG, "bpf_kfunc", module.first_id + 2, -1)

    def put(name: str, data: bytes) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    put("vmlinux.btf", vmlinux.bytes())
    put("btf-modules/net.btf", module.bytes())
    for category, event in (("syscalls", "sys_enter_open"), ("syscalls", "sys_enter_close"), ("net", "net_rx")):
        put(f"tracefs/events/{category}/{event}/format", FORMAT.format(event=event).encode())
    put("tracefs/events/syscalls/enable", b"0\n")
    put("tracefs/available_filter_functions", b"vfs_read\n__ftrace_invalid_address___4\nnet_open [net]\nuntyped\n")
    put("kallsyms", KALLSYMS.encode())
    put("uname", f"{release}\n".encode())
    return folder
