"""The values of integer and string literals, and how a string is written back."""

from __future__ import annotations

import re
from typing import NamedTuple

from compiler.syntax.source import decode

UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1

# What a suffix multiplies by, and the largest value before that. The C suffixes only limit; they give no type.
_SUFFIXES = {
    "": (1, UINT64_MAX),
    "u": (1, 2**32 - 1),
    "ul": (1, UINT64_MAX),
    "ull": (1, UINT64_MAX),
    "l": (1, _INT64_MAX),
    "ll": (1, _INT64_MAX),
    "ns": (1, UINT64_MAX),
    "us": (1_000, UINT64_MAX),
    "ms": (1_000_000, UINT64_MAX),
    "s": (1_000_000_000, UINT64_MAX),
    "m": (60 * 1_000_000_000, UINT64_MAX),
    "h": (3_600 * 1_000_000_000, UINT64_MAX),
    "d": (86_400 * 1_000_000_000, UINT64_MAX),
}
_INTEGER = {
    16: re.compile(r"(?P<digits>[0-9a-fA-F]*)(?P<rest>.*)"),
    10: re.compile(r"(?P<digits>[0-9]*)(?P<rest>.*)"),
    8: re.compile(r"(?P<digits>[0-7]*)(?P<rest>.*)"),
}
_EXPONENT = re.compile(r"[eE](?P<power>[1-9][0-9]*)(?P<rest>.*)")


def integer_value(text: str) -> int:
    """The value of an integer literal, durations in nanoseconds. Raises ValueError with a message for the user."""
    plain = text.replace("_", "")
    base = 10
    if plain[:2] in ("0x", "0X"):
        base, plain = 16, plain[2:]
    elif plain[0] == "0" and plain[1:2].isdigit():
        base = 8
    match = _INTEGER[base].fullmatch(plain)
    if match is None or not match["digits"]:
        raise ValueError(f"invalid integer: {text}")
    value, suffix = _bounded(match["digits"], base, text), match["rest"]
    if exponent := _EXPONENT.fullmatch(suffix):
        if not 1 <= value <= 9:
            raise ValueError(f"coefficient part of scientific literal must be 1-9: {text}")
        power = exponent["power"]
        if len(power) > 2 or value * 10 ** int(power) > UINT64_MAX:
            raise _overflow(text, UINT64_MAX)
        value, suffix = value * 10 ** int(power), exponent["rest"]
    if suffix.lower() not in _SUFFIXES:
        raise ValueError(f"invalid trailing bytes: {text}")
    factor, limit = _SUFFIXES[suffix.lower()]
    if value > limit // factor:
        raise _overflow(text, limit)
    return value * factor


def _bounded(digits: str, base: int, text: str) -> int:
    """int() refuses thousands of decimal digits, and is slow before that."""
    significant = digits.lstrip("0")
    if len(significant) > 22 or int(significant or "0", base) > UINT64_MAX:
        raise _overflow(text, UINT64_MAX)
    return int(significant or "0", base)


def _overflow(text: str, limit: int) -> ValueError:
    return ValueError(f"overflow error, maximum value is {limit}: {text}")


class EscapeError(NamedTuple):
    """A bad escape at `[start, end)` of the literal's text, quotes included."""

    message: str
    start: int
    end: int


_SIMPLE_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", '"': b'"', "\\": b"\\"}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)


def string_value(text: str) -> tuple[str, list[EscapeError]]:
    """The value of a string literal, given with its quotes, and what is wrong with its escapes."""
    body = text[1:-1]
    if "\\" not in body:
        return body, []
    errors: list[EscapeError] = []
    data = bytearray()
    position = 0
    for match in _ESCAPE.finditer(body):
        data += body[position : match.start()].encode("utf-8", "surrogateescape")
        position = match.end()
        octal, hexadecimal, other = match.groups()
        if octal is not None:
            if int(octal, 8) > 0xFF:
                message = f"octal escape sequence out of range '\\{octal}'"
                errors.append(EscapeError(message, match.start() + 1, match.end() + 1))
            data.append(int(octal, 8) & 0xFF)
        elif hexadecimal is not None:
            data.append(int(hexadecimal, 16))
        elif other in _SIMPLE_ESCAPES:
            data += _SIMPLE_ESCAPES[other]
        else:
            message = "invalid hex escape sequence" if other in "xX" else f"invalid escape character '\\{other}'"
            errors.append(EscapeError(message, match.start() + 1, match.end() + 1))
    data += body[position:].encode("utf-8", "surrogateescape")
    return decode(bytes(data)), errors


_QUOTED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def string_literal(value: str) -> str:
    """A literal for `value`, quotes included. Bytes that are no text become hexadecimal escapes."""
    return '"' + "".join(_QUOTED.get(c) or (c if _is_text(c) else f"\\x{ord(c) & 0xFF:02x}") for c in value) + '"'


def _is_text(character: str) -> bool:
    return " " <= character != "\x7f" and not "\udc80" <= character <= "\udcff"
