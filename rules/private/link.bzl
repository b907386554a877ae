"""The link of a tracer: its object and the shim, fully static, by the target's C toolchain.

cc_common.link would do the same under the mnemonic CppLink; the command line is asked of the C toolchain here, so that
logs, profiles and `--strategy` can tell tracers from other programs.
"""

load("@rules_cc//cc:action_names.bzl", "CPP_LINK_EXECUTABLE_ACTION_NAME")
load("@rules_cc//cc:find_cc_toolchain.bzl", "CC_TOOLCHAIN_TYPE", "find_cc_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")

def _link_flags(ctx):
    flags = [
        "-static",
        "-Wl,--gc-sections",
        "-Wl,-z,noseparate-code",  # no padding to whole pages between code and constants, a tenth of a tracer
        "-Wl,--build-id=sha1",  # a digest of the contents, where a toolchain's default could be random
    ]
    if ctx.var["COMPILATION_MODE"] != "dbg":
        flags.append("-Wl,--strip-all")
    return flags

def link_tracer(ctx, object, shim, output):
    """Declares the action BpftraceLink.

    Args:
      ctx: the rule's context; the rule has the C toolchain type, the fragment "cpp" and the attribute _cc_toolchain
      object: File, the tracer object
      shim: CcInfo of the shim
      output: File, the executable
    """
    cc_toolchain = find_cc_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features + ["fully_static_link"],
        unsupported_features = ctx.disabled_features,
    )
    archives = []
    flags = _link_flags(ctx)
    additional_inputs = []
    for linker_input in shim.linking_context.linker_inputs.to_list():
        archives.extend([library.static_library or library.pic_static_library for library in linker_input.libraries])
        additional_inputs.extend(linker_input.additional_inputs)
        flags.extend(linker_input.user_link_flags)
    variables = cc_common.create_link_variables(
        cc_toolchain = cc_toolchain,
        feature_configuration = features,
        is_linking_dynamic_library = False,
        is_static_linking_mode = True,
        output_file = output.path,
        user_link_flags = flags,
    )

    # The object first: it defines the payload symbols that the shim's main file refers to.
    args = ctx.actions.args()
    args.add_all(cc_common.get_memory_inefficient_command_line(
        action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
        feature_configuration = features,
        variables = variables,
    ))
    args.add(object)
    args.add_all(archives)
    ctx.actions.run(
        arguments = [args],
        env = cc_common.get_environment_variables(
            action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
            feature_configuration = features,
            variables = variables,
        ),
        executable = cc_common.get_tool_for_action(
            action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
            feature_configuration = features,
        ),
        inputs = depset([object] + archives + additional_inputs, transitive = [cc_toolchain.all_files]),
        mnemonic = "BpftraceLink",
        outputs = [output],
        progress_message = "Linking tracer %{label}",
        toolchain = CC_TOOLCHAIN_TYPE,
        use_default_shell_env = True,  # compilers find their parts through PATH
    )
