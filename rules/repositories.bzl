"""Everything that a WORKSPACE file needs; with MODULE.bazel use that instead.

    load("@rules_bpftrace//rules:repositories.bzl", "rules_bpftrace_dependencies")
    rules_bpftrace_dependencies()
    load("@rules_bpftrace//rules:setup.bzl", "rules_bpftrace_setup")
    rules_bpftrace_setup()
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load("//rules/private:pip_repository.bzl", "pip_repository")

# name: (archive, folder in it, sha256). The versions are those of MODULE.bazel.
_ARCHIVES = {
    "bazel_features": (
        "https://github.com/bazel-contrib/bazel_features/releases/download/v1.28.0/bazel_features-v1.28.0.tar.gz",
        "bazel_features-1.28.0",
        "2f057dd02098a106095ea291b4344257398a059eadb2c74cc470de0f9664dccd",
    ),
    "bazel_skylib": (
        "https://github.com/bazelbuild/bazel-skylib/releases/download/1.7.1/bazel-skylib-1.7.1.tar.gz",
        "",
        "bc283cdfcd526a52c3201279cda4bc298652efa898b10b4db0837dc51652756f",
    ),
    "platforms": (
        "https://github.com/bazelbuild/platforms/releases/download/0.0.11/platforms-0.0.11.tar.gz",
        "",
        "29742e87275809b5e598dc2f04d86960cc7a55b3067d97221c9abbc9926bff0f",
    ),
    "rules_cc": (
        "https://github.com/bazelbuild/rules_cc/releases/download/0.1.5/rules_cc-0.1.5.tar.gz",
        "rules_cc-0.1.5",
        "b8b918a85f9144c01f6cfe0f45e4f2838c7413961a8ff23bc0c6cdf8bb07a3b6",
    ),
    "rules_python": (
        "https://github.com/bazel-contrib/rules_python/releases/download/1.4.1/rules_python-1.4.1.tar.gz",
        "rules_python-1.4.1",
        "9f9f3b300a9264e4c77999312ce663be5dee9a56e361a1f6fe7ec60e1beef9a3",
    ),
}

def rules_bpftrace_dependencies():
    """Declares the rule sets that these rules load, where the workspace has not declared them already."""
    for name, (url, strip_prefix, sha256) in _ARCHIVES.items():
        maybe(http_archive, name = name, url = url, strip_prefix = strip_prefix, sha256 = sha256)

def rules_bpftrace_pip(name = "rules_bpftrace_pip"):
    """Declares the compiler's Python packages.

    Args:
      name: the repository's name
    """
    pip_repository(name = name, requirements = Label("//compiler:requirements_lock.txt"))

def rules_bpftrace_pip_dev(name = "rules_bpftrace_pip_dev"):
    """Declares the Python packages of this workspace's tests and lints.

    Args:
      name: the repository's name
    """
    pip_repository(name = name, requirements = Label("//tests:requirements_lock.txt"))
