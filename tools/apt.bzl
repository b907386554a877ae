"""Fetches packages of Debian from the mirror that this machine's apt uses.

apt checks the archive's signature and the package's hash. It works on a state of its own in the repository's folder, so
neither root nor a change of the machine's package lists is needed.
"""

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEBIAN_SUITES = ["oldoldstable", "oldstable", "stable", "testing", "unstable", "bullseye", "bookworm", "trixie", "forky", "sid"]

def execute(rctx, what, command, **kwargs):
    """Runs a command that must succeed.

    Args:
      rctx: the repository context
      what: what has failed if the command fails
      command: words
      **kwargs: as of repository_ctx.execute

    Returns:
      what the command printed
    """
    result = rctx.execute(command, timeout = 1200, **kwargs)
    if result.return_code:
        fail("{}: {}: {}\n{}{}".format(rctx.name, what, " ".join([str(word) for word in command]), result.stdout, result.stderr))
    return result.stdout

def _mirror(rctx):
    """The URI of the first Debian archive in the machine's apt sources."""
    listing = execute(rctx, "cannot read apt's sources", [
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

def apt_options(rctx, suite):
    """Prepares apt's folders below ./apt and reads the package lists of a suite, those of source packages as well.

    Args:
      rctx: the repository context
      suite: for example "sid"

    Returns:
      apt's options for these folders
    """
    if not rctx.which("apt-get"):
        fail(("{}: Debian's packages are fetched with apt-get, which this machine lacks; " +
              "BAZELW_FORCE_ROOT=1 ./bazelw runs Bazel where there is one").format(rctx.name))
    directory = str(rctx.path("apt"))
    source = "[signed-by={}] ".format(_KEYRING) if rctx.path(_KEYRING).exists else ""
    source += "{} {} main\n".format(_mirror(rctx), suite)
    rctx.file("apt/sources.list", "deb {0}deb-src {0}".format(source))
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
    options = ["--option={}={}".format(name, value) for name, value in settings.items()]
    rctx.report_progress("reading the package lists of {}".format(suite))
    execute(rctx, "cannot read the package lists", ["apt-get"] + options + ["--quiet", "update"])
    return options

def download_package(rctx, options, newest):
    """Downloads the package that the rule's attributes pin, or, where that has gone, another.

    Args:
      rctx: the repository context; its attributes are those of PINNED_PACKAGE and pinned_in
      options: of apt_options
      newest: a function of rctx and options that names the package that takes the place of one that has gone

    Returns:
      the file
    """
    pinned = "{}={}".format(rctx.attr.package, rctx.attr.version)
    rctx.report_progress("downloading {}".format(pinned))
    is_pinned = rctx.execute(["apt-get"] + options + ["--quiet", "download", pinned], timeout = 1200).return_code == 0
    if not is_pinned:
        other = newest(rctx, options)

        # buildifier: disable=print
        print("{} of {} is not to be had; using {}: pin that in {}".format(pinned, rctx.attr.suite, other, rctx.attr.pinned_in))
        execute(rctx, "cannot download the package", ["apt-get"] + options + ["--quiet", "download", other])
    debs = [path for path in rctx.path(".").readdir() if path.basename.endswith(".deb")]
    if len(debs) != 1:
        fail("{}: {} packages were downloaded, not one".format(rctx.name, len(debs)))
    if is_pinned:
        sha256 = execute(rctx, "cannot read the package", ["sha256sum", debs[0]]).split(" ")[0]
        if sha256 != rctx.attr.sha256:
            fail("{}: the sha256 of {} is {}, not {}".format(rctx.name, pinned, sha256, rctx.attr.sha256))
    return debs[0]

# Attributes of a rule that calls download_package.
PINNED_PACKAGE = {
    "package": attr.string(doc = "The name of the pinned package.", mandatory = True),
    "pinned_in": attr.string(doc = "The file that pins it, for messages.", mandatory = True),
    "sha256": attr.string(doc = "The pinned package's hash.", mandatory = True),
    "suite": attr.string(doc = "The Debian suite that has it.", mandatory = True),
    "version": attr.string(doc = "The pinned package's version.", mandatory = True),
}
