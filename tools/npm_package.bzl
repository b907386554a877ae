"""Fetches one npm package by name."""

def _npm_package_impl(rctx):
    npm = rctx.which("npm")
    if not npm:
        fail("{}: no npm on PATH to fetch {} with".format(rctx.name, rctx.attr.package))
    result = rctx.execute([npm, "pack", "--silent", "{}@{}".format(rctx.attr.package, rctx.attr.version)], timeout = 600)
    if result.return_code:
        fail("{}: npm could not fetch {}: {}{}".format(rctx.name, rctx.attr.package, result.stdout, result.stderr))
    rctx.download_and_extract(
        integrity = rctx.attr.integrity,
        stripPrefix = "package",
        type = "tgz",
        url = "file://{}".format(rctx.path(result.stdout.strip().splitlines()[-1])),
    )
    rctx.file("BUILD.bazel", rctx.attr.build_file_content)

npm_package = repository_rule(
    implementation = _npm_package_impl,
    doc = "The files of an npm package that needs no other, from the registry that npm is configured for.",
    attrs = {
        "build_file_content": attr.string(doc = "The BUILD file of the repository.", mandatory = True),
        "integrity": attr.string(doc = "Digest of the archive, as `npm view PACKAGE dist.integrity` shows it.", mandatory = True),
        "package": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
    },
)

_BUILDIFIER_BUILD = """\
alias(
    name = "buildifier",
    actual = select({
        "@platforms//cpu:aarch64": "buildifier-linux_arm64",
        "@platforms//cpu:x86_64": "buildifier-linux_amd64",
    }),
    visibility = ["//visibility:public"],
)
"""

def buildifier_repository(name = "rules_bpftrace_buildifier"):
    """The formatter and linter of Starlark.

    Args:
      name: the repository's name
    """
    npm_package(
        name = name,
        build_file_content = _BUILDIFIER_BUILD,
        integrity = "sha512-eZ/Aq+2r4PcJa6LbPCT6ffgIJfTU/gYilqIzoX2OLM4nNkbQC6tTMPZNn7aHHjhGPxbNLv41zm4Xqt1olCLgXw==",
        package = "@bazel/buildifier",
        version = "8.2.1",
    )

def _buildifier_impl(_mctx):
    buildifier_repository()

buildifier = module_extension(
    implementation = _buildifier_impl,
    doc = "buildifier, as @rules_bpftrace_buildifier//:buildifier.",
)
