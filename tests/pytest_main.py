"""Runs pytest over the files named by the arguments, as a Bazel test."""

import os
import sys

import pytest


def main() -> int:
    options = ["-p", "no:cacheprovider", "--import-mode=importlib", "-rs", "--color=yes"]
    if report := os.environ.get("XML_OUTPUT_FILE"):
        options.append(f"--junitxml={report}")
    if shown := os.environ.get("TESTBRIDGE_TEST_ONLY"):
        options.append(f"-k={shown}")
    # Run where nothing can be written (the runfiles), so that a test that wants a file asks for tmp_path.
    if scratch := os.environ.get("TEST_TMPDIR"):
        options.append(f"--basetemp={scratch}/pytest")
    # No test found is exit code 5, a failure like any other.
    return int(pytest.main([*options, *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
