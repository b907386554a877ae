"""Upstream's tools, man page and references, which the tests compile; nothing of upstream's is kept in this repository."""

load("//tools:apt.bzl", "PINNED_PACKAGE", "apt_options", "download_package", "execute")

_SOURCE_VARIABLE = "BPFTRACE_SOURCE"

_BUILD = """\
package(default_visibility = ["//visibility:public"])

filegroup(
    name = "tools",
    srcs = glob(["usr/sbin/*.bt"]),
)

filegroup(
    name = "references",
    srcs = glob([
        "docs/*",
        "usr/share/man/man8/bpftrace.8.gz",
    ]),
)
"""

def _newest_package(rctx, _options):
    return rctx.attr.package

def _references(rctx, options):
    """Puts upstream's docs folder into ./docs, or a file that says why it is not there."""
    source = rctx.os.environ.get(_SOURCE_VARIABLE)
    if source:
        # Copied: a link may lead to where an action's sandbox has another folder.
        execute(rctx, "cannot copy the references", ["cp", "--recursive", rctx.path(source).get_child("docs"), "docs"])
        return
    version = rctx.attr.version.partition("-")[0]
    archive = "{}_{}.orig.tar.gz".format(rctx.attr.package, version)
    pinned = "{}={}".format(rctx.attr.package, rctx.attr.version)
    rctx.report_progress("downloading the source of {}".format(pinned))
    result = rctx.execute(["apt-get"] + options + ["--quiet", "--tar-only", "source", "--download-only", pinned], timeout = 1200)
    if result.return_code:
        reason = "the mirror has no source package of {} (--repo_env={}=FOLDER names a checkout)".format(pinned, _SOURCE_VARIABLE)
        rctx.file("docs/missing", reason + "\n")
        return
    command = ["tar", "-x", "-f", archive, "--strip-components=1", "--wildcards", "*/docs/*.md"]
    execute(rctx, "cannot unpack the source", command)
    rctx.delete(archive)

def _debian_bpftrace_impl(rctx):
    options = apt_options(rctx, rctx.attr.suite)
    deb = download_package(rctx, options, _newest_package)
    execute(rctx, "cannot unpack the package", ["dpkg-deb", "--extract", deb, "."])
    _references(rctx, options)
    rctx.file("BUILD.bazel", _BUILD)
    rctx.delete(deb)
    rctx.delete("apt")

debian_bpftrace = repository_rule(
    implementation = _debian_bpftrace_impl,
    doc = """Debian's bpftrace: its tools and man page, and the references from its source package.

The references are in the source package alone, which not every mirror has. Where it is missing, docs/missing says so.
""",
    attrs = PINNED_PACKAGE,
    environ = [_SOURCE_VARIABLE],
)

def upstream_repositories():
    """Declares @debian_bpftrace."""
    debian_bpftrace(
        name = "debian_bpftrace",
        suite = "sid",
        package = "bpftrace",
        version = "0.27.1-1",
        sha256 = "ac5e98881cc7589d1248474025d23a0b52b0e8ba481226ecca3d72cb7a5c8a1d",
        pinned_in = "tests/upstream/repositories.bzl",
    )

def _upstream_impl(_mctx):
    upstream_repositories()

upstream = module_extension(
    implementation = _upstream_impl,
    doc = "The repositories of upstream_repositories().",
)
