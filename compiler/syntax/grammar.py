"""The words and operators that the grammar knows."""

from __future__ import annotations

import re
from typing import Literal, get_args

from compiler.syntax import ast

# Binary operators by how tightly they bind; all associate to the left.
_LEVELS: tuple[tuple[ast.BinaryOp, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
BINARY_OPERATORS: dict[str, tuple[ast.BinaryOp, int]] = {
    op: (op, precedence) for precedence, level in enumerate(_LEVELS, 1) for op in level
}
UNARY_PRECEDENCE = len(_LEVELS) + 1

UNARY_OPERATORS: dict[str, ast.UnaryOp] = {op: op for op in get_args(ast.UnaryOp)}
ASSIGN_OPERATORS: dict[str, ast.AssignOp] = {f"{op}=": op for op in get_args(ast.AssignOp)}

# Names that are never a macro's parameter, a record's field or a type. Other builtins are plain identifiers to the
# grammar, because the standard library may define them as macros.
_BUILTIN_WORDS = (
    "args ctx kstack nsecs pid tid ustack __builtin_comm __builtin_cpid __builtin_cpu __builtin_dw_ustack "
    "__builtin_elapsed __builtin_func __builtin_ncpus __builtin_probe __builtin_retval __builtin_usermode"
)
_BUILTINS = frozenset(_BUILTIN_WORDS.split())
_NUMBERED_BUILTIN = re.compile(r"s?arg[0-9]+")

# Names that mean a type even where an expression could stand, as in sizeof(NAME).
_TYPE_WORDS = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 void string buffer inet timestamp username_t macaddr_t "
    "cgroup_path_t count_t min_t max_t sum_t avg_t stats_t umin_t umax_t usum_t uavg_t ustats_t"
)
TYPE_NAMES = frozenset(_TYPE_WORDS.split())

# Words that begin a statement where one may stand. Elsewhere they are names as any other.
STATEMENT_WORDS = frozenset(("break", "continue", "for", "import", "let", "return", "unroll", "while"))

RECORD_KINDS: dict[str, Literal["struct", "union", "enum"]] = {"struct": "struct", "union": "union", "enum": "enum"}


def is_builtin(name: str) -> bool:
    return name in _BUILTINS or (name.find("arg", 0, 4) >= 0 and _NUMBERED_BUILTIN.fullmatch(name) is not None)
