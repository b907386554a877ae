"""Scripts to start from: all that the repository has."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from tests.case_data import load_cases

_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Seeds:
    """`good` ones compile. The others show errors, or are of the syntax alone: their probes do not exist."""

    good: list[str]
    others: list[str]


def load_seeds() -> Seeds:
    """The texts of all scripts and cases, in an order that does not depend on the machine."""
    scripts = [path for folder in ("tracers", "tests/vm/scripts") for path in (_REPOSITORY / folder).glob("*.bt")]
    seeds = Seeds([path.read_text(encoding="utf-8") for path in sorted(scripts)], [])
    for folder in sorted((_REPOSITORY / "tests").glob("*/cases")):
        for case in load_cases(folder):
            is_good = folder.parent.name == "analysis" and not case.path.stem.startswith("error")
            own = seeds.good if is_good else seeds.others
            if _is_whole(case.path):
                own.append(case.text)
                continue
            # Lines that are an expression or a statement each.
            definitions, _, text = case.text.rpartition("===\n")
            before, _, lines = text.rpartition("---\n")
            own += [f"{definitions}kprobe:vfs_read {{ {before} $x = {line}; }}" for line in lines.splitlines()]
            own.append(f"kprobe:vfs_read {{ {lines} }}")
    seeds.others.extend(load_findings())
    return seeds


def load_findings() -> list[str]:
    """The shortest scripts of earlier findings."""
    lines = Path(__file__).with_name("findings.txt").read_text(encoding="utf-8").splitlines()
    return [ast.literal_eval(line) for line in lines if not line.startswith("#")]


def _is_whole(path: Path) -> bool:
    """Whether the cases of a file are whole scripts, going by the names of tests/*/test_cases.py."""
    return not path.stem.startswith(("expression", "statement", "type"))
