"""Random programs: grammatical ones, and ones with faults."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_LEAVES = "1 0x10 5ms $x @ @a pid x FOO $1 $# true"
_BINARY = "+ - * / % & | ^ && || == != < > <= >= << >>"
_FRAGMENTS = r"""
    { } ( ) [ ] ; , / * & ++ -- $x @ @a " \ // /* */ # ! if else for while let return struct macro fn
    typeof( sizeof( (int8) ? : ?: = == += .. . -> $1 $# $0 1e 0x _ config import é
"""


class Generator:
    """Makes text from the grammar; not all of it is free of errors (`++` of a value, say)."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def program(self) -> str:
        predicate = self._either("", f"/ {self.expression(2)} /")
        return f"macro m(x) {self.block(3)}{self._layout()} kprobe:f {predicate}{self._layout()}{self.block(3)}"

    def block(self, depth: int) -> str:
        if depth < 0:
            return "{}"
        statements = "".join(self.statement(depth) for _ in range(self.random.randrange(3)))
        return f"{{{statements}{self._either('', self._layout() + self.expression(depth) + self._layout())}}}"

    def statement(self, depth: int) -> str:
        forms: list[Callable[[], str]] = [
            lambda: f"{self.expression(depth)};",
            lambda: f"$x = {self.expression(depth)};",
            lambda: f"@a[{self.expression(depth)}] += {self.expression(depth)};",
            lambda: f"let $x : {self.type_name(depth)} = {self.expression(depth)};",
            lambda: f"_ = {self.expression(depth)};",
            lambda: f"for ($i : 0..{self.expression(0)}) {self.block(depth - 1)}",
            lambda: f"while ({self.expression(depth)}) {self.block(depth - 1)}",
            lambda: f"unroll (3) {self.block(depth - 1)}",
            lambda: f"return {self.expression(depth)};",
            lambda: "break;",
            lambda: f"if ({self.expression(depth)}) {self.block(depth - 1)}",
            lambda: f"if (1) {self.block(depth - 1)} else if (2) {self.block(depth - 1)} else {self.block(depth - 1)}",
            lambda: self.block(depth - 1),
        ]
        return f"{self._layout()}{self.random.choice(forms)()}{self._layout()}"

    def expression(self, depth: int) -> str:
        if depth <= 0:
            return self.random.choice(_LEAVES.split())
        inner = depth - 1
        forms: list[Callable[[], str]] = [
            lambda: f"{self.expression(inner)} {self.random.choice(_BINARY.split())} {self.expression(inner)}",
            lambda: f"({self.expression(inner)})",
            lambda: f"{self.random.choice('-!*~')}{self.expression(inner)}",
            lambda: f"({self.expression(inner)}, {self.expression(inner)})",
            lambda: f"({self.expression(inner)},)",
            lambda: f"(a={self.expression(inner)}, b={self.expression(inner)})",
            lambda: f"({self.type_name(inner)}){self.expression(inner)}",
            lambda: f"{self.expression(inner)}{self._either('.f', '->f', '.0')}",
            lambda: f"{self.expression(inner)}[{self.expression(inner)}]",
            lambda: f"@a[{self.expression(inner)}, {self.expression(inner)}]",
            lambda: f"f({self.expression(inner)}, typeof({self.type_name(inner)}))",
            lambda: (
                f"{self._either('sizeof', 'typeinfo')}({self._either(self.type_name(inner), self.expression(inner))})"
            ),
            lambda: f"offsetof({self.type_name(inner)}, a.b)",
            lambda: f"comptime {self.expression(inner)}",
            lambda: self.block(inner),
            lambda: f"if {self.expression(inner)} {self.block(inner)} else {self.block(inner)}",
            lambda: f"{self.expression(inner)} ? {self.expression(inner)} : {self.expression(inner)}",
            lambda: f"{self.expression(inner)} ?: {self.expression(inner)}",
            lambda: self._either("$x++", "--@a", "@a[1]--", "&$x", "&@a", "()", '"s\\n"'),
        ]
        return self.random.choice(forms)()

    def type_name(self, depth: int) -> str:
        if self.random.randrange(4) == 0:
            return f"typeof({self.expression(depth)})"
        suffixes = "".join(self._either("*", " *", "[3]", "[]") for _ in range(self.random.randrange(3)))
        return self._either("int8", "struct foo", "x", "string") + suffixes

    def mutation(self, text: str) -> str:
        """The text with a few faults."""
        for _ in range(self.random.randrange(1, 6)):
            at = self.random.randrange(len(text) + 1)
            match self.random.randrange(4):
                case 0:
                    text = text[:at] + self._fragment() + text[at:]
                case 1:
                    text = text[:at] + text[at + self.random.randrange(1, 10) :]
                case 2:
                    other = self.random.randrange(len(text) + 1)
                    text = text[:at] + text[other : other + self.random.randrange(50)] + text[at:]
                case _:
                    text = text[:at] + self._fragment() * self.random.choice((3, 50, 600)) + text[at:]
        return text

    def _fragment(self) -> str:
        return self.random.choice([*_FRAGMENTS.split(), "\n", "\t", "\0"])

    def _either(self, *choices: str) -> str:
        return self.random.choice(choices)

    def _layout(self) -> str:
        return self._either("", "", "", "", " ", "\n", "\n\n", "// c\n", "/* c */")
