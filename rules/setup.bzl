"""The second step for a WORKSPACE file, after rules_bpftrace_dependencies(); see repositories.bzl."""

load("@rules_python//python:repositories.bzl", "py_repositories")
load("//rules:repositories.bzl", "rules_bpftrace_pip")

# buildifier: disable=unnamed-macro
def rules_bpftrace_setup():
    """Sets up the rule sets, the compiler's packages and the default toolchain."""
    py_repositories()
    rules_bpftrace_pip()
    native.register_toolchains("@rules_bpftrace//rules:default_toolchain")
