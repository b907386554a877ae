"""pytest under Bazel."""

load("@rules_python//python:py_test.bzl", "py_test")

def pytest_test(name, srcs, deps = [], data = [], args = [], **kwargs):
    """A test target that runs pytest over its sources; it fails when they contain no test.

    Args:
      name: the target
      srcs: the test files; a conftest.py or a helper module among them is not itself run
      deps: py_library targets that the tests import
      data: files that the tests read
      args: further arguments of pytest
      **kwargs: what else py_test takes (size, tags, env ...)
    """
    py_test(
        name = name,
        srcs = srcs + ["//tests:pytest_main.py"],
        main = "//tests:pytest_main.py",
        args = ["$(location {})".format(src) for src in srcs if Label(src).name.rpartition("/")[2].startswith("test_")] + args,
        data = data,
        deps = deps + ["@rules_bpftrace_pip_dev//:pytest"],
        **kwargs
    )
