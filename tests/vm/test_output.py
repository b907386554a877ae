"""What tracers print is, byte by byte, what upstream prints for the same scripts (tests/shim/output_golden)."""

from pathlib import Path

import pytest

from tests.vm.machine import Machine

_GOLDEN = Path(__file__).parent.parent / "shim" / "output_golden"


@pytest.mark.parametrize("name", sorted(path.stem for path in _GOLDEN.glob("*.out")))
def test_output_is_upstreams(machine: Machine, name: str) -> None:
    completed = machine.run(f"/bin/golden_{name}", "-q", "-o", "/tmp/out")
    assert completed.code == 0, completed.stderr
    assert machine.read("/tmp/out") == (_GOLDEN / f"{name}.out").read_bytes()
    errors = _GOLDEN / f"{name}.err"
    expected = errors.read_text() if errors.exists() else ""
    assert completed.stderr.replace(f"tests/shim/output_golden/{name}.bt:", "a.bt:") == expected
