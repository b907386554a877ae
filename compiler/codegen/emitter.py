"""The state of one BPF program's code generation, and what all lowerings use: evaluation, working memory, helpers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from compiler.analysis.program import AnalyzedProgram, BpfProgram, VariableSymbol
from compiler.codegen import cold, lowering
from compiler.codegen.ir import I64, PTR, Function, Label, Operand
from compiler.codegen.values import Place, Value
from compiler.helpers import HELPERS
from compiler.object.resources import CapacityError, ResourcesBuilder, ScratchMap
from compiler.syntax import ast
from compiler.syntax.diagnostics import Diagnostic, DiagnosticError, Severity
from compiler.syntax.source import Span
from compiler.types.lattice import AddressSpace

# The stack is 512 bytes; what these leave is for registers that LLVM saves there.
STACK_OF_TEMPORARIES = 192
STACK_OF_VARIABLES = 160


@dataclass(slots=True)
class Loop:
    """Where `continue` and `break` go."""

    next: Label
    done: Label


@dataclass(slots=True)
class Emitter:
    """Generates the code of one program into `f`."""

    program: AnalyzedProgram
    bpf: BpfProgram
    resources: ResourcesBuilder
    f: Function
    helper_errors: int
    """Report failed helpers: 0 none, 1 all but reads, 2 all."""
    return_value: Operand
    context: Operand = "%ctx"
    variables: dict[VariableSymbol, Place] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    has_many_bools: bool | None = None
    """Whether the program keeps many comparisons in variables; None before somebody asks."""
    _live_bytes: int = 0
    _variable_bytes: int = 0
    _temporaries: list[list[Operand]] = field(default_factory=lambda: [[]])
    _scratch_bases: dict[str, Operand] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ evaluation

    def value(self, node: ast.Expression, into: Place | None = None) -> Value:
        """The value of an expression; aggregates may be made in a given place, and then are."""
        return lowering.EXPRESSIONS[type(node)](self, node, into)

    def scalar(self, node: ast.Expression) -> Operand:
        result = self.value(node)
        if isinstance(result, Place):
            raise AssertionError(f"{type(node).__name__} of type {node.type} is not a scalar")
        return result

    def place(self, node: ast.Expression) -> Place:
        result = self.value(node)
        if not isinstance(result, Place):
            raise AssertionError(f"{type(node).__name__} of type {node.type} is not in memory")
        return result

    def statement(self, node: ast.Statement) -> None:
        with self.temporaries():
            lowering.STATEMENTS[type(node)](self, node)

    def block(self, node: ast.Block) -> None:
        for item in node.statements:
            self.statement(item)

    # ---------------------------------------------------------------------------------------------------- memory

    @contextmanager
    def temporaries(self) -> Iterator[None]:
        """The stack memory that is taken inside may be used again afterwards."""
        self._temporaries.append([])
        live = self._live_bytes
        yield
        self._live_bytes = live
        for slot in self._temporaries.pop():
            self.f.mark("llvm.lifetime.end.p0", slot)

    def temporary(self, size: int, span: Span, on_stack_limit: int | None = None) -> Place:
        """Memory for a value until the end of the statement: on the stack, or in this CPU's working memory if large."""
        limit = self.program.config.on_stack_limit if on_stack_limit is None else on_stack_limit
        if size > limit or self._live_bytes + size > STACK_OF_TEMPORARIES:
            return self.working_memory(size, span)
        self._live_bytes += size + -size % 8
        return self.stack_memory(size)

    def variable_memory(self, size: int, span: Span) -> Place:
        """Memory for a variable, for the whole program."""
        if size > self.program.config.on_stack_limit or self._variable_bytes + size > STACK_OF_VARIABLES:
            return self.working_memory(size, span, at_start=True)
        self._variable_bytes += size + -size % 8
        return Place(self.f.alloca(max(size, 1)))

    def stack_memory(self, size: int) -> Place:
        """The same, on the stack in any case: for the few bytes that LLVM keeps in registers if it can."""
        slot = self.f.alloca(max(size, 1))
        self.f.mark("llvm.lifetime.start.p0", slot)
        self._temporaries[-1].append(slot)
        return Place(slot)

    def working_memory(self, size: int, span: Span, *, at_start: bool = False) -> Place:
        """Memory of this CPU that is this place's own for the whole program; `at_start`: known from its start on.

        A program that interrupts this one on its CPU has other working memory, but this program itself might: the
        kernel does not run a program while it is running on the same CPU, so none does.
        """
        try:
            scratch, offset = self.resources.scratch(size)
        except CapacityError as error:
            raise DiagnosticError(Diagnostic("value-too-large", Severity.ERROR, str(error), span)) from None
        base = self._scratch_base(scratch)
        return Place(self.f.offset_at_start(base, offset) if at_start else self.f.offset(base, offset))

    def guard_against_recursion(self) -> None:
        """Ends the program, as one whose event is lost, if this CPU is in the middle of another one."""
        f = self.f
        scratch, offset = self.resources.running_mark()
        mark = f.offset_at_start(self._scratch_base(scratch), offset)
        nested, first = f.label("nested"), f.label("not.nested")
        f.branch_if(f.compare("ne", f.load(mark, 8, signed=False), "0"), nested, first)
        f.enter(nested)
        cold.count_lost_event(f, self.resources.event_loss)
        f.ret(self.return_value)
        f.enter(first)
        f.store("1", mark, 8)
        f.cleared_at_return = mark

    def _scratch_base(self, scratch: ScratchMap) -> Operand:
        base = self._scratch_bases.get(scratch.symbol)
        if base is None:
            base = self._scratch_bases[scratch.symbol] = self.f.look_up_at_start(
                HELPERS["map_lookup_elem"].id, self.f.module.symbol(scratch.symbol), self.return_value
            )
        return base

    def at(self, place: Place, offset: int) -> Place:
        """The place some bytes further inside BPF memory."""
        return Place(self.f.offset(place.address, offset), alignment=place.aligned_at(offset))

    def symbol_value(self, name: str) -> Operand:
        """A load-time constant as i64."""
        return self.f.module.symbol_value(name)

    def map(self, name: str) -> tuple[str, Operand]:
        """A map, by its symbol, as the argument of a helper."""
        return PTR, self.f.module.symbol(name)

    # --------------------------------------------------------------------------------------------------- helpers

    def helper(self, name: str, *arguments: tuple[str, Operand]) -> Operand:
        return self.f.call_helper(HELPERS[name].id, *arguments)

    def pointer_helper(self, name: str, *arguments: tuple[str, Operand]) -> Operand:
        return self.f.call_pointer_helper(HELPERS[name].id, *arguments)

    def truth(self, node: ast.Expression) -> Operand:
        """An i1: whether a scalar is not zero."""
        return self.f.compare("ne", self.scalar(node), "0")

    @contextmanager
    def when(self, condition: Operand, hint: str) -> Iterator[None]:
        """Code that runs only if the i1 is true."""
        then, done = self.f.label(hint), self.f.label(f"{hint}.done")
        self.f.branch_if(condition, then, done)
        self.f.enter(then)
        yield
        self.f.enter(done)


def i64(value: Operand) -> tuple[str, Operand]:
    """An argument of a helper."""
    return I64, value


def ptr(value: Operand) -> tuple[str, Operand]:
    return PTR, value


_READ_HELPERS = {
    AddressSpace.KERNEL: "probe_read_kernel",
    AddressSpace.USER: "probe_read_user",
    AddressSpace.ANY: "probe_read",
}


def read_helper(space: AddressSpace, *, text: bool = False) -> str:
    """The helper that reads memory of a space."""
    name = _READ_HELPERS[space]
    return f"{name}_str" if text else name
