"""bpftrace_toolchain and the name of its type."""

load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load("//rules:providers.bzl", "BpftraceToolchainInfo", "KernelSnapshotInfo")

TOOLCHAIN_TYPE = Label("//rules:toolchain_type")

def _bpftrace_toolchain_impl(ctx):
    return [platform_common.ToolchainInfo(bpftrace = BpftraceToolchainInfo(
        clang = ctx.attr.clang[DefaultInfo].files_to_run if ctx.attr.clang else None,
        compiler = ctx.attr.compiler[DefaultInfo].files_to_run,
        kernel = ctx.attr.kernel[KernelSnapshotInfo],
        persistent_worker = ctx.attr.persistent_worker,
        shim = ctx.attr.shim[CcInfo],
    ))]

bpftrace_toolchain = rule(
    implementation = _bpftrace_toolchain_impl,
    doc = """\
Compiler, shim and default kernel snapshot, to be registered with a `toolchain` of type `@rules_bpftrace//rules:toolchain_type`.

    bpftrace_toolchain(
        name = "our_kernel",
        clang = "@llvm//:clang",  # for scripts that import C sources
        kernel = ":fleet",
    )

    toolchain(
        name = "our_kernel_toolchain",
        toolchain = ":our_kernel",
        toolchain_type = "@rules_bpftrace//rules:toolchain_type",
    )
""",
    attrs = {
        "clang": attr.label(
            doc = "clang with the BPF target, of a version up to 22 (that of the compiler's LLVM). Only scripts that " +
                  "import C sources (`.bpf.c`) need it.",
            allow_files = True,
            cfg = "exec",
            executable = True,
        ),
        "compiler": attr.label(
            doc = "The compiler; another one must take the same arguments.",
            cfg = "exec",
            default = Label("//compiler:bpftrace_compiler"),
            executable = True,
        ),
        "kernel": attr.label(
            doc = "The kernel_snapshot for targets that name none.",
            default = Label("//kernels:default"),
            providers = [KernelSnapshotInfo],
        ),
        "persistent_worker": attr.bool(
            doc = "Whether the compiler can stay for further compilations: it takes its arguments in a file `@FILE` too, " +
                  "and `--persistent_worker` makes it a worker that speaks JSON.",
            default = True,
        ),
        "shim": attr.label(
            doc = "The C runtime: a cc_library with main().",
            default = Label("//shim"),
            providers = [CcInfo],
        ),
    },
)
