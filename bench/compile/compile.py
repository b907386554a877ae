"""Times the actions that a change of one tracer's script causes: `bazel run //bench/compile`.

In a copy of the workspace, with all tracers built, a line of one script is changed and all are built again, several
times. Prints for each action that ran its median wall time, and fails if any but the tracer's own two did, or if
compiling takes longer than the limit.
"""

import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.reproducibility.workspace import Workspace

TRACER = "opensnoop"
ROUNDS = 5
COMPILE_LIMIT = 1.5  # seconds, without a worker

Action = tuple[str, str]  # mnemonic and label


def spawns(log: Path) -> list[dict[str, Any]]:
    """What --execution_log_json_file wrote: one JSON object after the other."""
    decoder, text, found, at = json.JSONDecoder(), log.read_text(encoding="utf-8"), [], 0
    while at < len(text):
        spawn, at = decoder.raw_decode(text, at)
        found.append(spawn)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def changed_build(workspace: Workspace, comment: str) -> dict[Action, float]:
    """Adds a comment to the script, builds all tracers, and returns the seconds of each action that ran."""
    script = workspace.folder / "tracers" / f"{TRACER}.bt"
    script.write_text(script.read_text(encoding="utf-8") + f"// {comment}\n", encoding="utf-8")
    log = workspace.folder / "execution.log"
    workspace.bazel("build", "//tracers:all", f"--execution_log_json_file={log}")
    return {
        (spawn["mnemonic"], spawn["targetLabel"]): float(spawn["metrics"]["executionWallTime"].removesuffix("s"))
        for spawn in spawns(log)
    }


def main() -> int:
    times: dict[Action, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch, "workspace")) as workspace:
        workspace.bazel("build", "//tracers:all")
        for i in range(ROUNDS):
            for action, seconds in changed_build(workspace, f"change {i}").items():
                times[action].append(seconds)

    print(f"actions after a change of {TRACER}.bt, median and maximum of {ROUNDS}:")
    for (mnemonic, label), seconds_list in times.items():
        print(f"{mnemonic:16} {label}  {statistics.median(seconds_list):.2f} s  {max(seconds_list):.2f} s")
    own = {(mnemonic, f"//tracers:{TRACER}") for mnemonic in ("BpftraceCompile", "BpftraceLink")}
    if set(times) != own:
        print("expected the tracer's own BpftraceCompile and BpftraceLink, and no other")
        return 1
    if statistics.median(times["BpftraceCompile", f"//tracers:{TRACER}"]) > COMPILE_LIMIT:
        print(f"compiling took longer than {COMPILE_LIMIT} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
