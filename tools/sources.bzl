"""Lists all sources of the repository, for the lints."""

_LANGUAGES = {
    "c_sources": ["*.c", "*.h"],
    "proto_sources": ["*.proto"],
    "python_sources": ["*.py", "*.pyi"],
    "starlark_sources": ["*.bazel", "*.bzl", "WORKSPACE"],
}

_OUTPUTS = ["bazel-*/**"]  # Bazel's own links in the root folder

# buildifier: disable=unnamed-macro
def source_files():
    """Declares the package's sources by language, with those of the packages below it.

    Every BUILD file calls this. One that does not makes the lints fail to build, so that no file escapes them.
    """
    package = native.package_name()
    below = [
        package + "/" + name if package else name
        for name in native.subpackages(include = ["**"], exclude = _OUTPUTS, allow_empty = True)
    ]
    for name, patterns in _LANGUAGES.items():
        native.filegroup(
            name = name,
            srcs = native.glob(
                ["**/" + pattern for pattern in patterns],
                allow_empty = True,
                exclude = _OUTPUTS,
            ) + ["//{}:{}".format(path, name) for path in below],
            visibility = ["//visibility:public"],
        )
