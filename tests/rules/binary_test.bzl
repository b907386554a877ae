"""What bpftrace_binary makes of its attributes: actions, their arguments, providers, errors."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//rules:defs.bzl", "bpftrace_binary", "bpftrace_library")
load("//rules:providers.bzl", "BpftraceInfo")

_PACKAGE = "tests/rules"

def _on(cpu, **options):
    """Settings under which a target is analysed for a CPU, with the toolchains of this package."""
    options["extra_toolchains"] = [str(Label("//tests/rules:any_cc")), str(Label("//tests/rules:any_bpftrace"))]
    options["platforms"] = [str(Label("//tests/rules:linux_" + cpu))]
    return {"//command_line_option:" + name: value for name, value in options.items()}

def _action(env, mnemonic):
    """The one action of a mnemonic."""
    found = [action for action in analysistest.target_actions(env) if action.mnemonic == mnemonic]
    asserts.equals(env, 1, len(found), "number of actions " + mnemonic)
    return found[0]

def _short_argv(action):
    """Arguments without the output folder, whose name has the configuration in it."""
    return [
        _PACKAGE + argument.split("/bin/" + _PACKAGE)[1] if "/bin/" + _PACKAGE in argument else argument
        for argument in action.argv
    ]

def _compile_test_impl(ctx):
    env = analysistest.begin(ctx)
    action = _action(env, "BpftraceCompile")
    name = analysistest.target_under_test(env).label.name
    asserts.equals(env, [
        "tests/rules/compiler",
        "tests/rules/minimal.bt",
        "--hermetic",
        "--snapshot",
        "tests/rules/" + ctx.attr.snapshot,
        "--arch",
        ctx.attr.arch,
    ] + ctx.attr.options + [
        "-o",
        "tests/rules/{}.bpf.o".format(name),
    ] + ctx.attr.parameters, _short_argv(action))
    asserts.equals(
        env,
        sorted(["minimal.bt", ctx.attr.snapshot]),
        sorted([file.basename for file in action.inputs.to_list() if "compiler" not in file.basename]),
        "declared inputs besides the compiler",
    )
    asserts.equals(env, [], [argument for argument in action.argv if argument.startswith("/")], "absolute paths")
    asserts.equals(env, {}, action.env, "environment")
    return analysistest.end(env)

_COMPILE_ATTRS = {
    "arch": attr.string(mandatory = True),
    "options": attr.string_list(),
    "parameters": attr.string_list(),
    "snapshot": attr.string(default = "default.snapshot"),
}

_compile_test = analysistest.make(_compile_test_impl, attrs = _COMPILE_ATTRS, config_settings = _on("x86_64"))
_arm64_test = analysistest.make(_compile_test_impl, attrs = _COMPILE_ATTRS, config_settings = _on("aarch64"))

def _link_test_impl(ctx):
    env = analysistest.begin(ctx)
    argv = _short_argv(_action(env, "BpftraceLink"))
    asserts.equals(env, "/usr/bin/any-gcc", argv[0], "the linker is the C toolchain's")
    for flag in ["-static", "-Wl,--gc-sections", "-Wl,--build-id=sha1"]:
        asserts.true(env, flag in argv, "{} in {}".format(flag, argv))
    asserts.equals(env, ctx.attr.strips, "-Wl,--strip-all" in argv, "strips")
    asserts.equals(env, ["tests/rules/minimal.bpf.o", "tests/rules/libshim.a"], argv[-2:], "object before archive")
    asserts.equals(env, [], [path for path in argv[1:] if path.startswith("/")], "absolute paths")
    return analysistest.end(env)

_LINK_ATTRS = {"strips": attr.bool(mandatory = True)}

_link_test = analysistest.make(_link_test_impl, attrs = _LINK_ATTRS, config_settings = _on("x86_64"))
_link_dbg_test = analysistest.make(_link_test_impl, attrs = _LINK_ATTRS, config_settings = _on("x86_64", compilation_mode = "dbg"))

def _deps_test_impl(ctx):
    env = analysistest.begin(ctx)
    action = _action(env, "BpftraceCompile")
    argv = [argument.split("/")[0] + "/.../bin" if argument.endswith("/bin") else argument for argument in action.argv]
    includes = [argv[index + 1] for index, argument in enumerate(argv) if argument == "-I"]
    asserts.equals(env, [".", "bazel-out/.../bin"], sorted(includes))
    asserts.equals(
        env,
        ["first.bt", "first.h", "generated.h", "second.bt"],
        sorted([file.basename for file in action.inputs.to_list() if file.extension in ("bt", "h") and file.basename != "minimal.bt"]),
        "libraries, and those that they depend on",
    )
    return analysistest.end(env)

_deps_test = analysistest.make(_deps_test_impl, config_settings = _on("x86_64"))

def _clang_test_impl(ctx):
    env = analysistest.begin(ctx)
    action = _action(env, "BpftraceCompile")
    argv = _short_argv(action)
    found = [argument for flag, argument in zip(argv, argv[1:]) if flag == "--clang"]
    asserts.equals(env, ["tests/rules/clang"] if ctx.attr.wanted else [], found)
    asserts.equals(env, ctx.attr.wanted, "clang" in [file.basename for file in action.inputs.to_list()], "is an input")
    return analysistest.end(env)

_clang_test = analysistest.make(_clang_test_impl, attrs = {"wanted": attr.bool()}, config_settings = _on("x86_64"))

def _uprobe_targets_test_impl(ctx):
    env = analysistest.begin(ctx)
    action = _action(env, "BpftraceCompile")
    argv = action.argv
    start = argv.index("--binary")
    made = argv[start + 1]
    asserts.true(env, made.startswith("shop=bazel-out/") and made.endswith("/tests/rules/compiler"), made)
    asserts.equals(env, ["--binary", "/usr/bin/a%b=tests/rules/first.bt", "--any_build", "-o"], argv[start + 2:-1])
    inputs = [file.basename for file in action.inputs.to_list()]
    asserts.true(env, "first.bt" in inputs and "compiler" in inputs, "both are inputs")
    return analysistest.end(env)

_uprobe_targets_test = analysistest.make(_uprobe_targets_test_impl, config_settings = _on("x86_64"))

def _providers_test_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.equals(env, "minimal.bpf.o", target[BpftraceInfo].object.basename)
    asserts.equals(env, "minimal.bt", target[BpftraceInfo].source.basename)
    asserts.equals(env, "default.snapshot", target[BpftraceInfo].kernel.snapshot.basename)
    asserts.equals(env, ["minimal"], [file.basename for file in target[DefaultInfo].files.to_list()])
    asserts.equals(env, "minimal", target[DefaultInfo].files_to_run.executable.basename)
    asserts.equals(env, ["minimal.bpf.o"], [file.basename for file in target[OutputGroupInfo].object.to_list()])
    return analysistest.end(env)

_providers_test = analysistest.make(_providers_test_impl, config_settings = _on("x86_64"))

def _failure_test_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, ctx.attr.message)
    return analysistest.end(env)

_FAILURE_ATTRS = {"message": attr.string(mandatory = True)}

_failure_test = analysistest.make(_failure_test_impl, attrs = _FAILURE_ATTRS, config_settings = _on("x86_64"), expect_failure = True)
_riscv_test = analysistest.make(_failure_test_impl, attrs = _FAILURE_ATTRS, config_settings = _on("riscv64"), expect_failure = True)

def _subject(name, **kwargs):
    bpftrace_binary(name = name, tags = ["manual"], **kwargs)
    return ":" + name

def binary_test_suite(name):
    """All tests of bpftrace_binary.

    Args:
      name: the test suite
    """
    minimal = _subject("minimal", src = "minimal.bt")
    other_kernel = _subject("other_kernel", src = "minimal.bt", kernel = ":other")
    _compile_test(name = "compile_test", arch = "x86_64", target_under_test = minimal)
    _compile_test(name = "compile_other_kernel_test", arch = "x86_64", snapshot = "other.snapshot", target_under_test = other_kernel)
    _compile_test(
        name = "compile_options_test",
        arch = "x86_64",
        options = ["--min_kernel", "6.1", "--unsafe", "--config", "max_strlen=64"],
        parameters = ["--", "kprobe:vfs_read", "-5"],
        target_under_test = _subject(
            "options",
            src = "minimal.bt",
            config = {"max_strlen": "64"},
            min_kernel = "6.1",
            parameters = [
                "kprobe:vfs_read",
                "-5",
            ],
            unsafe = True,
        ),
    )
    _arm64_test(name = "compile_arm64_test", arch = "arm64", target_under_test = minimal)
    _link_test(name = "link_test", strips = True, target_under_test = minimal)
    _link_dbg_test(name = "link_dbg_test", strips = False, target_under_test = minimal)
    _providers_test(name = "providers_test", target_under_test = minimal)
    native.genrule(
        name = "generated_header",
        outs = ["generated.h"],
        cmd = "touch $@",
        tags = ["manual"],
    )
    bpftrace_library(name = "second", srcs = ["second.bt"], hdrs = ["generated.h"], tags = ["manual"])
    bpftrace_library(name = "first", srcs = ["first.bt"], hdrs = ["first.h"], tags = ["manual"], deps = [":second"])
    _deps_test(name = "deps_test", target_under_test = _subject("with_deps", src = "minimal.bt", deps = [":first"]))
    bpftrace_library(name = "c_source", srcs = ["first.bpf.c"], tags = ["manual"])
    bpftrace_library(name = "over_c_source", srcs = ["second.bt"], tags = ["manual"], deps = [":c_source"])
    _clang_test(
        name = "clang_test",
        target_under_test = _subject("with_c_source", src = "minimal.bt", deps = [":over_c_source"]),
        wanted = True,
    )
    _clang_test(name = "no_clang_test", target_under_test = ":with_deps", wanted = False)

    _uprobe_targets_test(
        name = "uprobe_targets_test",
        target_under_test = _subject(
            "with_uprobe_targets",
            src = "minimal.bt",
            any_build = True,
            uprobe_targets = {
                ":compiler": "shop",
                "first.bt": "/usr/bin/a%b",
            },
        ),
    )
    native.filegroup(name = "two_files", srcs = ["first.bt", "first.h"])
    _failure_test(
        name = "one_name_test",
        message = "uprobe_targets: two targets with one name",
        target_under_test = _subject(
            "one_name",
            src = "minimal.bt",
            uprobe_targets = {
                ":compiler": "shop",
                "first.bt": "shop",
            },
        ),
    )
    _failure_test(
        name = "many_files_test",
        message = "tests/rules:two_files is not one file but 2: first.bt, first.h",
        target_under_test = _subject("many_files", src = "minimal.bt", uprobe_targets = {":two_files": "two"}),
    )
    _failure_test(
        name = "line_break_test",
        message = "//tests/rules:line_break: parameters: a line break in \"one\\ntwo\"",
        target_under_test = _subject("line_break", src = "minimal.bt", parameters = ["one\ntwo"]),
    )
    _failure_test(
        name = "not_a_library_test",
        message = "does not have mandatory providers: 'BpftraceLibraryInfo'",
        target_under_test = _subject("not_a_library", src = "minimal.bt", deps = [":shim"]),
    )
    _failure_test(
        name = "not_a_script_test",
        message = "source file '//tests/rules:default.snapshot' is misplaced here (expected .bt)",
        target_under_test = _subject("not_a_script", src = "default.snapshot"),
    )
    _failure_test(
        name = "not_a_kernel_test",
        message = "does not have mandatory providers: 'KernelSnapshotInfo'",
        target_under_test = _subject("not_a_kernel", src = "minimal.bt", kernel = ":shim"),
    )
    _riscv_test(
        name = "unsupported_cpu_test",
        message = "no support for the CPU of the target platform; supported: arm64, x86_64",
        target_under_test = minimal,
    )
    native.test_suite(
        name = name,
        tests = [
            "clang_test",
            "compile_arm64_test",
            "compile_options_test",
            "compile_other_kernel_test",
            "compile_test",
            "deps_test",
            "line_break_test",
            "link_dbg_test",
            "link_test",
            "no_clang_test",
            "many_files_test",
            "not_a_kernel_test",
            "not_a_library_test",
            "not_a_script_test",
            "one_name_test",
            "providers_test",
            "unsupported_cpu_test",
            "uprobe_targets_test",
        ],
    )
