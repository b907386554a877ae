"""The tables of lowerings are complete: a builtin or a node that analysis lets through has code."""

from compiler.builtins import BUILTINS, Kind
from compiler.codegen import generator, lowering
from compiler.syntax import ast

# Not values: analysis replaces them, or the parts of the language that look at them do.
_NEVER_LOWERED = {
    "args",  # only as the target of a FieldAccess
    "config",  # a literal
    "fail", "is_array", "is_integer", "is_literal", "is_ptr", "is_scalar", "is_str", "is_unsigned_integer",
}  # fmt: skip

_REPLACED_BY_ANALYSIS = {
    ast.Identifier, ast.Map, ast.TypeArgument, ast.TypeInfo, ast.Comptime,
}  # fmt: skip


def test_every_builtin_has_one_lowering() -> None:
    assert generator.__doc__
    compiled = {entry.name: entry for entry in BUILTINS.values() if not entry.library}
    functions = {name for name, entry in compiled.items() if entry.kind is not Kind.AGGREGATION} - _NEVER_LOWERED
    aggregations = {name for name, entry in compiled.items() if entry.kind is Kind.AGGREGATION}
    assert set(lowering.BUILTINS) <= set(BUILTINS)
    assert functions - set(lowering.BUILTINS) == set()
    assert aggregations - set(lowering.AGGREGATIONS) == set()


def test_every_lowering_is_of_a_builtin() -> None:
    assert set(lowering.BUILTINS) | set(lowering.AGGREGATIONS) <= set(BUILTINS)


def test_every_expression_has_a_lowering() -> None:
    classes = {value for value in vars(ast).values() if isinstance(value, type)}
    expressions = {class_ for class_ in classes if issubclass(class_, ast.Expression)} - {ast.Expression}
    assert expressions - set(lowering.EXPRESSIONS) == _REPLACED_BY_ANALYSIS
