"""How a string is searched for in another."""

from __future__ import annotations

from compiler.analysis.program import AnalyzedProgram, string_literal
from compiler.helpers import HELPERS
from compiler.syntax import ast

# Steps that the verifier follows in a loop of the program: of a literal, that is compared at once, and of a string of
# which it has to try where it ends.
_MOST_STEPS_FOR_LITERAL = 50_000
_MOST_STEPS = 400
_FEW_STEPS = 100


def uses_helper(program: AnalyzedProgram, haystack: ast.Expression, needle: ast.Expression) -> bool:
    """Whether the kernel has to do the rounds of a search, because there are too many for the verifier; and of fewer
    too, where every kernel can do them.
    """
    known = string_literal(needle)
    if known is not None:
        return bool(haystack.type.size * len(known.data) > _MOST_STEPS_FOR_LITERAL)
    most = _FEW_STEPS if program.min_kernel >= HELPERS["loop"].least_kernel else _MOST_STEPS
    return bool(haystack.type.size * min(haystack.type.size + 1, needle.type.size) > most)
