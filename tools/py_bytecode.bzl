"""py_library with bytecode.

Where Python cannot write its bytecode, as in an action, it compiles every module anew each time: of the compiler that is
two thirds of its run. Newer versions of rules_python can do the same (`precompile`), but not all that we support.
"""

load("@rules_bpftrace_pip//:python.bzl", "CACHE_TAG")
load("@rules_python//python:py_library.bzl", "py_library")

def _path_in_package(ctx, file):
    path = file.short_path
    if path.startswith("../"):
        path = path.split("/", 2)[2]
    return path.removeprefix(ctx.label.package + "/")

def _py_bytecode_impl(ctx):
    outputs = []
    args = ctx.actions.args()
    for file in ctx.files.srcs:
        folder, _, name = _path_in_package(ctx, file).rpartition("/")
        bytecode = "__pycache__/{}.{}.pyc".format(name.removesuffix(".py"), CACHE_TAG)
        output = ctx.actions.declare_file(folder + "/" + bytecode if folder else bytecode)
        outputs.append(output)
        args.add_all([file.path, file.short_path, output])
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._compile,
        inputs = ctx.files.srcs,
        mnemonic = "PyBytecode",
        outputs = outputs,
        progress_message = "Compiling the Python of %{label}",
    )
    return [DefaultInfo(files = depset(outputs))]

_py_bytecode = rule(
    implementation = _py_bytecode_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".py"]),
        "_compile": attr.label(
            cfg = "exec",
            default = Label("//tools:py_bytecode"),
            executable = True,
        ),
    },
)

def py_library_with_bytecode(name, srcs, data = [], **kwargs):
    """A py_library whose modules load from bytecode.

    Args:
      name: the target
      srcs: the modules
      data: files that the modules read
      **kwargs: what else py_library takes
    """
    _py_bytecode(
        name = name + "_bytecode",
        srcs = srcs,
    )
    py_library(
        name = name,
        srcs = srcs,
        data = data + [":{}_bytecode".format(name)],
        **kwargs
    )
