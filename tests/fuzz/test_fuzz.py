"""A slice of the fuzzer's work, and that it would notice."""

from __future__ import annotations

from random import Random

import pytest

from compiler.analysis import fold
from tests.fuzz import main
from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import load_findings, load_seeds
from tests.fuzz.target import Target, reduce


def test_slice(capfd: pytest.CaptureFixture[str]) -> None:
    code = main.main(["--count", "2000", "--seconds", "10", "--seed", "2026"])
    assert code == 0, capfd.readouterr().out


def test_inputs_depend_on_the_seed_alone() -> None:
    seeds = load_seeds()
    texts = [[mutate(Random(f"1:{number}"), seeds) for number in range(50)] for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 45


def test_earlier_findings_are_fixed() -> None:
    target = Target()
    findings = {text: target.run(text, Random(1)) for text in load_findings()}
    target.close()
    assert not {text: finding for text, finding in findings.items() if finding is not None}


def test_crash_is_found_and_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fold._evaluate

    def evaluate(op: str, left: int, right: int) -> int | None:
        if op == "^":
            raise KeyError(op)
        return before(op, left, right)

    monkeypatch.setattr(fold, "_evaluate", evaluate)
    target = Target(with_llvm=False)
    text = 'BEGIN { printf("hello"); $x = 1 + 2; print(5 ^ 3, 1); exit(); }'
    finding = target.run(text, Random(1))
    assert finding is not None
    assert finding.kind == "KeyError in test_fuzz.py:evaluate"
    shorter = reduce(target, text, finding.kind, Random(1))
    assert len(shorter) < len("BEGIN { 5 ^ 3 }") + 8
    assert "^" in shorter


def test_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_arguments: object) -> None:
        while True:
            pass

    monkeypatch.setattr(fold, "run", hang)
    finding = Target(with_llvm=False).run("BEGIN { exit() }", Random(1), seconds=0.2)
    assert finding is not None
    assert finding.kind == "timeout"
    assert "hang" in finding.details
