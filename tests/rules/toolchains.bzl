"""Toolchains that are analysed but never run, so that the rules can be tested for any platform."""

load("@rules_cc//cc:cc_toolchain_config_lib.bzl", "tool_path")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/toolchains:cc_toolchain_config_info.bzl", "CcToolchainConfigInfo")

def _executable_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(output, "", is_executable = True)
    return [DefaultInfo(executable = output)]

executable = rule(
    implementation = _executable_impl,
    doc = "An executable file that does nothing.",
    executable = True,
)

def _any_cc_toolchain_config_impl(ctx):
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        abi_libc_version = "any",
        abi_version = "any",
        compiler = "any",
        target_cpu = "any",
        target_libc = "any",
        target_system_name = "any",
        tool_paths = [
            tool_path(name = name, path = "/usr/bin/any-" + name)
            for name in ["ar", "cpp", "gcc", "gcov", "ld", "nm", "objdump", "strip"]
        ],
        toolchain_identifier = "any",
    )

any_cc_toolchain_config = rule(
    implementation = _any_cc_toolchain_config_impl,
    doc = "A C toolchain for no platform in particular.",
    provides = [CcToolchainConfigInfo],
)
