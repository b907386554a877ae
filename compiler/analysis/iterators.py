"""Pass: what is particular to iterators.

Before: types are resolved. After: an iter probe is alone but for BEGIN and END, and its printf has a format that the
kernel can print: its output goes into the file that the iterator is, by bpf_seq_printf.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis import format_string
from compiler.analysis.program import BpfProgram, FormatPiece
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.types.lattice import Bool, Enum, Integer, Pointer, String, Type

MOST_ARGUMENTS = 12
"""MAX_BPRINTF_VARARGS of linux/bpf.h."""

_COMPANIONS = frozenset({"begin", "end"})


def run(programs: Sequence[BpfProgram], sink: DiagnosticSink) -> None:
    iterators = [program for program in programs if is_iterator(program)]
    for program in iterators:
        others = [other for other in programs if other is not program and other.probe_type.name not in _COMPANIONS]
        if others:
            message = "iter probes cannot be mixed with other probes"
            sink.error("probe-mix", message, program.attach_points[0].span, hints=["only begin and end may be there"])
        for node in program.probe.walk():
            match node:
                case ast.Call("printf", [ast.String(text), *arguments]):
                    _check(node, text, [argument.type for argument in arguments], sink)


def is_iterator(program: BpfProgram) -> bool:
    return program.probe_type.name == "iter"


def _check(node: ast.Call, text: str, types: Sequence[Type], sink: DiagnosticSink) -> None:
    problem = ""
    if len(types) > MOST_ARGUMENTS:
        problem = f"more than {MOST_ARGUMENTS} arguments"
    for piece in format_string.pieces(text):
        if not piece.literal.isascii():
            problem = problem or "characters that are not ASCII"
        if piece.conversion and piece.argument is not None and piece.argument < len(types):
            problem = problem or _problem(piece, types[piece.argument])
    if problem:
        message = f"printf in iter probes does not support {problem}"
        sink.error("iter-format", message, node.span, hints=["the kernel prints it, with bpf_seq_printf"])


def _problem(piece: FormatPiece, type_: Type) -> str:
    match piece.conversion:
        case "s" if not isinstance(type_, String):
            return f"%s for the type {type_}"
        case "d" | "i" | "u" | "x" | "X" | "p" if not isinstance(type_, Integer | Bool | Pointer):
            return f"%{piece.conversion} for the type {type_}"
        case "s" | "d" | "i" | "u" | "x" | "X":
            pass
        case "p" if piece.width is None:
            pass
        case other:
            return f"%{other}" if piece.width is None else f"%{piece.width}{other}"
    if piece.alternate or piece.precision is not None:
        return "'#' and precisions in formats"
    return f"%s for the type {type_}" if piece.conversion == "s" and isinstance(type_, Enum) else ""


def kernel_format(text: str, types: Sequence[Type]) -> str:
    """The format in the words of bpf_seq_printf, whose arguments are all 64 bits wide. It reads `%d` as 32 of them."""
    result = ""
    for piece in format_string.pieces(text):
        result += piece.literal.replace("%", "%%")
        if not piece.conversion or piece.argument is None:
            continue
        flags = "-" * piece.left_align + "+" * piece.show_sign + " " * piece.space_sign + "0" * piece.zero_pad
        width = "" if piece.width is None else str(piece.width)
        long = "ll" if types[piece.argument].size > 4 and piece.conversion != "s" else ""
        # The kernel's own %p hides addresses.
        result += f"0x%{flags}llx" if piece.conversion == "p" else f"%{flags}{width}{long}{piece.conversion}"
    return result
