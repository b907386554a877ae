"""Writes docs/builtins.md from the table of builtins; a test compares the two.

Run as `python -m compiler.builtins_docs > docs/builtins.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from compiler.builtins import BUILTINS, Builtin, Kind
from compiler.helpers import HELPERS

_HEAD = """\
# Builtins

Every builtin variable and function of bpftrace's language. Written by `python -m compiler.builtins_docs` from
`compiler/builtins.py`.

*Type* is that of the value, where it does not depend on the arguments or the probe. *Kernel* is the first that has the
BPF helpers which it needs; no number means that any kernel will do.
"""
_TITLES = {
    Kind.VARIABLE: "Variables",
    Kind.FUNCTION: "Functions",
    Kind.AGGREGATION: "Map value functions",
}


def markdown() -> str:
    """The whole document."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _HEAD.splitlines()
    for kind, title in _TITLES.items():
        yield from ("", f"## {title}", "", "| | | type | probes | kernel |", "|---|---|---|---|---|")
        yield from (_row(entry) for entry in BUILTINS.values() if entry.kind is kind)


def _row(entry: Builtin) -> str:
    least = max((HELPERS[name].least_kernel for name in entry.helpers), default=None)
    doc = f"{entry.doc} (unsafe)" if entry.unsafe else entry.doc
    cells = (
        f"`{entry.signature}`",
        doc,
        f"`{entry.result}`" if entry.result else "",
        ", ".join(sorted(entry.probes)),
        ".".join(map(str, least)) if least else "",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
