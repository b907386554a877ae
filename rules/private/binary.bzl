"""bpftrace_binary."""

load("@rules_cc//cc:find_cc_toolchain.bzl", "use_cc_toolchain")
load("//rules:providers.bzl", "BpftraceInfo", "BpftraceLibraryInfo", "KernelSnapshotInfo")
load("//rules/private:library.bzl", "library_info")
load("//rules/private:link.bzl", "link_tracer")
load("//rules/private:toolchain.bzl", "TOOLCHAIN_TYPE")

# The compiler's names of the target architectures, by the CPU constraint of @platforms that stands for each.
_ARCHITECTURES = {
    "@platforms//cpu:aarch64": "arm64",
    "@platforms//cpu:x86_64": "x86_64",
}

# https://bazel.build/remote/persistent; JSON, so that the compiler need not load protobuf before it has work to do.
_WORKER = {
    "requires-worker-protocol": "json",
    "supports-workers": "1",
}

def _target_arch(ctx):
    for constraint, arch in ctx.attr._architectures.items():
        if ctx.target_platform_has_constraint(constraint[platform_common.ConstraintValueInfo]):
            return arch
    fail("{}: no support for the CPU of the target platform; supported: {}".format(
        ctx.label,
        ", ".join(sorted(_ARCHITECTURES.values())),
    ))

def _traced_file(ctx, target):
    """The one file of a target of uprobe_targets: a program, or a shared library."""
    executable = target[DefaultInfo].files_to_run.executable
    files = [executable] if executable else target[DefaultInfo].files.to_list()
    if len(files) != 1:
        fail("{}: uprobe_targets: {} is not one file but {}: {}".format(
            ctx.label,
            target.label,
            len(files),
            ", ".join([file.basename for file in files]),
        ))
    return files[0]

def _check_words(ctx, attribute, words):
    """They go into a file with a word a line."""
    for word in words:
        if "\n" in word:
            fail("{}: {}: a line break in {}".format(ctx.label, attribute, repr(word)))

def _bpftrace_binary_impl(ctx):
    toolchain = ctx.toolchains[TOOLCHAIN_TYPE].bpftrace
    kernel = ctx.attr.kernel[KernelSnapshotInfo] if ctx.attr.kernel else toolchain.kernel

    library = library_info(ctx, [])
    traced = {name: _traced_file(ctx, target) for target, name in ctx.attr.uprobe_targets.items()}
    if len(traced) < len(ctx.attr.uprobe_targets):
        fail("{}: uprobe_targets: two targets with one name".format(ctx.label))

    _check_words(ctx, "config", ctx.attr.config.values())
    _check_words(ctx, "parameters", ctx.attr.parameters)

    object = ctx.actions.declare_file(ctx.label.name + ".bpf.o")
    args = ctx.actions.args()
    if toolchain.persistent_worker:
        # A worker gets the words of each action in such a file; one that is started alone reads it itself.
        args.use_param_file("@%s", use_always = True)
        args.set_param_file_format("multiline")
    args.add(ctx.file.src)
    args.add("--hermetic")
    args.add("--snapshot", kernel.snapshot)
    args.add("--arch", _target_arch(ctx))
    args.add_all(library.roots, before_each = "-I")
    if ctx.attr.min_kernel:
        args.add("--min_kernel", ctx.attr.min_kernel)
    if ctx.attr.unsafe:
        args.add("--unsafe")
    for setting, value in ctx.attr.config.items():
        args.add("--config", "{}={}".format(setting, value))
    for name, file in traced.items():
        args.add("--binary", file, format = name.replace("%", "%%") + "=%s")
    if ctx.attr.any_build:
        args.add("--any_build")
    tools = []
    if library.has_c_sources and toolchain.clang:
        args.add("--clang", toolchain.clang.executable)
        tools.append(toolchain.clang)
    args.add("-o", object)
    if ctx.attr.parameters:
        args.add("--")
        args.add_all(ctx.attr.parameters)
    ctx.actions.run(
        arguments = [args],
        executable = toolchain.compiler,
        execution_requirements = _WORKER if toolchain.persistent_worker else {},
        inputs = depset([ctx.file.src, kernel.snapshot] + traced.values(), transitive = [library.files]),
        mnemonic = "BpftraceCompile",
        outputs = [object],
        progress_message = "Compiling tracer %{label}",
        toolchain = TOOLCHAIN_TYPE,
        tools = tools,
    )

    executable = ctx.actions.declare_file(ctx.label.name)
    link_tracer(ctx, object = object, shim = toolchain.shim, output = executable)
    return [
        DefaultInfo(
            executable = executable,
            files = depset([executable]),
            runfiles = ctx.runfiles([executable]),
        ),
        BpftraceInfo(kernel = kernel, object = object, source = ctx.file.src),
        OutputGroupInfo(object = depset([object])),
    ]

bpftrace_binary = rule(
    implementation = _bpftrace_binary_impl,
    doc = """\
A tracer: one fully static executable made of a bpftrace script.

    bpftrace_binary(
        name = "opensnoop",
        src = "opensnoop.bt",
    )

The output group `object` holds the object with the payload, before it is linked with the shim.
""",
    attrs = {
        "any_build": attr.bool(
            doc = "Let the tracer run with other builds of its uprobe_targets too. It warns then, and what it reads may be " +
                  "wrong. Probes at source lines always want the very build.",
        ),
        "config": attr.string_dict(
            doc = "Settings such as {\"max_strlen\": \"64\"}; they override those of the script's config block.",
        ),
        "deps": attr.label_list(
            doc = "Libraries that the script imports.",
            providers = [BpftraceLibraryInfo],
        ),
        "kernel": attr.label(
            doc = "The kernel_snapshot to compile against. Default: the toolchain's.",
            providers = [KernelSnapshotInfo],
        ),
        "min_kernel": attr.string(
            doc = "The oldest kernel that the tracer has to run on, such as \"6.1\". What the script needs and that " +
                  "kernel lacks is a build error; what newer kernels do better is used on them alone. " +
                  "Default: \"5.10\".",
        ),
        "parameters": attr.string_list(
            doc = "The script's positional parameters, $1 and so on. Without any, the tracer takes them when it runs; with " +
                  "some, all of them are fixed, and may stand wherever the language wants a literal.",
        ),
        "src": attr.label(
            doc = "The script.",
            allow_single_file = [".bt"],
            mandatory = True,
        ),
        "unsafe": attr.bool(
            doc = "Allow functions that change the system, such as signal() and system().",
        ),
        "uprobe_targets": attr.label_keyed_string_dict(
            doc = """\
Programs and shared libraries that the script traces, each with the name that it has in the script's attach points: where
the target host has it, or what is found there through `PATH` or, for a library, by the dynamic linker.

    bpftrace_binary(
        name = "orders",
        src = "orders.bt",  # uprobe:/usr/bin/shop:order { printf("%d\\n", args.item->price); }
        uprobe_targets = {":shop": "/usr/bin/shop"},
    )

Functions and USDT probes that they do not have are build errors. From their debug information come `args`, types and source
lines. The tracer runs with this very build alone, which it knows by the build id; the host's copy may be stripped. So a
`cc_binary` needs

    copts = ["-g"],
    linkopts = ["-Wl,--build-id"],

and, because Bazel strips debug information unless it builds with `-c opt` or `-c dbg`, `build --strip=never` in .bazelrc.
""",
            allow_files = True,
        ),
        "_architectures": attr.label_keyed_string_dict(
            default = {Label(constraint): arch for constraint, arch in _ARCHITECTURES.items()},
        ),
        # Where C toolchains are not yet resolved by platform, rules_cc finds the toolchain here.
        "_cc_toolchain": attr.label(default = Label("@bazel_tools//tools/cpp:current_cc_toolchain")),
    },
    executable = True,
    fragments = ["cpp"],
    provides = [BpftraceInfo],
    toolchains = [TOOLCHAIN_TYPE] + use_cc_toolchain(mandatory = True),
)
