"""Types written the way C writes them: `unsigned long`, `const struct sock *`, `char __user *`."""

from __future__ import annotations

import re

from compiler.types.lattice import (
    INT8,
    UINT8,
    VOID,
    AddressSpace,
    Integer,
    Pointer,
    Struct,
    Type,
    TypeSource,
    in_space,
)

_QUALIFIERS = frozenset({"const", "volatile", "restrict", "__restrict", "__rcu", "__percpu", "__iomem", "__force"})
_INTEGER_WORDS = frozenset({"signed", "unsigned", "char", "short", "int", "long", "__signed__"})
_TOKEN = re.compile(r"\s*(\*|\w+)")


def c_type(text: str, source: TypeSource) -> Type | None:
    """The type that `text` names: qualifiers, a base type (LP64), tag or typedef known to `source`, and pointers.

    A pointer to a structure that the source does not know is a pointer to an incomplete structure, as in C. None for
    what is not such a type: a name that is not known, an array, a function pointer, or no type at all.
    """
    words, stars = _split(text)
    if words is None:
        return None
    user = "__user" in words
    names = [word for word in words if word not in _QUALIFIERS and word != "__user"]
    base = _base(names, source, incomplete=bool(stars))
    if base is None:
        return None
    for _ in range(stars):
        # `__user` qualifies what the outermost pointer points to, and so everything behind it.
        base = Pointer(in_space(base, AddressSpace.USER), AddressSpace.USER) if user else Pointer(base)
    return base


def _split(text: str) -> tuple[list[str] | None, int]:
    """Words and number of stars; None for the words if there is anything else in the text."""
    words: list[str] = []
    stars = position = 0
    text = text.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            return None, 0
        if token[1] == "*":
            stars += 1
        elif stars and token[1] not in _QUALIFIERS and token[1] != "__user":
            return None, 0
        else:
            words.append(token[1])
        position = token.end()
    return words, stars


def _base(names: list[str], source: TypeSource, incomplete: bool) -> Type | None:
    match names:
        case ["void"]:
            return VOID
        case ["struct", name]:
            return source.struct(name) or (Struct(name) if incomplete else None)
        case ["union", name]:
            return source.union(name) or (Struct(name, is_union=True) if incomplete else None)
        case ["enum", name]:
            return source.enum(name)
        case ["char"]:
            # Signed or not is the architecture's and the kernel's choice, so the source knows better.
            return source.typedef("char") or INT8
        case [name] if name not in _INTEGER_WORDS:
            return source.typedef(name)
        case _:
            return _integer(names)


def _integer(names: list[str]) -> Integer | None:
    """C's integer keywords, in any order."""
    rest = sorted("signed" if name == "__signed__" else name for name in names)
    signed = "unsigned" not in rest
    if not rest or ("unsigned" in rest and "signed" in rest) or not set(rest) <= _INTEGER_WORDS:
        return None
    for sign in ("unsigned", "signed"):
        if sign in rest:
            rest.remove(sign)
    match rest:
        case ["char"]:
            return INT8 if signed else UINT8
        case ["short"] | ["int", "short"]:
            return Integer(16, signed)
        case [] | ["int"]:
            return Integer(32, signed)
        case ["long"] | ["int", "long"] | ["long", "long"] | ["int", "long", "long"]:
            return Integer(64, signed)
        case _:
            return None
