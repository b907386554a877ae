"""What the tests in virtual machines need from outside: kernels and QEMU."""

load("//kernels/debian:debian_kernel.bzl", "debian_kernels")
load(":qemu.bzl", "system_qemu")

def vm_repositories():
    """Declares the kernels (@debian_kernel_6_1 ...) and @system_qemu."""
    debian_kernels()
    system_qemu(name = "system_qemu")

def _vm_impl(_mctx):
    vm_repositories()

vm = module_extension(
    implementation = _vm_impl,
    doc = "The repositories of vm_repositories().",
)
