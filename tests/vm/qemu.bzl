"""The QEMU of this machine as a repository.

./bazelw's own root has it (tools/bazel/packages.txt). Elsewhere it is the QEMU on PATH; where that is missing or too old,
the tests that need it fail and say so, while everything else builds.
"""

# Before 8.0, QEMU emulates cmpxchg16b in a way that makes guests panic at random.
_LEAST_MAJOR_VERSION = 8
_PROGRAM = "qemu-system-x86_64"

_REFUSAL = """\
#!/bin/sh
echo '{} of version {}.0 or later is needed, but {} (Debian: package qemu-system-x86).' >&2
echo 'Install it and run `bazel shutdown`, or let ./bazelw bring its own Bazel and QEMU: BAZELW_FORCE_ROOT=1.' >&2
exit 1
"""

def _problem(rctx, program):
    """Why the program will not do, or None."""
    if not program:
        return "there is none on PATH"
    result = rctx.execute([program, "--version"])
    words = result.stdout.split(" ")
    if result.return_code or words[:3] != ["QEMU", "emulator", "version"]:
        return "{} --version failed".format(program)
    if int(words[3].split(".")[0]) < _LEAST_MAJOR_VERSION:
        return "{} is version {}".format(program, words[3].split("\n")[0])
    return None

def _system_qemu_impl(rctx):
    program = rctx.which(_PROGRAM)
    problem = _problem(rctx, program)
    if problem:
        rctx.file(_PROGRAM, _REFUSAL.format(_PROGRAM, _LEAST_MAJOR_VERSION, problem))
    else:
        # QEMU finds its firmware beside the file that the link leads to.
        rctx.symlink(program, _PROGRAM)
    rctx.file("BUILD.bazel", "exports_files([\"{}\"], visibility = [\"//visibility:public\"])\n".format(_PROGRAM))

system_qemu = repository_rule(
    implementation = _system_qemu_impl,
    doc = "The file qemu-system-x86_64: this machine's, or a script that says what is missing.",
    environ = ["PATH"],
    local = True,
)
