"""Times compilations under Bazel: `bazel run //bench/compile`.

In a copy of the workspace, with all tracers built, a line of one script is changed and all are built again, several
times: first without a persistent worker, then with a new one each time, then with one that stays. Prints the wall time
of each action, and fails if any but the tracer's own two ran, or if compiling takes longer than its limit.

Then all tools of upstream's are built at once, with new workers.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reproducibility.workspace import Workspace

TRACER = "opensnoop"
ROUNDS = 5
COMPILE = ("BpftraceCompile", f"//tracers:{TRACER}")
LINK = ("BpftraceLink", f"//tracers:{TRACER}")
TOOLS_LIMIT = 25  # seconds, with two processors
NEW_KERNEL = {"runqlen.bt"}
"""The tool that reads what the default snapshot's kernel does not have."""

Action = tuple[str, str]  # mnemonic and label


@dataclass(frozen=True, slots=True)
class Way:
    """How the compiler runs, and the seconds that it may take."""

    name: str
    limit: float
    options: tuple[str, ...] = ()


WAYS = (
    Way("without worker", 0.5, ("--strategy=BpftraceCompile=sandboxed",)),
    Way("new worker", 0.5, ("--worker_quit_after_build",)),
    Way("worker that stays", 0.06),
)


def spawns(log: Path) -> list[dict[str, Any]]:
    """What --execution_log_json_file wrote: one JSON object after the other."""
    decoder, text, found, at = json.JSONDecoder(), log.read_text(encoding="utf-8"), [], 0
    while at < len(text):
        spawn, at = decoder.raw_decode(text, at)
        found.append(spawn)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def changed_build(workspace: Workspace, comment: str, way: Way) -> dict[Action, float]:
    """Adds a comment to the script, builds all tracers, and returns the seconds of each action that ran."""
    script = workspace.folder / "tracers" / f"{TRACER}.bt"
    script.write_text(script.read_text(encoding="utf-8") + f"// {comment}\n", encoding="utf-8")
    log = workspace.folder / "execution.log"
    workspace.bazel("build", "//tracers:all", f"--execution_log_json_file={log}", *way.options)
    return {
        (spawn["mnemonic"], spawn["targetLabel"]): float(spawn["metrics"]["executionWallTime"].removesuffix("s"))
        for spawn in spawns(log)
    }


def measure(workspace: Workspace, way: Way) -> dict[Action, list[float]]:
    times: dict[Action, list[float]] = defaultdict(list)
    changed_build(workspace, f"{way.name}, to begin with", way)
    for i in range(ROUNDS):
        for action, seconds in changed_build(workspace, f"{way.name}, change {i}", way).items():
            times[action].append(seconds)
    return times


def build_tools(workspace: Workspace) -> float:
    """Makes a package of upstream's tools, and returns the seconds in which Bazel builds it."""
    package = workspace.folder / "upstream_tools"
    package.mkdir()
    shutil.copyfile(os.environ["NEW_SNAPSHOT"], package / "new.snapshot")
    rules = [
        'load("//rules:defs.bzl", "bpftrace_binary", "kernel_snapshot")',
        'kernel_snapshot(name = "new", src = "new.snapshot")',
    ]
    tools = [Path(word) for word in os.environ["UPSTREAM_TOOLS"].split()]
    for tool in tools:
        shutil.copyfile(tool, package / tool.name)
        kernel = 'kernel = ":new", ' if tool.name in NEW_KERNEL else ""
        rules.append(
            f'bpftrace_binary(name = "{tool.stem}", src = "{tool.name}", {kernel}min_kernel = "6.1", unsafe = True)'
        )
    (package / "BUILD.bazel").write_text("\n".join(rules), encoding="utf-8")
    workspace.bazel("build", "//tracers:all", "--worker_quit_after_build")
    start = time.monotonic()
    workspace.bazel("build", "//upstream_tools:all")
    seconds = time.monotonic() - start
    print(f"upstream's {len(tools)} tools with {os.cpu_count()} processors: {seconds:.1f} s")
    return seconds


def main() -> int:
    problems = []
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch, "workspace")) as workspace:
        workspace.bazel("build", "//tracers:all")
        for way in WAYS:
            times = measure(workspace, way)
            print(f"{way.name}: median and maximum of {ROUNDS}")
            for (mnemonic, label), seconds in times.items():
                print(f"  {mnemonic:16} {label}  {statistics.median(seconds):.3f} s  {max(seconds):.3f} s")
            if set(times) != {COMPILE, LINK}:
                problems.append(f"{way.name}: expected the tracer's own two actions, and no other")
            if statistics.median(times[COMPILE]) > way.limit:
                problems.append(f"{way.name}: compiling took longer than {way.limit} s")
        if build_tools(workspace) > TOOLS_LIMIT:
            problems.append(f"upstream's tools took longer than {TOOLS_LIMIT} s")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
