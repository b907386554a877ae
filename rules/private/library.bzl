"""bpftrace_library."""

load("//rules:providers.bzl", "BpftraceLibraryInfo")

# How the names of C sources end.
C_SOURCE = ".bpf.c"

def _root(file):
    """The folder that the path of a file in its workspace is relative to: a source tree or an output tree."""
    repository = file.owner.workspace_root
    return "/".join([part for part in [file.root.path, repository] if part]) or "."

def library_info(ctx, files):
    """All files of a target and of its `deps`.

    Args:
      ctx: of a rule with the attribute `deps`
      files: the target's own
    """
    dependencies = [dependency[BpftraceLibraryInfo] for dependency in ctx.attr.deps]
    return BpftraceLibraryInfo(
        has_c_sources = any(
            [file.basename.endswith(C_SOURCE) for file in files] +
            [info.has_c_sources for info in dependencies],
        ),
        files = depset(files, transitive = [info.files for info in dependencies]),
        roots = depset([_root(file) for file in files], transitive = [info.roots for info in dependencies]),
    )

def _bpftrace_library_impl(ctx):
    files = ctx.files.srcs + ctx.files.hdrs
    return [DefaultInfo(files = depset(files)), library_info(ctx, files)]

bpftrace_library = rule(
    implementation = _bpftrace_library_impl,
    doc = """\
Scripts, C sources and C headers that other scripts import.

    bpftrace_library(
        name = "net",
        srcs = ["net.bt"],
        hdrs = ["net.h"],
    )

    bpftrace_binary(
        name = "tcpconnect",
        src = "tcpconnect.bt",
        deps = [":net"],
    )

A script names what it imports relative to its own folder, or to the root of the workspace (or of the repository that
the library is from): `import "net.bt";` or `import "tracers/net.bt";`. Headers are found in the same ways. They are
compiled where they are imported, against the kernel of that target. C sources (`import "net.bpf.c";`) need a toolchain
with the attribute `clang`; see docs/c_sources.md.
""",
    attrs = {
        "deps": attr.label_list(
            doc = "Libraries that these files import.",
            providers = [BpftraceLibraryInfo],
        ),
        "hdrs": attr.label_list(
            doc = "C headers.",
            allow_files = [".h"],
        ),
        "srcs": attr.label_list(
            doc = "Scripts and C sources.",
            allow_files = [".bt", C_SOURCE],
        ),
    },
    provides = [BpftraceLibraryInfo],
)
