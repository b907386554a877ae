"""The abstract syntax tree of a bpftrace program.

The parser makes it, analysis fills the `type` of expressions and type names, code generation reads it. Operators
and sigils are kept as they are written: a variable's name is `$x`, a map's `@x`.

Positional fields are those of the syntax, so nodes are made and matched alike: `Binary(">", left, right)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

# Re-exported, so that users of the tree need one module.
from compiler.syntax.node import Node as Node
from compiler.syntax.node import equal as equal
from compiler.syntax.node import replace_children as replace_children
from compiler.syntax.node import transform as transform
from compiler.syntax.source import Span
from compiler.syntax.source import decode as decode
from compiler.syntax.source import encode as encode

BinaryOp: TypeAlias = Literal[
    "||", "&&", "|", "^", "&", "==", "!=", "<", ">", "<=", ">=", "<<", ">>", "+", "-", "*", "/", "%"
]  # fmt: skip
AssignOp: TypeAlias = Literal["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
UnaryOp: TypeAlias = Literal["-", "!", "~", "*"]

# ---------------------------------------------------------------------------------------------------- base classes


@dataclass(slots=True, eq=False)
class Expression(Node):
    """Anything with a value; `type` is set by type resolution (a type of compiler.types, which syntax cannot name)."""

    type: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class TypeExpression(Node):
    """A type as written; `type` is what type resolution made of it."""

    type: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Statement(Node):
    """Something that is executed for its effect."""


# ----------------------------------------------------------------------------------------------------------- types


@dataclass(slots=True, eq=False)
class NamedType(TypeExpression):
    """A plain name: `int32`, `string`, a typedef, or a macro's type parameter."""

    name: str


@dataclass(slots=True, eq=False)
class RecordType(TypeExpression):
    """`struct NAME`, `union NAME` or `enum NAME`."""

    kind: Literal["struct", "union", "enum"]
    name: str


@dataclass(slots=True, eq=False)
class PointerType(TypeExpression):
    """`POINTEE *`."""

    pointee: TypeExpression


@dataclass(slots=True, eq=False)
class ArrayType(TypeExpression):
    """`ELEMENT[size]`, also `string[N]`; size 0 is `[]`. Suffixes nest left to right: the last one is outermost."""

    element: TypeExpression
    size: int


@dataclass(slots=True, eq=False)
class TypeOf(TypeExpression):
    """`typeof(OPERAND)`. An Identifier as operand may still turn out to name a type."""

    operand: Expression | TypeExpression


# -------------------------------------------------------------------------------------------------------- literals


@dataclass(slots=True, eq=False)
class Integer(Expression):
    """A number, from 0 to 2**64-1 out of the parser (folding may make it negative).

    `text` is the source spelling when there is one (`0x10`, `1_000`, `5ms`).
    """

    value: int
    text: str | None = None


@dataclass(slots=True, eq=False)
class Boolean(Expression):
    value: bool


@dataclass(slots=True, eq=False)
class String(Expression):
    """A string literal with its escapes resolved; bytes that are not UTF-8 are surrogate escapes."""

    value: str

    @property
    def data(self) -> bytes:
        """The exact bytes, without the terminating NUL."""
        return encode(self.value)


# --------------------------------------------------------------------------------------------- names and variables


@dataclass(slots=True, eq=False)
class Identifier(Expression):
    """A bare name: an enum value, a C macro, a bpftrace macro or builtin without arguments, or a macro parameter."""

    name: str


@dataclass(slots=True, eq=False)
class Builtin(Expression):
    """A builtin that the grammar knows by name (`pid`, `args`, `arg0`); the others are Identifiers to the parser.

    Name resolution makes every builtin variable one of these; `builtin` is its entry in compiler.builtins.
    """

    name: str
    builtin: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class PositionalParameter(Expression):
    """`$N`, N >= 1."""

    index: int


@dataclass(slots=True, eq=False)
class PositionalParameterCount(Expression):
    """`$#`."""


@dataclass(slots=True, eq=False)
class Variable(Expression):
    """A scratch variable, `$x`; `symbol` is the VariableSymbol that name resolution found."""

    name: str
    symbol: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Map(Expression):
    """A map as a whole (`print(@x)`) or one without keys; `@` is a name too. `symbol` is its MapSymbol."""

    name: str
    symbol: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class MapAccess(Expression):
    """`@x[key]`; several keys are one Tuple."""

    map: Map
    key: Expression


@dataclass(slots=True, eq=False)
class AddressOf(Expression):
    """`&$x` or `&@x`."""

    target: Variable | Map


# ------------------------------------------------------------------------------------------------------- operators


@dataclass(slots=True, eq=False)
class Binary(Expression):
    op: BinaryOp
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Unary(Expression):
    """A prefix operator; `*` reads through a pointer."""

    op: UnaryOp
    operand: Expression


@dataclass(slots=True, eq=False)
class IncDec(Expression):
    """`++x`, `--x` (prefix) and `x++`, `x--`."""

    op: Literal["++", "--"]
    target: Variable | Map | MapAccess
    prefix: bool


@dataclass(slots=True, eq=False)
class Cast(Expression):
    """`(type)operand`. Analysis adds `implicit` ones where a value's type differs from what its place wants."""

    to: TypeExpression
    operand: Expression
    implicit: bool = field(default=False, kw_only=True)


@dataclass(slots=True, eq=False)
class FieldAccess(Expression):
    """`target.name`, or `target->name` (`arrow`), which means the same; `field` is the ResolvedField it names."""

    target: Expression
    name: str
    arrow: bool = False
    field: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class ArrayAccess(Expression):
    target: Expression
    index: Expression


@dataclass(slots=True, eq=False)
class TupleAccess(Expression):
    """`target.0`."""

    target: Expression
    index: int


# -------------------------------------------------------------------------------------------- compound expressions


@dataclass(slots=True, eq=False)
class Tuple(Expression):
    elements: list[Expression]


@dataclass(slots=True, eq=False)
class NamedArgument(Node):
    """`name=value` inside a Record."""

    name: str
    value: Expression


@dataclass(slots=True, eq=False)
class Record(Expression):
    """`(a=1, b=2)`, a tuple with named fields."""

    fields: list[NamedArgument]


@dataclass(slots=True, eq=False)
class Block(Expression):
    """`{ statements; result }`; without a result it has no value."""

    statements: list[Statement]
    result: Expression | None = None


@dataclass(slots=True, eq=False)
class If(Expression):
    """`if`, `c ? a : b` (`ternary`) and `c ?: b` (`elvis`, where `then` is a copy of the condition).

    For the form `if`, `then` is a Block and `orelse` a Block, another If of the same form, or None.
    """

    condition: Expression
    then: Expression
    orelse: Expression | None
    form: Literal["if", "ternary", "elvis"] = "if"


# ----------------------------------------------------------------------------------------------- calls and queries


@dataclass(slots=True, eq=False)
class TypeArgument(Expression):
    """A type handed to a call: `f(typeof(int8))`."""

    of: TypeOf


@dataclass(slots=True, eq=False)
class Call(Expression):
    """A call of a function, a macro or a subprogram; `builtin` is its entry in compiler.builtins, if it has one."""

    name: str
    arguments: list[Expression]
    builtin: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class SizeOf(Expression):
    """An Identifier as operand may still turn out to name a type."""

    operand: Expression | TypeExpression


@dataclass(slots=True, eq=False)
class OffsetOf(Expression):
    """`offsetof(struct s, a.b)`; see SizeOf for the operand."""

    operand: Expression | TypeExpression
    fields: list[str]


@dataclass(slots=True, eq=False)
class TypeInfo(Expression):
    """See SizeOf for the operand."""

    operand: Expression | TypeExpression


@dataclass(slots=True, eq=False)
class Comptime(Expression):
    """`comptime EXPR`: must be known when compiling."""

    operand: Expression


# ------------------------------------------------------------------------------------------------------ statements


@dataclass(slots=True, eq=False)
class ExpressionStatement(Statement):
    expression: Expression


@dataclass(slots=True, eq=False)
class Discard(Statement):
    """`_ = EXPR;`."""

    expression: Expression


@dataclass(slots=True, eq=False)
class VariableDeclaration(Statement):
    """`let $x`, with an optional type and an optional first value. `declaration_span` is `let $x` alone."""

    variable: Variable
    declared: TypeExpression | None
    value: Expression | None
    declaration_span: Span = field(kw_only=True, repr=False)


@dataclass(slots=True, eq=False)
class Assign(Statement):
    """`target = value`, or with `op` the compound form: `+` for `+=`. `operator_span` is from the operator on."""

    target: Variable | Map | MapAccess
    op: AssignOp | None
    value: Expression
    operator_span: Span = field(kw_only=True, repr=False)


@dataclass(slots=True, eq=False)
class Unroll(Statement):
    count: Expression
    body: Block


@dataclass(slots=True, eq=False)
class While(Statement):
    condition: Expression
    body: Block


@dataclass(slots=True, eq=False)
class Range(Node):
    """`start..end`, end excluded."""

    start: Expression
    end: Expression


@dataclass(slots=True, eq=False)
class For(Statement):
    variable: Variable
    iterable: Map | Range
    body: Block


@dataclass(slots=True, eq=False)
class Break(Statement):
    pass


@dataclass(slots=True, eq=False)
class Continue(Statement):
    pass


@dataclass(slots=True, eq=False)
class Return(Statement):
    value: Expression | None = None


@dataclass(slots=True, eq=False)
class ImportStatement(Statement):
    """An import inside a block, which reaches no further than the standard library's C parts."""

    path: str


# ------------------------------------------------------------------------------------------------------- top level


@dataclass(slots=True, eq=False)
class Import(Node):
    path: str


@dataclass(slots=True, eq=False)
class CSource(Node):
    """A C source that an import brings; the parser makes none."""

    path: str


@dataclass(slots=True, eq=False)
class CDefinition(Node):
    """A preprocessor line or a struct, union or enum definition, verbatim: libclang's business."""

    text: str


@dataclass(slots=True, eq=False)
class ConfigSetting(Node):
    """`name = value`; a bare word is a str too."""

    name: str
    value: int | str | bool


@dataclass(slots=True, eq=False)
class Config(Node):
    settings: list[ConfigSetting]


@dataclass(slots=True, eq=False)
class MapDeclaration(Node):
    """`let @x = map_type(max_entries);`."""

    name: str
    map_type: str
    max_entries: int


@dataclass(slots=True, eq=False)
class Macro(Node):
    """Parameters are Variable (`$x`), Map (`@x`) or Identifier (any expression). The span ends with the name."""

    name: str
    parameters: list[Variable | Map | Identifier]
    body: Block


@dataclass(slots=True, eq=False)
class Parameter(Node):
    variable: Variable
    declared: TypeExpression


@dataclass(slots=True, eq=False)
class Subprogram(Node):
    """`fn name($a : type) : type { ... }`. The span ends with the name."""

    name: str
    parameters: list[Parameter]
    return_type: TypeExpression
    body: Block


@dataclass(slots=True, eq=False)
class AttachPointPart(Node):
    """One field of an attach point, quotes resolved: text, and positional parameters as their index.

    `separator` stands before it: empty for the first, else `:` or `@` (before a source file: `path@file.c:12`).
    """

    pieces: tuple[str | int, ...]
    separator: Literal["", ":", "@"] = ""

    @property
    def text(self) -> str:
        """The text, parameters shown as `$N`."""
        return "".join(f"${piece}" if isinstance(piece, int) else piece for piece in self.pieces)

    @property
    def has_parameters(self) -> bool:
        return any(isinstance(piece, int) for piece in self.pieces)


@dataclass(slots=True, eq=False)
class AttachPoint(Node):
    """`name=provider:target:...` as written; what it means is for probe expansion to find out.

    `parts[0]` is the provider as written (short name, wildcard or old spelling), without `name=`.
    """

    text: str
    parts: list[AttachPointPart]
    name: str | None = None

    @property
    def provider(self) -> str:
        return self.parts[0].text if self.parts else ""


@dataclass(slots=True, eq=False)
class Probe(Node):
    """Attach points, an optional predicate and the action. The span is that of the attach points."""

    attach_points: list[AttachPoint]
    predicate: Expression | None
    body: Block
    predicate_span: Span | None = field(default=None, kw_only=True, repr=False)


@dataclass(slots=True, eq=False)
class Program(Node):
    """A whole file. Each list is in source order; `header` is the `#!` line, newline included.

    `comments` are not part of the structure.
    """

    header: str | None = None
    c_definitions: list[CDefinition] = field(default_factory=list)
    config: Config | None = None
    imports: list[Import] = field(default_factory=list)
    map_declarations: list[MapDeclaration] = field(default_factory=list)
    macros: list[Macro] = field(default_factory=list)
    subprograms: list[Subprogram] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    c_sources: list[CSource] = field(default_factory=list)
    comments: list[Span] = field(default_factory=list, init=False, repr=False)
