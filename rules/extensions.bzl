"""Module extensions: the Python packages of the compiler (pip) and those of the tests and lints (pip_dev)."""

load("//rules:repositories.bzl", "rules_bpftrace_pip", "rules_bpftrace_pip_dev")

def _pip_impl(_mctx):
    rules_bpftrace_pip()

pip = module_extension(
    implementation = _pip_impl,
    doc = "The compiler's Python packages, as @rules_bpftrace_pip.",
    arch_dependent = True,
    os_dependent = True,
)

def _pip_dev_impl(_mctx):
    rules_bpftrace_pip_dev()

pip_dev = module_extension(
    implementation = _pip_dev_impl,
    doc = "The Python packages of this workspace's tests and lints, as @rules_bpftrace_pip_dev.",
    arch_dependent = True,
    os_dependent = True,
)
