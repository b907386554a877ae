"""Installs hash-locked wheels from the machine's configured package index as py_library targets.

rules_python's own pip rules are not used because their interface differs between the versions that this rule set
supports, and the one in Debian does not run on Python 3.12 or later.
"""

_PY_LIBRARY = """\
py_library(
    name = {name},
    srcs = {srcs},
    data = {data},
    imports = ["site-packages"],
    deps = {deps},
)
"""

_HEADER = """\
load("@rules_python//python:py_library.bzl", "py_library")

package(default_visibility = ["//visibility:public"])

"""

def _run(rctx, what, command, environment = {}):
    result = rctx.execute(command, timeout = 1800, environment = environment)
    if result.return_code:
        fail("{}: {}\n{}{}".format(rctx.name, what, result.stdout, result.stderr))
    return result.stdout

def _installed_files(rctx, dist_info):
    """The files of one distribution, from the RECORD (a CSV file) in its .dist-info folder."""
    files = []
    for line in rctx.read(dist_info.get_child("RECORD")).splitlines():
        path = line.split(",")[0].strip("\"")

        # RECORD names scripts relative to where they were before pip moved everything to the target folder.
        if path.startswith("../../bin/"):
            path = path.removeprefix("../../")
        if " " in path or path.endswith(".pyc") or "/tests/" in path:
            continue
        if rctx.path("site-packages/" + path).exists:
            files.append("site-packages/" + path)
    return files

def _distribution(name):
    """A distribution's name as a target name: pip treats case and - _ . alike."""
    return name.lower().replace("-", "_").replace(".", "_")

def _requirements(rctx, dist_info, installed):
    """Which of the installed distributions this one requires, from its METADATA."""
    found = {}
    for line in rctx.read(dist_info.get_child("METADATA")).splitlines():
        if line == "":
            break  # the description follows
        if line.startswith("Requires-Dist: ") and "extra ==" not in line:
            name = line.removeprefix("Requires-Dist: ")
            for separator in " ;[(<>=!~".elems():
                name = name.split(separator)[0]
            if _distribution(name) in installed:
                found[_distribution(name)] = True
    return sorted(found)

def _bytecode_of(rctx, source, cache_tag):
    directory, _, name = source.rpartition("/")
    path = "{}/__pycache__/{}.{}.pyc".format(directory, name.removesuffix(".py"), cache_tag)
    return [path] if rctx.path(path).exists else []

def _pip_repository_impl(rctx):
    python = rctx.path(rctx.attr.interpreter) if rctx.attr.interpreter else rctx.which("python3")
    if not python:
        fail("{}: no python3 on PATH".format(rctx.name))
    rctx.report_progress("installing the wheels of {}".format(rctx.attr.requirements))
    _run(rctx, "pip could not install {}".format(rctx.attr.requirements), [
        python,
        "-B",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--no-deps",
        "--no-compile",
        "--require-hashes",
        "--only-binary=:all:",
        "--target=site-packages",
        "--requirement",
        rctx.path(rctx.attr.requirements),
    ], {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"})

    # Bytecode halves the time of a cold import; its being checked by hash, not by time, survives Bazel's copies.
    # (What does not compile, a template say, stays a source: compileall's exit code does not matter.)
    rctx.execute([python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "site-packages"])
    cache_tag = _run(rctx, "no cache tag", [python, "-c", "import sys; print(sys.implementation.cache_tag)"]).strip()

    rctx.file("python.bzl", '"""Of the Python that runs these wheels."""\n\nCACHE_TAG = {}\n'.format(repr(cache_tag)))

    distributions = {
        _distribution(path.basename.split("-")[0]): path
        for path in rctx.path("site-packages").readdir()
        if path.basename.endswith(".dist-info")
    }
    build = [_HEADER]
    for name, entry in sorted(distributions.items()):
        files = _installed_files(rctx, entry)
        srcs = [path for path in files if path.endswith(".py")]
        data = [path for path in files if not path.endswith(".py")]
        for source in srcs:
            data.extend(_bytecode_of(rctx, source, cache_tag))
        build.append(_PY_LIBRARY.format(
            name = repr(name),
            srcs = repr(srcs),
            data = repr(data),
            deps = repr([":" + required for required in _requirements(rctx, entry, distributions)]),
        ))
    rctx.file("BUILD.bazel", "\n".join(build))

pip_repository = repository_rule(
    implementation = _pip_repository_impl,
    doc = "Wheels as py_library targets, named like their distributions in lower case with _ for - and the dot.",
    attrs = {
        "interpreter": attr.label(
            doc = "The Python that installs the wheels and, so that they match, the one that runs py_binary targets. " +
                  "Default: python3 on PATH.",
        ),
        "requirements": attr.label(
            doc = "A requirements file with the hash of every wheel and nothing left to resolve.",
            allow_single_file = True,
            mandatory = True,
        ),
    },
    environ = ["PIP_CERT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX"],
)
