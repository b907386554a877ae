"""Tests that run programs in a virtual machine, one test target for each kernel.

    vm_test(
        name = "tracers_test",
        srcs = ["test_tracers.py"],
        programs = ["//tracers:opensnoop", "//tests/vm/workloads:open_100"],
    )

makes tracers_test_6.1, tracers_test_6.12 and a test suite of them, tracers_test. In the test files, the pytest fixture
`machine` is a tests.vm.machine.Machine that is booted once for all cases; each program is in its /bin.
"""

load("//kernels/debian:versions.bzl", "KERNELS", "kernel_repository_name")
load("//tests:pytest.bzl", "pytest_test")

# How the C programs that run in the machine are compiled.
GUEST_COPTS = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wshadow",
    "-Wconversion",
]

def _vm_initramfs_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".cpio")
    arguments = ctx.actions.args()
    arguments.add("--output", output)
    arguments.add("init=" + ctx.executable.init.path)
    for program in ctx.files.programs:
        arguments.add("bin/{}={}".format(program.basename, program.path))
    arguments.add_all(ctx.files.archives, before_each = "--archive")
    ctx.actions.run(
        executable = ctx.executable._initramfs,
        arguments = [arguments],
        inputs = [ctx.executable.init] + ctx.files.programs + ctx.files.archives,
        outputs = [output],
        mnemonic = "VmInitramfs",
        progress_message = "Packing initramfs %{output}",
    )
    return [DefaultInfo(files = depset([output]))]

vm_initramfs = rule(
    implementation = _vm_initramfs_impl,
    doc = "An initramfs with an /init, and programs in /bin.",
    attrs = {
        "archives": attr.label_list(
            doc = "More files: archives in the initramfs's own format.",
            allow_files = [".cpio"],
        ),
        "init": attr.label(
            doc = "The first process.",
            cfg = "target",
            default = "//tests/vm/guest:init",
            executable = True,
        ),
        "programs": attr.label_list(
            doc = "Static executables.",
            allow_files = True,
        ),
        "_initramfs": attr.label(
            cfg = "exec",
            default = "//tests/vm:initramfs",
            executable = True,
        ),
    },
)

def vm_test(name, srcs, programs, archives = [], kernels = KERNELS.keys(), data = [], deps = [], **kwargs):
    """pytest files that use a virtual machine, run once for each kernel.

    Args:
      name: the test suite; the tests append "_" and the kernel's series
      srcs: the test files and their helper modules
      programs: executables that go into the machine's /bin
      archives: more files of the machine's, as .cpio
      kernels: keys of KERNELS and OLD_KERNELS in //kernels/debian:versions.bzl
      data: as of py_test
      deps: as of py_test
      **kwargs: what else py_test takes
    """
    initramfs = name + "_initramfs"
    vm_initramfs(
        name = initramfs,
        testonly = True,
        archives = archives,
        programs = programs,
        tags = ["manual"],
    )
    tests = []
    for series in kernels:
        kernel = "@{}//:".format(kernel_repository_name(series))
        tests.append("{}_{}".format(name, series))
        pytest_test(
            name = tests[-1],
            size = "large",
            srcs = srcs + ["//tests/vm:conftest.py"],
            data = data + [initramfs, kernel + "release", kernel + "vmlinuz", "@system_qemu//:qemu-system-x86_64"],
            env = {
                "VM_INITRAMFS": "$(rootpath {})".format(initramfs),
                "VM_KERNEL": "$(rootpath {}vmlinuz)".format(kernel),
                "VM_KERNEL_RELEASE": "$(rootpath {}release)".format(kernel),
                "VM_QEMU": "$(rootpath @system_qemu//:qemu-system-x86_64)",
            },
            target_compatible_with = ["@platforms//cpu:x86_64", "@platforms//os:linux"],
            deps = deps + ["//tests/vm:machine"],
            **kwargs
        )
    native.test_suite(name = name, tests = tests)
