"""Tests of the shim in C, and tracers made by hand."""

load("@bazel_skylib//rules:native_binary.bzl", "native_test")
load("@rules_cc//cc:cc_binary.bzl", "cc_binary")

SANITIZERS = ["-fsanitize=address,undefined"]

SANITIZER_COPTS = [
    "-std=c11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-sanitize-recover=all",
] + SANITIZERS

def sanitized_test(name, src, data = [], args = []):
    """A test program in C with all of the shim, compiled with sanitizers.

    musl has no sanitizers, so the program is built for the machine that builds, as a tool is, with that machine's libc.

    Args:
      name: the target
      src: the test
      data: files that it reads
      args: its arguments
    """
    cc_binary(
        name = name + "_program",
        testonly = True,
        srcs = [
            src,
            "check.h",
        ],
        copts = SANITIZER_COPTS,
        linkopts = SANITIZERS,
        local_defines = ["_GNU_SOURCE"],
        tags = ["manual"],
        deps = [":sanitized_shim"],
    )
    native.genrule(
        name = name + "_for_host",
        testonly = True,
        outs = [name + ".sanitized"],
        cmd = "cp $(execpath :{}_program) $@".format(name),
        executable = True,
        message = "Building a test with sanitizers",
        tools = [":{}_program".format(name)],
    )
    native_test(
        name = name,
        size = "small",
        src = name + ".sanitized",
        out = name + ".run",
        args = args,
        data = data,
    )

def hand_made_tracer(name):
    """One of the tracers of hand_made.py, and its payload as NAME.payload.

    Args:
      name: its name there
    """
    native.genrule(
        name = name + "_object",
        testonly = True,
        outs = [
            name + ".o",
            name + ".payload",
        ],
        cmd = "$(execpath :hand_made) {0} $(execpath {0}.o) && $(execpath :hand_made) --payload {0} $(execpath {0}.payload)".format(name),
        message = "Making the tracer {} by hand".format(name),
        tools = [":hand_made"],
    )
    cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".o"],
        linkopts = [
            "-static",
            "-Wl,--gc-sections",
        ],
        deps = ["//shim"],
    )
