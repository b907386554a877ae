"""How long a tracer takes to attach to every function of a kernel, and to end: `./bazelw run //bench/attach`.

Runs tests/vm/scripts/every_function.bt in a virtual machine, which is 5 to 15 times slower than hardware; beside it,
with --upstream, bpftrace with the same script, out of a folder that holds a root file system with it. The kernel is one
that has kprobe_multi links: without them each function is a perf event of its own.
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from tests.vm.initramfs import cpio
from tests.vm.machine import Machine, MachineError
from tests.vm.tracing import start

_BPFTRACE = "usr/bin/bpftrace"
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "usr/lib")


def _with_libraries(root: Path, program: str) -> dict[str, bytes]:
    """A dynamic program of a root file system with its interpreter and all libraries: path without slash, content."""
    files: dict[str, bytes] = {}
    wanted = [program]
    while wanted:
        path = wanted.pop()
        if path in files:
            continue
        # Links within the root are absolute in places.
        file = root / path
        if file.is_symlink() and file.readlink().is_absolute():
            file = root / str(file.readlink()).lstrip("/")
        files[path] = file.read_bytes()
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            for segment in elf.iter_segments():
                if isinstance(segment, InterpSegment):
                    wanted.append(segment.get_interp_name().lstrip("/"))
            dynamic = elf.get_section_by_name(".dynamic")
            if isinstance(dynamic, DynamicSection):
                wanted += [_library(root, tag.needed) for tag in dynamic.iter_tags("DT_NEEDED")]
    return files


def _library(root: Path, name: str) -> str:
    for folder in _LIBRARIES:
        if (root / folder / name).exists():
            return f"{folder}/{name}"
    raise FileNotFoundError(f"{root} has no library {name}")


def _measure(machine: Machine, command: Sequence[str]) -> tuple[float, float, str]:
    """Seconds until it is attached, seconds until it has ended, and what it said of itself."""
    begin = time.monotonic()
    tracer = start(machine, *command)
    attached = time.monotonic()
    machine.run("/bin/everything")
    signalled = time.monotonic()
    tracer.signal(signal.SIGINT)
    completed = tracer.wait()
    ended = time.monotonic()
    if completed.code:
        raise MachineError(f"{command[0]} failed: {completed.stderr}")
    said = (completed.stderr + completed.stdout).splitlines()
    return attached - begin, ended - signalled, next((line for line in said if line.startswith("Attach")), "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", type=Path, metavar="ROOT", help="a root file system with bpftrace in it")
    arguments = parser.parse_args()
    script = Path(os.environ["ATTACH_SCRIPT"])
    files = {
        "init": Path(os.environ["ATTACH_INIT"]).read_bytes(),
        "bin/every_function": Path(os.environ["ATTACH_TRACER"]).read_bytes(),
        "bin/everything": Path(os.environ["ATTACH_WORKLOAD"]).read_bytes(),
        script.name: script.read_bytes(),
    }
    commands = {"every_function": ["/bin/every_function"]}
    if arguments.upstream:
        files |= _with_libraries(arguments.upstream, _BPFTRACE)
        commands["bpftrace"] = [f"/{_BPFTRACE}", f"/{script.name}"]
    with tempfile.TemporaryDirectory() as scratch:
        initramfs = Path(scratch) / "initramfs"
        initramfs.write_bytes(cpio(files))
        machine = Machine(
            qemu=os.environ["VM_QEMU"].split(),
            kernel=Path(os.environ["VM_KERNEL"]),
            initramfs=initramfs,
            console=Path(scratch) / "console",
            megabytes=3072,
        )
        print(f"{'program':16} {'attach s':>10} {'end s':>10}")
        with machine:
            for name, command in commands.items():
                attach, end, said = _measure(machine, command)
                print(f"{name:16} {attach:10.1f} {end:10.1f}  {said}", flush=True)


if __name__ == "__main__":
    main()
