"""One of Debian's cloud kernels as a repository."""

load("//tools:apt.bzl", "PINNED_PACKAGE", "apt_options", "download_package", "execute")
load(":versions.bzl", "KERNELS", "OLD_KERNELS", "TYPES_KERNELS", "kernel_repository_name")

_META_PACKAGE = "linux-image-cloud-amd64"

_BUILD = """\
exports_files(
    [
        "release",
        "vmlinuz",
    ],
    visibility = ["//visibility:public"],
)
"""

def _newest_package(rctx, options):
    """The package of the suite's newest kernel that stands for the pinned one."""
    listing = execute(rctx, "cannot resolve the kernel package", ["apt-cache"] + options + ["depends", _META_PACKAGE])
    for line in listing.splitlines():
        kind, _, name = line.strip().partition(": ")
        if kind == "Depends" and name.startswith("linux-image-"):
            # Since 7.1 the image is in a package of its own, which the one of the old name depends on.
            kept = rctx.attr.package.split("-")[1]
            return name.replace("linux-image-", "linux-{}-".format(kept), 1)
    fail("{}: {} of {} leads to no kernel package".format(rctx.name, _META_PACKAGE, rctx.attr.suite))

def _image(rctx):
    """The kernel's image and its release."""
    for path in rctx.path("boot").readdir() if rctx.path("boot").exists else []:
        name, _, release = path.basename.partition("-")
        if name == "vmlinuz":
            return path, release
    modules = rctx.path("usr/lib/modules")
    for path in modules.readdir() if modules.exists else []:
        if path.get_child("vmlinuz").exists:
            return path.get_child("vmlinuz"), path.basename
    fail("{}: the package has no kernel image".format(rctx.name))

def _debian_kernel_impl(rctx):
    options = apt_options(rctx, rctx.attr.suite)
    deb = download_package(rctx, options, _newest_package)
    execute(rctx, "cannot unpack the kernel", [
        "sh",
        "-euc",
        "dpkg-deb --fsys-tarfile \"$1\" | tar -x --exclude='*.ko*' --exclude='./usr/share'",
        "unpack",
        deb,
    ])
    image, release = _image(rctx)
    rctx.symlink(image, "vmlinuz")
    rctx.file("release", release + "\n")
    rctx.file("BUILD.bazel", _BUILD)
    rctx.delete(deb)
    rctx.delete("apt")

debian_kernel = repository_rule(
    implementation = _debian_kernel_impl,
    doc = "One of Debian's cloud kernels: the files vmlinuz, and release, which holds what `uname -r` prints.",
    attrs = PINNED_PACKAGE,
)

def debian_kernels():
    """Declares a repository for each of KERNELS, OLD_KERNELS and TYPES_KERNELS."""
    for kernels in [KERNELS, OLD_KERNELS, TYPES_KERNELS]:
        for series, kernel in kernels.items():
            debian_kernel(
                name = kernel_repository_name(series),
                suite = kernel.suite,
                package = kernel.package,
                version = kernel.version,
                sha256 = kernel.sha256,
                pinned_in = "kernels/debian/versions.bzl",
            )
