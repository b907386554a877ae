"""The toolchain of this workspace: the default one, and the clang on PATH for scripts that import C sources."""

_BUILD = """\
load("{defs}", "bpftrace_toolchain")

bpftrace_toolchain(
    name = "bpftrace",
    clang = {clang},
)

toolchain(
    name = "toolchain",
    target_compatible_with = ["@platforms//os:linux"],
    toolchain = ":bpftrace",
    toolchain_type = "{type}",
)
"""

def _clang_repository_impl(rctx):
    clang = rctx.which("clang")
    if clang:
        rctx.symlink(clang, "clang")

    # Without one, all but scripts with C sources builds; they say what is missing.
    rctx.file("BUILD.bazel", _BUILD.format(
        clang = repr(":clang") if clang else None,
        defs = Label("//rules:defs.bzl"),
        type = Label("//rules:toolchain_type"),
    ))

clang_repository = repository_rule(
    implementation = _clang_repository_impl,
    doc = "A bpftrace toolchain with the machine's clang, if it has one.",
    configure = True,
    environ = ["PATH"],
    local = True,
)

def _clang_impl(_mctx):
    clang_repository(name = "rules_bpftrace_clang")

clang = module_extension(
    implementation = _clang_impl,
    doc = "The bpftrace toolchain of this workspace, as @rules_bpftrace_clang//:toolchain.",
)
