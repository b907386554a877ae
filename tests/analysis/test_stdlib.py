"""The part of the library that is written in bpftrace."""

from __future__ import annotations

import pytest

from compiler import stdlib
from compiler.builtins import BUILTINS, Builtin

_ENTRIES = [entry for entry in BUILTINS.values() if entry.library]


@pytest.mark.parametrize("entry", _ENTRIES, ids=lambda entry: entry.name)
def test_macros_take_what_the_table_says(entry: Builtin) -> None:
    counts = [len(macro.parameters) for macro in stdlib.macros(entry.name)]
    assert (min(counts), max(counts)) == (entry.least_arguments, entry.most_arguments)


def test_every_macro_is_in_the_table() -> None:
    for file in stdlib.FOLDER.glob("*.bt"):
        for name in stdlib.load(file.name):
            assert name.startswith("__") or BUILTINS[name].library == file.name


def test_other_names_have_none() -> None:
    assert not stdlib.macros("printf")
    assert not stdlib.macros("nosuch")
