"""Scripts and the assembly of their programs (cases/*.test).

Shown are the instructions of the programs and what they call, without LLVM's directives. The functions that report
errors are left out: they are the same in all.
"""

import re
from pathlib import Path

import pytest

from tests.case_data import Case, load_cases
from tests.codegen.compile import compile_text

CASES = load_cases(Path(__file__).parent / "cases")
_EVERYWHERE = ("report_error:", "count_lost_event:")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    case.check(assembly(compile_text(case.text, min_kernel=(6, 1)).assembly))


def assembly(text: str) -> str:
    """The instructions, function by function."""
    functions = re.split(r"\n(?=(?!LBB)\w+:\n)", text)
    kept = [body for body in functions if re.match(r"\w+:", body) and not body.startswith(_EVERYWHERE)]
    lines = [line for body in kept for line in body.splitlines() if not re.match(r"\s*\.(?!L?LBB)|\.Lfunc_end", line)]
    return "\n".join(line.expandtabs(4) for line in lines if line.strip())
