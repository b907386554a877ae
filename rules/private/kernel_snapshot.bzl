"""kernel_snapshot."""

load("//rules:providers.bzl", "KernelSnapshotInfo")

def _kernel_snapshot_impl(ctx):
    return [
        DefaultInfo(files = depset([ctx.file.src])),
        KernelSnapshotInfo(snapshot = ctx.file.src),
    ]

kernel_snapshot = rule(
    implementation = _kernel_snapshot_impl,
    doc = """\
A kernel snapshot, for the attribute `kernel` of the other rules.

    kernel_snapshot(
        name = "fleet",
        src = "linux-6.12-amd64.snapshot",
    )
""",
    attrs = {
        "src": attr.label(
            doc = "The snapshot file, made by //kernels:snapshot.",
            allow_single_file = True,
            mandatory = True,
        ),
    },
    provides = [KernelSnapshotInfo],
)
