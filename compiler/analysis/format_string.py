"""Format strings of printf and its kin, taken apart and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compiler.analysis.program import FormatPiece
from compiler.types.lattice import Bool, Buffer, Integer, None_, Pointer, Type, Void

# `gr`, `rh`, `rx` and `r` are bpftrace's own: longest first.
_CONVERSION = re.compile(
    r"%(?P<left>-?)(?P<sign>\+?)(?P<space> ?)(?P<alternate>\#?)(?P<zero>0?)"
    r"(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?(?P<length>[hlLjzt]*)"
    r"(?P<conversion>[diouxXeEfFGaAcspn%]|gr|g|rh|rx|r)"
)
_INTEGERS = frozenset({"d", "i", "u", "o", "x", "X", "c", "p", "gr"})
_BUFFERS = frozenset({"r", "rx", "rh"})
_WIDEST = (1 << 31) - 1
"""An int of C."""

FUNCTIONS = frozenset({"debugf", "printf", "errorf", "warnf", "cat", "system"})
"""Those whose first argument is a format, and the others the values for it."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion and the text before it."""

    literal: str
    match: re.Match[str] | None

    @property
    def name(self) -> str:
        return self.match["conversion"] if self.match else ""


def parse(text: str) -> list[Conversion]:
    """The conversions of a format; the last one has no match if there is text behind all others."""
    conversions: list[Conversion] = []
    literal, end = "", 0
    for match in _CONVERSION.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        if match["conversion"] == "%":
            literal += "%"
            continue
        conversions.append(Conversion(literal, match))
        literal = ""
    literal += text[end:]
    if literal:
        conversions.append(Conversion(literal, None))
    return conversions


def check(text: str, types: Sequence[Type]) -> str:
    """What is wrong with a format and the types of its arguments; empty if nothing is."""
    matches = [conversion.match for conversion in parse(text) if conversion.match]
    for match in matches:
        if max(_number(match["width"]) or 0, _number(match["precision"]) or 0) > _WIDEST:
            return f"width and precision can be at most {_WIDEST}: {match[0]}"
    conversions = [match["conversion"] for match in matches]
    if len(types) != len(conversions):
        many = "not enough" if len(types) < len(conversions) else "too many"
        return f"{many} arguments for format string ({len(types)} supplied, {len(conversions)} expected)"
    for name, type_ in zip(conversions, types, strict=True):
        if isinstance(type_, None_ | Void):
            return f"unable to print none type for specifier: {name}"
        if name != "s" and name not in _INTEGERS | _BUFFERS:
            return f"unsupported format specifier: {name}"
        if type_.is_map_value and not (name == "s" and type_.is_castable_map_value):
            return f"unsupported format specifier for type '{type_}': {name}"
        if (name in _INTEGERS and not isinstance(type_, Integer | Bool | Pointer)) or (
            name in _BUFFERS and not isinstance(type_, Buffer)
        ):
            return f"unsupported format specifier for type '{type_}': {name}"
    return ""


def pieces(text: str) -> Iterator[FormatPiece]:
    """The format as the tracer prints it. Arguments are numbered in order.

    A `*` takes no argument: it stands for no width and no precision.
    """
    argument = 0
    for conversion in parse(text):
        match = conversion.match
        if match is None:
            yield FormatPiece(conversion.literal)
            continue
        yield FormatPiece(
            conversion.literal,
            match["conversion"],
            match["length"],
            left_align=bool(match["left"]),
            show_sign=bool(match["sign"]),
            space_sign=bool(match["space"]),
            alternate=bool(match["alternate"]),
            zero_pad=bool(match["zero"]),
            width=_number(match["width"]),
            precision=_number(match["precision"]),
            argument=argument,
        )
        argument += 1


def apply(text: str, values: Sequence[str | int | bool]) -> str:
    """The text that the compiler itself makes of a format."""
    result, rest = "", list(values)
    for conversion in parse(text):
        result += conversion.literal
        if conversion.match and rest:
            value = rest.pop(0)
            number = isinstance(value, int) and not isinstance(value, bool)
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            result += format(value, conversion.name) if number and conversion.name in ("x", "X", "o", "d") else shown
    return result


def _number(text: str | None) -> int | None:
    if not text or text == "*":
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= len(str(_WIDEST)) else _WIDEST + 1  # int() refuses thousands of digits
