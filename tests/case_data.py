"""Data-driven cases, in the manner of mypy's.

A `.test` file is a row of

    [case name of the case]
    input, over any number of lines
    [out]
    what is expected

What comes before the first case is a comment. White space at the end of lines and empty lines at the end of a
section do not count. Each room's test says how the output comes about; `UPDATE_CASES=1` in the environment of a
plain pytest run writes what did come out into the files, to be read before it is committed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_MARKER = re.compile(r"^\[(?:case (?P<name>.+)|out)\]\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    path: Path
    name: str
    text: str
    """The input, newline-terminated."""
    expected: str

    def __str__(self) -> str:
        """The id of the parametrized test."""
        return f"{self.path.stem}: {self.name}"

    def check(self, actual: str) -> None:
        """Fails unless `actual` is what the case expects."""
        if os.environ.get("UPDATE_CASES") and _trimmed(actual) != self.expected:
            _replace_output(self, _trimmed(actual))
            return
        assert _trimmed(actual) == self.expected


def load_cases(folder: Path, pattern: str = "*.test") -> list[Case]:
    """All cases of the files in `folder`; none, or two of one name in a file, is a ValueError."""
    cases = [case for path in sorted(folder.glob(pattern)) for case in _read(path)]
    if not cases:
        raise ValueError(f"no case in {folder}/{pattern}")
    return cases


def _read(path: Path) -> list[Case]:
    content = path.read_text(encoding="utf-8")
    markers = list(_MARKER.finditer(content))
    ends = [marker.start() for marker in markers[1:]] + [len(content)]
    sections = [(marker["name"], content[marker.end() : end]) for marker, end in zip(markers, ends, strict=True)]
    cases: dict[str, Case] = {}
    for (name, text), (out, expected) in zip(sections[::2], sections[1::2], strict=True):
        if name is None or out is not None or name in cases:
            raise ValueError(f"{path}: [case {name}] without [out], or twice")
        cases[name] = Case(path, name, text.rstrip("\n") + "\n", _trimmed(expected))
    return list(cases.values())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")


def _replace_output(case: Case, actual: str) -> None:
    content = case.path.read_text(encoding="utf-8")
    start = content.index("[out]\n", content.index(f"[case {case.name}]\n")) + len("[out]\n")
    following = _MARKER.search(content, start)
    end = following.start() if following is not None else len(content)
    output = f"{actual}\n" if actual else ""
    separator = "\n" if following is not None else ""
    case.path.write_text(content[:start] + output + separator + content[end:], encoding="utf-8")
