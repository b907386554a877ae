"""A C toolchain that makes static executables with musl-gcc, found on PATH.

It is for this workspace, where a small libc keeps the tracers small; users of the rules link with their own toolchain.
"""

load("@rules_cc//cc:action_names.bzl", "ACTION_NAMES")
load(
    "@rules_cc//cc:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
)
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/toolchains:cc_toolchain_config_info.bzl", "CcToolchainConfigInfo")

_COMPILE = [ACTION_NAMES.assemble, ACTION_NAMES.c_compile, ACTION_NAMES.preprocess_assemble]
_LINK = [ACTION_NAMES.cpp_link_executable]

def _flags(name, actions, flags):
    return feature(
        name = name,
        enabled = True,
        flag_sets = [flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])],
    )

def _musl_cc_toolchain_config_impl(ctx):
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        abi_libc_version = "musl",
        abi_version = "musl",
        compiler = "gcc",
        cxx_builtin_include_directories = ctx.attr.include_directories,
        features = [
            _flags("deterministic", _COMPILE, [
                # no path of the sandbox and no time in the objects
                "-fno-canonical-system-headers",
                "-ffile-prefix-map=/proc/self/cwd=.",
                "-Wno-builtin-macro-redefined",
                "-D__DATE__=\"redacted\"",
                "-D__TIMESTAMP__=\"redacted\"",
                "-D__TIME__=\"redacted\"",
            ]),
            _flags("static", _LINK, ["-static"]),
            feature(name = "supports_pic", enabled = False),
            feature(name = "opt", flag_sets = [flag_set(actions = _COMPILE, flag_groups = [flag_group(flags = ["-O2", "-DNDEBUG"])])]),
            feature(name = "dbg", flag_sets = [flag_set(actions = _COMPILE, flag_groups = [flag_group(flags = ["-g"])])]),
        ],
        target_cpu = ctx.attr.cpu,
        target_libc = "musl",
        target_system_name = ctx.attr.cpu + "-linux-musl",
        tool_paths = [
            tool_path(name = name, path = ctx.attr.tools.get(name, "/bin/false"))
            for name in ["ar", "cpp", "gcc", "gcov", "ld", "nm", "objcopy", "objdump", "strip"]
        ],
        toolchain_identifier = "musl-gcc",
    )

musl_cc_toolchain_config = rule(
    implementation = _musl_cc_toolchain_config_impl,
    attrs = {
        "cpu": attr.string(doc = "As the CPU constraint of @platforms calls it.", mandatory = True),
        "include_directories": attr.string_list(doc = "Where the compiler finds headers by itself."),
        "tools": attr.string_dict(doc = "Absolute path by Bazel's name of the tool.", mandatory = True),
    },
    provides = [CcToolchainConfigInfo],
)

_BUILD = """\
load("@rules_cc//cc/toolchains:cc_toolchain.bzl", "cc_toolchain")
load("{config_bzl}", "musl_cc_toolchain_config")

musl_cc_toolchain_config(
    name = "config",
    cpu = "{cpu}",
    include_directories = {include_directories},
    tools = {tools},
)

filegroup(name = "nothing")

cc_toolchain(
    name = "cc",
    all_files = ":nothing",
    compiler_files = ":nothing",
    dwp_files = ":nothing",
    linker_files = ":nothing",
    objcopy_files = ":nothing",
    strip_files = ":nothing",
    supports_param_files = 1,
    toolchain_config = ":config",
)

toolchain(
    name = "toolchain",
    exec_compatible_with = ["@platforms//os:linux", "@platforms//cpu:{cpu}"],
    target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:{cpu}", "{musl}"],
    toolchain = ":cc",
    toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
)
"""

def _include_directories(rctx, gcc):
    """The compiler's own search path, as its -v shows it between two fixed lines."""
    result = rctx.execute([gcc, "-E", "-v", "-x", "c", "/dev/null"], environment = {"LC_ALL": "C"})
    if result.return_code:
        fail("musl-gcc does not work: " + result.stderr)
    listed = result.stderr.partition("#include <...> search starts here:\n")[2].partition("End of search list.")[0]
    return [line.strip() for line in listed.splitlines()]

def _musl_repository_impl(rctx):
    gcc = rctx.which("musl-gcc")
    if not gcc:
        fail("no musl-gcc on PATH: install it (Debian: musl-tools), or build with the host's C toolchain: --config=host-cc")
    tools = {"cpp": str(gcc), "gcc": str(gcc), "ld": str(gcc)}
    for name in ["ar", "nm", "objcopy", "objdump", "strip"]:
        tools[name] = str(rctx.which(name) or "/bin/false")
    rctx.file("BUILD.bazel", _BUILD.format(
        config_bzl = Label("//toolchains:musl.bzl"),
        cpu = {"aarch64": "aarch64", "amd64": "x86_64", "x86_64": "x86_64"}[rctx.os.arch],
        include_directories = repr(_include_directories(rctx, gcc)),
        musl = Label("//toolchains:musl"),
        tools = repr(tools),
    ))

musl_repository = repository_rule(
    implementation = _musl_repository_impl,
    doc = "The toolchain //:toolchain for the host's CPU.",
    configure = True,
    environ = ["PATH"],
    local = True,
)

def _musl_impl(_mctx):
    musl_repository(name = "rules_bpftrace_musl")

musl = module_extension(
    implementation = _musl_impl,
    doc = "The musl toolchain of this machine, as @rules_bpftrace_musl//:toolchain.",
)
