"""Providers of the rules."""

BpftraceInfo = provider(
    doc = "What bpftrace_binary made of a script.",
    fields = {
        "kernel": "KernelSnapshotInfo of the kernel that the script was compiled against",
        "object": "File: the tracer object, an ELF relocatable whose section .bpftrace holds the payload",
        "source": "File: the script",
    },
)

BpftraceToolchainInfo = provider(
    doc = "What it takes to make a tracer; `bpftrace` of the ToolchainInfo of //rules:toolchain_type.",
    fields = {
        "clang": "FilesToRunProvider of clang, for C sources that scripts import, or None",
        "compiler": "FilesToRunProvider of the compiler: `compiler SCRIPT --hermetic --snapshot FILE --arch ARCH -o OBJECT`",
        "kernel": "KernelSnapshotInfo used where a target names none",
        "persistent_worker": "bool: whether the compiler also takes `@FILE`, and `--persistent_worker`, which makes it a JSON worker",
        "shim": "CcInfo of the C runtime, which defines main()",
    },
)

BpftraceLibraryInfo = provider(
    doc = "Files that scripts import or include.",
    fields = {
        "files": "depset of File: those of the library and of all that it depends on",
        "has_c_sources": "bool: whether there is a C source among them, which takes clang to compile",
        "roots": "depset of string: folders that their paths in the workspace are relative to",
    },
)

KernelSnapshotInfo = provider(
    doc = "What the compiler must know of a kernel.",
    fields = {"snapshot": "File: a kernel snapshot as kernels/ makes it"},
)
