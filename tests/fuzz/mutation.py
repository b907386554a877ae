"""Makes new scripts out of old ones: mostly by tokens, so that many of them still are scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from compiler import probe_types
from compiler.builtins import BUILTINS
from compiler.types.builtin_names import BUILTIN_TYPES
from tests.fuzz.seeds import Seeds

_TOKEN = re.compile(
    r"""\s+ | //[^\n]* | /\*.*?\*/ | "(?:[^"\\\n]|\\.)*" | [$@]?[A-Za-z_]\w* | [$@]?\d\w* | \#\w+
    | <<=|>>=|\.\.|->|\+\+|--|&&|\|\||[-+*/%&|^=!<>]=|<<|>> | .""",
    re.VERBOSE | re.DOTALL,
)
_NUMBERS = (
    "0", "1", "-1", "2", "7", "8", "63", "64", "127", "128", "255", "256", "32767", "65536", "2147483648", "4294967295",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "0xffffffffffffffff", "1e6", "5s", "1_000",
)  # fmt: skip
_NAMES = (*BUILTINS, *BUILTIN_TYPES)
_WORDS = (
    *_NAMES, *probe_types.names(),
    "if", "else", "while", "for", "unroll", "break", "continue", "return", "let", "macro", "fn", "import", "config",
    "struct", "union", "enum", "typedef", "sizeof", "offsetof", "typeof", "typeinfo", "comptime", "struct task_struct",
    "struct list_head", "task_struct", "char", "int", "unsigned long", "string[8]", "int8[4]", "curtask->comm",
    "$x", "$y", "$1", "$#", "@", "@x", "@y", "@x[1]", "&$x", "args.x", "(1, 2)", "(a=1, b=2)", '"text"', '""', '"%s"',
    "{ 1 }", "?", ":", "?:", "(", ")", "[", "]", "{", "}", ";", ",", ".", "->", "..", "&", "*", "!", "~", "-", "+", "%",
    "/", "<<", ">>", "==", "!=", "<", "&&", "||", "=", "+=", "<<=", "++", "--", "#define A A + 1\n", "#include <x.h>\n",
)  # fmt: skip
_OPERATORS = (
    "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "&&", "||",
)  # fmt: skip
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
_MAX_LENGTH = 20_000


def mutate(random: Random, seeds: Seeds) -> str:
    """One of the seeds, changed in one to five places."""
    own = seeds.good if random.random() < 0.8 else seeds.others
    tokens = _TOKEN.findall(random.choice(own))
    for _ in range(random.choice((1, 1, 1, 1, 2, 2, 3, 5))):
        random.choice(_MUTATIONS)(random, tokens, own)
    return "".join(tokens)[:_MAX_LENGTH]


def _place(random: Random, tokens: list[str]) -> int:
    """Of a token that is not white space, if there is one near."""
    index = random.randrange(len(tokens) + 1)
    while index < len(tokens) and tokens[index].isspace():
        index += 1
    return index


def _delete(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    index = _place(random, tokens)
    del tokens[index : index + random.choice((1, 1, 1, 2, 5))]


def _duplicate(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    index = _place(random, tokens)
    part = tokens[index : index + random.choice((1, 2, 3, 10))]
    tokens[index:index] = part * random.choice((1, 1, 1, 2, 30))


def _swap(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    first, second = sorted((_place(random, tokens), _place(random, tokens)))
    if second < len(tokens):
        tokens[first], tokens[second] = tokens[second], tokens[first]


def _replace(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    """A token by another of its kind."""
    index = _place(random, tokens)
    if index == len(tokens):
        return
    if tokens[index][0].isdigit():
        tokens[index] = random.choice(_NUMBERS)
    elif tokens[index][0] in "$@":
        tokens[index] = random.choice([token for token in tokens if token[0] in "$@"])
    elif tokens[index].isidentifier() and random.random() < 0.7:
        tokens[index] = random.choice(_NAMES)
    else:
        tokens[index] = random.choice(_WORDS)


def _operator(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    """An operator by another: what comes out is a script nearly always."""
    for kind in random.sample((_OPERATORS, _ASSIGNMENTS), 2):
        places = [index for index, token in enumerate(tokens) if token in kind]
        if places:
            tokens[random.choice(places)] = random.choice(kind)
            return


def _operand(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    """A variable, map, number or string by another that the script has, or by an unusual number."""
    places = [index for index, token in enumerate(tokens) if token[0] in '$@"' or token[0].isdigit()]
    if places:
        other = tokens[random.choice(places)] if random.random() < 0.7 else random.choice(_NUMBERS)
        tokens[random.choice(places)] = other


def _insert(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    tokens.insert(_place(random, tokens), f" {random.choice((*_WORDS, *_NUMBERS))} ")


def _wrap(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    """Puts something around an operand, possibly many times."""
    index = _place(random, tokens)
    before, after = random.choice(
        (
            ("(", ")"), ("{ ", " }"), ("-", ""), ("!", ""), ("*", ""), ("&", ""), ("(uint8)", ""), ("(int64)", ""),
            ("str(", ")"), ("(", ", 1)"), ("", "[0]"), ("", ".0"), ("", " + 1"), ("", "->x"), ("sizeof(", ")"),
            ("(struct task_struct *)", ""), ("if (", ") { }"), ("comptime ", ""), ("kptr(", ")"), ("print(", ");"),
        )
    )  # fmt: skip
    times = random.choice((1, 1, 1, 1, 2, 3, 100))
    if index < len(tokens):
        tokens[index] = before * times + tokens[index] + after * times


def _splice(random: Random, tokens: list[str], seeds: Sequence[str]) -> None:
    """A run of tokens from another seed, in place of one or between."""
    other = _TOKEN.findall(random.choice(seeds))
    start = _place(random, other)
    index = _place(random, tokens)
    removed = random.choice((0, 0, 1, 5))
    tokens[index : index + removed] = other[start : start + random.choice((1, 3, 8, 20))]


def _statement(random: Random, tokens: list[str], seeds: Sequence[str]) -> None:
    """A statement from another seed, after one of ours."""
    ends = [index for index, token in enumerate(tokens) if token in (";", "{")]
    statements = re.split(r"[;{}]", random.choice(seeds))
    if ends:
        tokens.insert(random.choice(ends) + 1, f" {random.choice(statements)}; ")


def _item(random: Random, tokens: list[str], seeds: Sequence[str]) -> None:
    """All of another seed, before or after."""
    other = _TOKEN.findall(random.choice(seeds))
    tokens[:] = [*other, "\n", *tokens] if random.random() < 0.5 else [*tokens, "\n", *other]


def _character(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    index = _place(random, tokens)
    if index < len(tokens):
        at = random.randrange(len(tokens[index]) + 1)
        character = chr(random.choice((0, 9, 10, 34, 37, 39, 92, 127, 233, 0x20AC, 0xDC80, random.randrange(32, 127))))
        tokens[index] = tokens[index][:at] + character + tokens[index][at + random.randrange(2) :]


def _truncate(random: Random, tokens: list[str], _seeds: Sequence[str]) -> None:
    del tokens[_place(random, tokens) :]


_MUTATIONS = (
    _delete, _delete, _duplicate, _swap, _replace, _replace, _replace, _replace, _insert, _insert, _wrap, _wrap,
    _splice, _splice, _statement, _statement, _item, _character, _truncate,
    _operator, _operator, _operator, _operand, _operand, _operand,
)  # fmt: skip
