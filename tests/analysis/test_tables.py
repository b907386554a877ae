"""The tables that the passes are driven by."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import probe_types
from compiler.arch import ARM64, X86_64
from compiler.builtins import BUILTINS, Builtin, Kind
from compiler.builtins_docs import markdown
from compiler.helpers import HELPERS

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "builtins.md"


def test_docs_are_up_to_date() -> None:
    assert _DOCS.read_text() == markdown(), "run: python -m compiler.builtins_docs > docs/builtins.md"


@pytest.mark.parametrize("entry", BUILTINS.values(), ids=lambda entry: entry.name)
def test_builtin_refers_to_what_exists(entry: Builtin) -> None:
    assert set(entry.helpers) <= set(HELPERS)
    assert entry.probes <= set(probe_types.names())
    assert entry.doc
    assert not entry.doc.endswith(".")


@pytest.mark.parametrize("entry", BUILTINS.values(), ids=lambda entry: entry.name)
def test_optional_parameters_come_last(entry: Builtin) -> None:
    optional = [parameter.optional or parameter.repeated for parameter in entry.parameters]
    assert optional == sorted(optional)
    assert entry.least_arguments <= entry.most_arguments
    if entry.kind is Kind.VARIABLE:
        assert entry.least_arguments == 0


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("pid", "pid([namespace])"),
        ("str", "str(data[, length])"),
        ("printf", "printf(fmt, ...)"),
        ("count", "count()"),
        ("cpu", "cpu"),
    ],
)
def test_signature(name: str, signature: str) -> None:
    assert BUILTINS[name].signature == signature


def test_helper_numbers_are_unique() -> None:
    assert len({helper.id for helper in HELPERS.values()}) == len(HELPERS)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("BEGIN", "begin"), ("begin", "begin"), ("Begin", "begin"), ("k", "kprobe"), ("kr", "kretprobe"),
        ("kfunc", "fentry"), ("kretfunc", "fexit"), ("f", "fentry"), ("fr", "fexit"), ("t", "tracepoint"),
        ("i", "interval"), ("p", "profile"), ("u", "uprobe"), ("U", "usdt"), ("KPROBE", "kprobe"), ("it", "iter"),
        ("rt", "rawtracepoint"), ("h", "hardware"), ("s", "software"), ("w", "watchpoint"),
    ],
)  # fmt: skip
def test_probe_type_by_its_names(written: str, name: str) -> None:
    found = probe_types.find(written)
    assert found is not None
    assert found.name == name


def test_unknown_probe_type() -> None:
    assert probe_types.find("xyz") is None


def test_argument_registers() -> None:
    # struct pt_regs of x86, struct user_pt_regs of arm64
    assert [X86_64.argument_offset(index) for index in range(7)] == [112, 104, 96, 88, 72, 64, None]
    assert X86_64.return_offset == 80
    assert [ARM64.argument_offset(index) for index in range(9)] == [*range(0, 64, 8), None]
    assert ARM64.return_offset == 0
    assert ARM64.registers["sp"] == 31 * 8
    assert ARM64.registers["pc"] == 32 * 8
    assert X86_64.registers["ip"] == 128
