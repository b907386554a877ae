"""Writes LLVM IR as text: a module, and functions built block by block.

Operands are strings as they stand in the IR (`%v1`, `42`, `@symbol`); only two kinds of value pass between instructions
here, `i64` and `ptr`. Narrower integers exist between a load or store and its extension or truncation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Operand = str
Label = str

I64 = "i64"
PTR = "ptr"
NULL: Operand = "null"

# The data layout of LLVM's BPF target. Without it loads would count as unaligned and be split.
DATA_LAYOUT = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"

# LLVM expands a memset or memcpy of a known length up to this one, and gives up on longer ones.
MAX_INLINE_BYTES = 1024


def constant(value: int, bits: int = 64, *, signed: bool = True) -> Operand:
    """The i64 for an integer of `bits` bits; what does not fit wraps around."""
    value &= (1 << bits) - 1
    if value >> 63 or (signed and value >> (bits - 1)):
        value -= 1 << (64 if value >> 63 else bits)
    return str(value)


def string_bytes(data: bytes) -> str:
    """A constant array of the bytes."""
    text = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:02X}" for byte in data)
    return f'[{len(data)} x i8] c"{text}"'


@dataclass(slots=True)
class Module:
    """Symbols that the target host resolves, constant data, and functions."""

    symbols: dict[str, None] = field(default_factory=dict)
    constants: dict[bytes, str] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    declarations: dict[str, None] = field(default_factory=dict)

    def symbol(self, name: str) -> Operand:
        """The address of an undefined symbol, as a pointer.

        It is weak because LLVM takes it for granted that the address of a strong one is neither null nor equal to
        another's, and its type is i8, so that nothing is known about its low bits.
        """
        self.symbols[name] = None
        return f'@"{name}"'

    def symbol_value(self, name: str) -> Operand:
        """The same as i64."""
        return f"ptrtoint (ptr {self.symbol(name)} to i64)"

    def constant(self, data: bytes) -> Operand:
        """The address of read-only bytes; that of none, as an empty tuple has, is in the section too."""
        name = self.constants.setdefault(data or b"\0", f"constant.{len(self.constants)}")
        return f"@{name}"

    def declare(self, declaration: str) -> None:
        self.declarations[declaration] = None

    def __str__(self) -> str:
        lines = [f'target datalayout = "{DATA_LAYOUT}"', 'target triple = "bpf"', ""]
        lines += [f'@"{name}" = extern_weak global i8' for name in self.symbols]
        lines += [
            f'@{name} = private constant {string_bytes(data)}, section ".rodata", align 8'
            for data, name in self.constants.items()
        ]
        lines += [f"declare {declaration}" for declaration in self.declarations]
        lines += [str(function) for function in self.functions]
        # Loops stay loops, and zeroing loops do not become calls that no one defines.
        lines += [
            "",
            'attributes #0 = { nounwind "no-builtins" }',
            'attributes #1 = { noinline nounwind "no-builtins" }',
        ]
        lines += ["!0 = distinct !{!0, !1}", '!1 = !{!"llvm.loop.unroll.disable"}', ""]
        return "\n".join(lines)


class Function:
    """One function under construction. Instructions go to the end of the current block."""

    def __init__(
        self, module: Module, name: str, section: str, parameters: Sequence[tuple[str, str]], linkage: str
    ) -> None:
        self.module = module
        self.name = name
        self._section = section
        self._parameters = parameters
        self._linkage = linkage
        self._allocas: list[str] = []
        self._prologue: list[str] = []
        self._blocks: list[tuple[Label, list[str]]] = []
        self._lines: list[str] | None = None
        self.cleared_at_return: Operand | None = None
        """The address of a u64 that is set to zero when the function returns."""
        self._current: Label = ""
        self._sources: dict[Label, list[Label]] = {}
        self._dominators: dict[Label, Label | None] = {}
        self._known: dict[str, tuple[Operand, Label]] = {}
        self._count = 0
        module.functions.append(self)
        self.enter(self.label("start"))

    # ---------------------------------------------------------------------------------------------------- blocks

    def label(self, hint: str) -> Label:
        self._count += 1
        return f"{hint}.{self._count}"

    def enter(self, label: Label) -> None:
        """Begins the block `label`; the block before it falls through to it if it has not ended."""
        if self._lines is not None:
            self.branch(label)
        self._lines = []
        self._current = label
        self._blocks.append((label, self._lines))
        self._dominators[label] = self._common_dominator(self._sources.get(label, []))

    @property
    def current(self) -> Label:
        """The block that instructions go to now, as `phi` wants it."""
        if self._lines is None:
            self.enter(self.label("unreachable"))
        return self._current

    def branch(self, label: Label) -> None:
        self._leads_to(label)
        self._terminate(f"br label %{label}")

    def branch_if(self, condition: Operand, then: Label, otherwise: Label) -> None:
        self._leads_to(then)
        self._leads_to(otherwise)
        self._terminate(f"br i1 {condition}, label %{then}, label %{otherwise}")

    def loop_back(self, label: Label) -> None:
        """A branch to the head of a loop, which is not to be unrolled."""
        self._leads_to(label)
        self._terminate(f"br label %{label}, !llvm.loop !0")

    def _leads_to(self, label: Label) -> None:
        source = self.current
        if source != self._blocks[0][0] and self._dominators[source] is None:
            return  # from code that nothing reaches
        if label not in self._dominators:
            self._sources.setdefault(label, []).append(source)
        elif not self._dominates(label, source):
            raise AssertionError(f"a branch from {source} into the loop of {label}")

    def _common_dominator(self, labels: Sequence[Label]) -> Label | None:
        """The last block that every way to all of these goes through; None for code that nothing reaches."""
        common = labels[0] if labels else None
        for label in labels[1:]:
            while common is not None and not self._dominates(common, label):
                common = self._dominators[common]
        return common

    def _dominates(self, label: Label, other: Label | None) -> bool:
        """Whether every way to `other` goes through `label`."""
        while other is not None and other != label:
            other = self._dominators[other]
        return other is not None

    def ret(self, value: Operand) -> None:
        if self.cleared_at_return is not None:
            self.store("0", self.cleared_at_return, 8)
        self._terminate(f"ret i64 {value}")

    def _terminate(self, text: str) -> None:
        self.emit(text)
        self._lines = None

    # ---------------------------------------------------------------------------------------------- instructions

    def emit(self, text: str) -> None:
        if self._lines is None:  # code that nothing reaches: LLVM drops it
            self.enter(self.label("unreachable"))
        assert self._lines is not None
        self._lines.append(text)

    def value(self, text: str) -> Operand:
        """Emits an instruction that has a result."""
        self._count += 1
        name = f"%v{self._count}"
        self.emit(f"{name} = {text}")
        return name

    def once(self, name: str, make: Callable[[], Operand]) -> Operand:
        """A value that stays the same while the function runs: what `make` emits, or has emitted on every way here."""
        value, label = self._known.get(name, ("", ""))
        if not value or not self._dominates(label, self.current):
            value = make()
            self._known[name] = value, self.current
        return value

    def at_start(self, text: str) -> Operand:
        """An instruction with a result at the start of the function, which dominates everything."""
        self._count += 1
        name = f"%p{self._count}"
        self._prologue.append(f"{name} = {text}")
        return name

    def look_up_at_start(self, helper: int, map_: Operand, return_value: Operand) -> Operand:
        """Looks up entry 0 of an array at the start of the function, which returns if there is none (there is)."""
        key = self.alloca(4, 4)
        self._prologue.append(f"store i32 0, ptr {key}, align 4")
        entry = self.at_start(f"call ptr inttoptr (i64 {helper} to ptr)(ptr {map_}, ptr {key})")
        missing = self.at_start(f"icmp eq ptr {entry}, null")
        absent, present = self.label("absent"), self.label("present")
        self._prologue += [
            f"br i1 {missing}, label %{absent}, label %{present}",
            f"{absent}:",
            f"ret i64 {return_value}",
            f"{present}:",
        ]
        return entry

    def offset_at_start(self, pointer: Operand, by: int) -> Operand:
        return self.at_start(f"getelementptr inbounds i8, ptr {pointer}, i64 {by}")

    def zero_at_start(self, pointer: Operand, size: int) -> None:
        """Clears up to MAX_INLINE_BYTES bytes before anything else happens."""
        self.module.declare("void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        self._prologue.append(f"call void @llvm.memset.p0.i64(ptr align 8 {pointer}, i8 0, i64 {size}, i1 false)")

    def alloca(self, size: int, alignment: int = 8) -> Operand:
        self._count += 1
        name = f"%a{self._count}"
        self._allocas.append(f"{name} = alloca [{size} x i8], align {alignment}")
        return name

    def binary(self, operation: str, left: Operand, right: Operand, type_: str = I64) -> Operand:
        return self.value(f"{operation} {type_} {left}, {right}")

    def compare(self, predicate: str, left: Operand, right: Operand, type_: str = I64) -> Operand:
        """An i1, which conditional branches and `select` take; `boolean` makes a value of it."""
        return self.value(f"icmp {predicate} {type_} {left}, {right}")

    def boolean(self, condition: Operand) -> Operand:
        return self.value(f"zext i1 {condition} to i64")

    def select(self, condition: Operand, left: Operand, right: Operand, type_: str = I64) -> Operand:
        return self.value(f"select i1 {condition}, {type_} {left}, {type_} {right}")

    def phi(self, incoming: Sequence[tuple[Operand, Label]], type_: str = I64) -> Operand:
        return self.value(f"phi {type_} " + ", ".join(f"[ {value}, %{label} ]" for value, label in incoming))

    def offset(self, pointer: Operand, by: int | Operand) -> Operand:
        """The pointer moved by a number of bytes."""
        if by in (0, "0"):
            return pointer
        return self.value(f"getelementptr inbounds i8, ptr {pointer}, i64 {by}")

    def load(self, pointer: Operand, size: int, *, signed: bool, alignment: int = 8) -> Operand:
        """A 64-bit value from `size` (1, 2, 4, 8) bytes in BPF memory."""
        alignment = min(size, alignment)
        if size == 8:
            return self.value(f"load i64, ptr {pointer}, align {alignment}")
        narrow = self.value(f"load i{size * 8}, ptr {pointer}, align {alignment}")
        return self.value(f"{'sext' if signed else 'zext'} i{size * 8} {narrow} to i64")

    def store(self, value: Operand, pointer: Operand, size: int, *, alignment: int = 8) -> None:
        """Stores the lower `size` bytes of a 64-bit value."""
        alignment = min(size, alignment)
        if size < 8:
            value = self.value(f"trunc i64 {value} to i{size * 8}")
        self.emit(f"store i{size * 8} {value}, ptr {pointer}, align {alignment}")

    def narrow(self, value: Operand, bits: int, *, signed: bool) -> Operand:
        """The lower `bits` of a value, extended to 64 again."""
        if bits == 64:
            return value
        cut = self.value(f"trunc i64 {value} to i{bits}")
        return self.value(f"{'sext' if signed else 'zext'} i{bits} {cut} to i64")

    def to_integer(self, pointer: Operand) -> Operand:
        return self.value(f"ptrtoint ptr {pointer} to i64")

    def to_pointer(self, integer: Operand) -> Operand:
        return self.value(f"inttoptr i64 {integer} to ptr")

    def intrinsic(self, name: str, result: str, *arguments: tuple[str, Operand]) -> Operand:
        self.module.declare(f"{result} @{name}({', '.join(type_ for type_, _ in arguments)})")
        return self.value(f"call {result} @{name}({_arguments(arguments)})")

    def mark(self, name: str, pointer: Operand) -> None:
        """An intrinsic without a result that takes a pointer, such as the start or end of a lifetime."""
        self.module.declare(f"void @{name}(ptr)")
        self.emit(f"call void @{name}(ptr {pointer})")

    def minimum(self, left: Operand, right: Operand) -> Operand:
        """Unsigned. Unlike a comparison and a select, LLVM keeps it in a form that every verifier understands."""
        return self.intrinsic("llvm.umin.i64", I64, (I64, left), (I64, right))

    def call_helper(self, number: int, *arguments: tuple[str, Operand]) -> Operand:
        """A BPF helper; the result is i64."""
        return self.value(f"call i64 inttoptr (i64 {number} to ptr)({_arguments(arguments)})")

    def call_pointer_helper(self, number: int, *arguments: tuple[str, Operand]) -> Operand:
        """A BPF helper that returns a pointer to BPF memory, or null."""
        return self.value(f"call ptr inttoptr (i64 {number} to ptr)({_arguments(arguments)})")

    def call_function(self, name: str, *arguments: Operand) -> Operand:
        """A function of this module; all take and return i64."""
        typed = [(I64, argument) for argument in arguments]
        return self.value(f'call i64 @"{name}"({_arguments(typed)})')

    def zero(self, pointer: Operand, size: int, alignment: int = 8) -> None:
        """Clears up to MAX_INLINE_BYTES bytes."""
        self.module.declare("void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        self.emit(f"call void @llvm.memset.p0.i64(ptr align {alignment} {pointer}, i8 0, i64 {size}, i1 false)")

    def copy(self, target: Operand, source: Operand, size: int, alignment: int) -> None:
        """Copies up to MAX_INLINE_BYTES bytes within BPF memory."""
        self.module.declare("void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        self.emit(
            f"call void @llvm.memcpy.p0.p0.i64(ptr align {alignment} {target}, ptr align {alignment} {source},"
            f" i64 {size}, i1 false)"
        )

    def __str__(self) -> str:
        parameters = ", ".join(f"{type_} {name}" for type_, name in self._parameters)
        attributes = "#0" if self._linkage == "" else "#1"
        head = f'define {self._linkage} i64 @"{self.name}"({parameters}) {attributes} section "{self._section}" {{'
        lines = ["", head, "entry:"]
        lines += [f"  {line}" for line in (*self._allocas, *self._prologue)]
        lines.append(f"  br label %{self._blocks[0][0]}")
        last = len(self._blocks) - 1
        for index, (label, body) in enumerate(self._blocks):
            lines.append(f"{label}:")
            lines += [f"  {line}" for line in body]
            if index == last and self._lines is not None:
                lines.append("  unreachable")
        lines.append("}")
        return "\n".join(lines)


def _arguments(arguments: Sequence[tuple[str, Operand]]) -> str:
    return ", ".join(f"{type_} {value}" for type_, value in arguments)
