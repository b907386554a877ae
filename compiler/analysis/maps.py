"""Pass: maps.

Before: desugared bodies. After: every Map has a symbol, values of maps without keys are accessed like those of others,
by the key 0; aggregations are assigned directly to a map. Reported: maps that are used both with and without keys, bad
map declarations, declared maps that nothing uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.analysis.program import BpfProgram, MapSymbol, MapType
from compiler.builtins import BUILTINS, Accept, Kind
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.lattice import INT64, NONE, Type

DECLARED_TYPES: Mapping[str, MapType] = {
    "hash": MapType.HASH,
    "lruhash": MapType.LRU_HASH,
    "percpulruhash": MapType.LRU_PERCPU_HASH,
    "percpuhash": MapType.PERCPU_HASH,
}
"""What `let @x = TYPE(N)` takes."""


@dataclass(frozen=True, slots=True)
class MapTable:
    """The maps of the program in order of first mention, and the declared type and size of those that have a
    declaration.
    """

    symbols: dict[str, MapSymbol]
    declared: dict[str, tuple[MapType, int]]

    def keep_used(self, programs: Sequence[BpfProgram]) -> None:
        """Drops the maps that only code had which is gone."""
        used = {node.name for program in programs for node in program.probe.walk() if isinstance(node, ast.Map)}
        for name in set(self.symbols) - used:
            del self.symbols[name]


def run(program: ast.Program, programs: Sequence[BpfProgram], sink: DiagnosticSink) -> MapTable:
    pass_ = _Maps(sink)
    pass_.declarations(program)
    for bpf_program in programs:
        pass_.visit(bpf_program.probe)
    for declaration in program.map_declarations:
        if declaration.name not in pass_.table.symbols:
            sink.warning("map-unused", f"Unused map: {declaration.name}", declaration.span)
    return pass_.table


_MOST_ENTRIES = (1 << 32) - 1  # what the kernel has a number for


class _Maps:
    def __init__(self, sink: DiagnosticSink) -> None:
        self.sink = sink
        self.table = MapTable({}, {})
        self.scalar: dict[str, bool] = {}

    def declarations(self, program: ast.Program) -> None:
        for declaration in program.map_declarations:
            map_type = DECLARED_TYPES.get(declaration.map_type)
            if map_type is None:
                self.sink.error(
                    "map-type",
                    f"Invalid bpf map type: {declaration.map_type}",
                    declaration.span,
                    hints=[f"Valid map types: {', '.join(sorted(DECLARED_TYPES))}"],
                )
                continue
            if declaration.max_entries > _MOST_ENTRIES:
                message = f"A map can have {_MOST_ENTRIES} entries at most: {declaration.name}"
                self.sink.error("map-size", message, declaration.span)
            if declaration.name in self.table.declared:
                self.sink.error(
                    "map-redeclared", f"Redeclaration of existing map: {declaration.name}", declaration.span
                )
            self.table.declared[declaration.name] = map_type, declaration.max_entries

    def symbol(self, node: ast.Map) -> MapSymbol:
        symbol = self.table.symbols.get(node.name)
        if symbol is None:
            symbol = MapSymbol(node.name, node.span, NONE, NONE, MapType.HASH, 0)
            self.table.symbols[node.name] = symbol
        node.symbol = symbol
        return symbol

    def access(self, node: ast.Map, place: ast.Node, *, scalar: bool) -> None:
        """One use of a map; `place` is what a message about it underlines."""
        symbol = self.symbol(node)
        first = self.scalar.setdefault(node.name, scalar)
        if first and scalar:
            symbol.key_type = None
        if first == scalar:
            return
        if scalar:
            message = (
                f"{node.name} used as a map without an explicit key (scalar map), "
                "previously used with an explicit key (non-scalar map)"
            )
        else:
            message = (
                f"{node.name} used as a map with an explicit key (non-scalar map), "
                "previously used without an explicit key (scalar map)"
            )
        self.sink.error("map-keys", message, place.span)

    def visit(self, node: ast.Node) -> None:
        """Visits all below `node`, in source order, replacing plain maps by accesses where a value is meant."""
        match node:
            case ast.Assign(target, None, ast.Call(name) as call) if _is_aggregation(name):
                if isinstance(target, ast.Variable):
                    self.not_direct(call)
                self.replace_fields(node, skip=call)
                self.replace_fields(call)
            case ast.Call(name) if _is_aggregation(name):
                self.not_direct(node)
                self.replace_fields(node)
            case ast.Call():
                self.call(node)
            case ast.MapAccess(map_):
                self.access(map_, node, scalar=False)
                self.replace_fields(node, skip=map_)
            case ast.AddressOf(ast.Map() as map_):
                self.symbol(map_)
            case ast.For(variable, ast.Map() as map_, body):
                symbol = self.symbol(map_)
                if self.scalar.setdefault(map_.name, False):
                    message = f"{symbol.name} has no explicit keys (scalar map), and cannot be used for iteration"
                    self.sink.error("map-keys", message, map_.span)
                self.visit(variable)
                self.visit(body)
            case _:
                self.replace_fields(node)

    def replace_fields(self, node: ast.Node, skip: ast.Node | None = None) -> None:
        ast.replace_children(node, lambda child: child if child is skip else self.value(child))

    def value(self, node: ast.Node) -> ast.Node:
        """Visits a child; a plain map in the place of a value becomes an access."""
        if not isinstance(node, ast.Map):
            self.visit(node)
            return node
        self.access(node, node, scalar=True)
        return ast.MapAccess(node, _scalar_key(node), span=node.span)

    def not_direct(self, call: ast.Call) -> None:
        self.sink.error("aggregation", f"{call.name}() must be assigned directly to a map", call.span)

    def call(self, call: ast.Call) -> None:
        builtin = BUILTINS.get(call.name)
        takes_map = (
            builtin is not None
            and bool(builtin.parameters)
            and (builtin.parameters[0].accept is Accept.MAP or builtin.name in ("print", "len"))
        )
        match call.arguments:
            case [ast.Map() as map_, *_] if takes_map:
                self.symbol(map_)
                self.check_call(call, map_)
                ast.replace_children(call, lambda child: child if child is map_ else self.value(child))
            case _:
                if takes_map and call.name not in ("print", "len") and call.arguments:
                    self.sink.error("map-argument", f"{call.name}() expects a map argument", call.arguments[0].span)
                self.replace_fields(call)

    def check_call(self, call: ast.Call, map_: ast.Map) -> None:
        """Some functions tell how many keys their map has."""
        needs_keys = {"has_key": "has_key()", "find": "find", "len": "len()", "delete": "delete() with two arguments"}
        if call.name not in needs_keys:
            return
        scalar = call.name == "delete" and len(call.arguments) == 1
        if self.scalar.setdefault(map_.name, scalar) == scalar:
            if scalar:
                map_.symbol.key_type = None
            return
        if scalar:
            message = "call to delete() with a single argument expects a map without explicit keys (scalar map)"
        else:
            message = f"call to {needs_keys[call.name]} expects a map with explicit keys (non-scalar map)"
        self.sink.error("map-keys", message, call.span)


def _scalar_key(node: ast.Map) -> ast.Integer:
    key = ast.Integer(0, span=node.span)
    key.type = INT64
    return key


def key_type(symbol: MapSymbol) -> Type:
    """The type of a map's keys, also of one without: that has the single key 0."""
    return INT64 if symbol.key_type is None else symbol.key_type


def _is_aggregation(name: str) -> bool:
    builtin = BUILTINS.get(name)
    return builtin is not None and builtin.kind is Kind.AGGREGATION
