"""Fetches one of Debian's cloud kernels by package name, from the mirror that this machine's apt uses.

apt checks the archive's signature and the package's hash. It works on a state of its own in the repository's folder, so
neither root nor a change of the machine's package lists is needed.
"""

load(":versions.bzl", "KERNELS", "kernel_repository_name")

_META_PACKAGE = "linux-image-cloud-amd64"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEBIAN_SUITES = ["oldoldstable", "oldstable", "stable", "testing", "unstable", "bullseye", "bookworm", "trixie", "forky", "sid"]

_BUILD = """\
exports_files(
    [
        "config",
        "release",
        "vmlinuz",
    ],
    visibility = ["//visibility:public"],
)
"""

def _execute(rctx, what, command, **kwargs):
    result = rctx.execute(command, timeout = 1200, **kwargs)
    if result.return_code:
        fail("{}: {}: {}\n{}{}".format(rctx.name, what, " ".join([str(word) for word in command]), result.stdout, result.stderr))
    return result.stdout

def _mirror(rctx):
    """The URI of the first Debian archive in the machine's apt sources."""
    listing = _execute(rctx, "cannot read apt's sources", [
        "apt-get",
        "indextargets",
        "--format",
        "$(RELEASE) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ])
    for line in listing.splitlines():
        release, component, uri = line.split(" ")
        if release in _DEBIAN_SUITES and component == "main":
            return uri
    fail("{}: no Debian archive in this machine's apt sources".format(rctx.name))

def _private_apt(rctx):
    """Prepares apt's folders below ./apt; returns apt's options for them."""
    directory = str(rctx.path("apt"))
    trust = "[signed-by={}] ".format(_KEYRING) if rctx.path(_KEYRING).exists else ""
    rctx.file("apt/sources.list", "deb {}{} {} main\n".format(trust, _mirror(rctx), rctx.attr.suite))
    rctx.file("apt/status")
    for folder in ["state", "lists/partial", "cache/archives/partial"]:
        rctx.file("apt/{}/.keep".format(folder))
    settings = {
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Sandbox::User": "",  # the repository's folder need not be readable for apt's own user
        "Acquire::Check-Valid-Until": "false",  # a mirror may lag behind
        "Acquire::Languages": "none",
        "Dir::Cache": directory + "/cache",
        "Dir::Etc::SourceList": directory + "/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": directory + "/state",
        "Dir::State::Lists": directory + "/lists",
        "Dir::State::Status": directory + "/status",
    }
    return ["--option={}={}".format(name, value) for name, value in settings.items()]

def _newest_package(rctx, options):
    """The kernel package that the suite's metapackage leads to."""
    listing = _execute(rctx, "cannot resolve the kernel package", ["apt-cache"] + options + ["depends", _META_PACKAGE])
    for line in listing.splitlines():
        kind, _, name = line.strip().partition(": ")
        if kind == "Depends" and name.startswith("linux-image-"):
            return name
    fail("{}: {} of {} leads to no kernel package".format(rctx.name, _META_PACKAGE, rctx.attr.suite))

def _download(rctx):
    """Downloads the pinned package, or, where that has gone, the suite's newest. Returns the file."""
    options = _private_apt(rctx)
    rctx.report_progress("reading the package lists of {}".format(rctx.attr.suite))
    _execute(rctx, "cannot read the package lists", ["apt-get"] + options + ["--quiet", "update"])
    pinned = "{}={}".format(rctx.attr.package, rctx.attr.version)
    rctx.report_progress("downloading {}".format(pinned))
    is_pinned = rctx.execute(["apt-get"] + options + ["--quiet", "download", pinned], timeout = 1200).return_code == 0
    if not is_pinned:
        newest = _newest_package(rctx, options)

        # buildifier: disable=print
        print("{} of {} is not to be had; using {}: pin that in kernels/debian/versions.bzl".format(pinned, rctx.attr.suite, newest))
        _execute(rctx, "cannot download the kernel", ["apt-get"] + options + ["--quiet", "download", newest])
    debs = [path for path in rctx.path(".").readdir() if path.basename.endswith(".deb")]
    if len(debs) != 1:
        fail("{}: {} packages were downloaded, not one".format(rctx.name, len(debs)))
    if is_pinned:
        sha256 = _execute(rctx, "cannot read the package", ["sha256sum", debs[0]]).split(" ")[0]
        if sha256 != rctx.attr.sha256:
            fail("{}: the sha256 of {} is {}, not {}".format(rctx.name, pinned, sha256, rctx.attr.sha256))
    return debs[0]

def _debian_kernel_impl(rctx):
    if not rctx.which("apt-get"):
        fail(("{}: Debian's kernels are fetched with apt-get, which this machine lacks; " +
              "BAZELW_FORCE_ROOT=1 ./bazelw runs Bazel where there is one").format(rctx.name))
    deb = _download(rctx)
    _execute(rctx, "cannot unpack the kernel", [
        "sh",
        "-euc",
        "dpkg-deb --fsys-tarfile \"$1\" | tar -x ./boot",
        "unpack",
        deb,
    ])
    release = None
    for path in rctx.path("boot").readdir():
        name, _, suffix = path.basename.partition("-")
        if name in ["vmlinuz", "config"]:
            rctx.symlink(path, name)
            release = suffix
    rctx.file("release", release + "\n")
    rctx.file("BUILD.bazel", _BUILD)
    rctx.delete(deb)
    rctx.delete("apt")

debian_kernel = repository_rule(
    implementation = _debian_kernel_impl,
    doc = "One of Debian's cloud kernels: the files vmlinuz, config, and release, which holds what `uname -r` prints.",
    attrs = {
        "package": attr.string(doc = "The name of the pinned package.", mandatory = True),
        "sha256": attr.string(doc = "The pinned package's hash.", mandatory = True),
        "suite": attr.string(doc = "The Debian suite that has it.", mandatory = True),
        "version": attr.string(doc = "The pinned package's version.", mandatory = True),
    },
)

def debian_kernels():
    """Declares a repository for each of KERNELS."""
    for series, kernel in KERNELS.items():
        debian_kernel(
            name = kernel_repository_name(series),
            suite = kernel.suite,
            package = kernel.package,
            version = kernel.version,
            sha256 = kernel.sha256,
        )
