"""Texts by number: errors, signals, system calls. The files next to this one have a number and a text on each line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

ENTRY_SIZE = 64
"""Bytes of a text with its NUL, as scripts see it."""


@cache
def texts(name: str) -> Mapping[int, str]:
    """The entries of one file, such as `errors`."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = (line.split(" ", 1) for line in lines if not line.startswith("#"))
    return {int(number): text for number, text in entries}


@cache
def packed(name: str, unknown: str) -> bytes:
    """Entries of ENTRY_SIZE for all numbers from 0 to one past the last; `unknown` for that and what has no text."""
    known = texts(name)
    return b"".join(known.get(number, unknown).encode().ljust(ENTRY_SIZE, b"\0") for number in range(max(known) + 2))
