"""The examples in upstream's references: Markdown and a man page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_HEADING = re.compile(r"^#+ +(?P<title>.*)")
_FENCE = re.compile(r"^ *```")
_PROVIDERS = (
    "begin|end|BEGIN|END|test|bench|self|hardware|h|interval|i|iter|it|fentry|f|fexit|fr|kprobe|k|kretprobe|kr|profile|p|"
    "rawtracepoint|rt|software|s|tracepoint|t|uprobe|u|uretprobe|ur|usdt|U|watchpoint|w"
)
_PROBE = re.compile(rf"^(?:{_PROVIDERS})(?::[^\s{{/]+|\b)[^{{\n]*(?:,\n[^{{\n]*)*\s*(?:/[^\n]*/\s*)?\{{", re.MULTILINE)
_MESSAGE = re.compile(r"^\S+: (?:WARNING|ERROR): ")
_SHOWN_FILE = re.compile(r"^# cat \S+\.bt$")
_PROSE = re.compile(r"^# (?!\s*(?:include|define|undef|if|ifdef|ifndef|else|endif)\b).*\n", re.MULTILINE)
_NAMED_FILE = re.compile(r"^// (?P<name>\w+\.(?:bt|h|bpf\.c))$")
_COMMAND = re.compile(r"^(?:[#$] *|.*\| *)?(?:sudo +)?bpftrace +(?P<words>.*)", re.DOTALL)
_VALUE_OPTIONS = {"-c", "-p", "-o", "-B", "-f", "-I", "--include", "-d", "--debuginfo"}
_ROFF_ESCAPES = {r"\-": "-", r"\*(Aq": "'", r"\(rs": "\\", r"\(aq": "'", r"\(dq": '"', r"\&": "", r"\fP": "", r"\|": ""}


@dataclass(frozen=True, slots=True)
class Example:
    """A script as it stands in a reference."""

    name: str
    """Heading and number of the script below it: stable as long as the section is."""
    text: str
    parameters: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that the section shows, which the script may import."""


def of_markdown(text: str) -> list[Example]:
    """The whole scripts in code blocks: texts with probes, and programs of `bpftrace -e` in a shell's lines."""
    return list(_examples(_blocks(text)))


def of_man_page(text: str) -> list[Example]:
    """Those of a man page in roff."""
    return list(_examples(_roff_blocks(text)))


def _examples(blocks: Iterator[tuple[str, str]]) -> Iterator[Example]:
    counts: dict[str, int] = {}
    files: dict[str, dict[str, str]] = {}
    for title, block in blocks:
        slug = "-".join(re.findall(r"[a-z0-9]+", title.lower()))
        shown = files.setdefault(slug, {})
        if named := _NAMED_FILE.match(block.splitlines()[0] if block.strip() else ""):
            shown[named["name"]] = block
            continue
        for program, parameters in _scripts(block):
            counts[slug] = counts.get(slug, 0) + 1
            yield Example(f"{slug} {counts[slug]}", program, parameters, shown)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Heading and contents of each code block."""
    title = ""
    block: list[str] | None = None
    for line in text.splitlines():
        if _FENCE.match(line):
            if block is not None:
                yield title, "\n".join(block) + "\n"
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        elif heading := _HEADING.match(line):
            title = heading["title"]


def _roff_blocks(text: str) -> Iterator[tuple[str, str]]:
    title = ""
    block: list[str] | None = None
    for line in text.splitlines():
        if line.startswith((".SH ", ".SS ")):
            title = _plain(line[4:])
        elif line == ".nf":
            block = []
        elif line == ".fi" and block is not None:
            yield title, "\n".join(block) + "\n"
            block = None
        elif block is not None and not line.startswith("."):
            block.append(_plain(line))


def _plain(line: str) -> str:
    for escape, plain in _ROFF_ESCAPES.items():
        line = line.replace(escape, plain)
    return re.sub(r"\\f\((?:..)|\\f.", "", line)


def _scripts(block: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    lines = block.splitlines()
    if not lines or _MESSAGE.match(lines[0]):
        return
    commands = list(_commands(block))
    if _SHOWN_FILE.match(lines[0]):
        prompt = next((at for at, line in enumerate(lines[1:], 1) if line.startswith("# ")), len(lines))
        yield "\n".join(lines[1:prompt]) + "\n", ()
    elif commands:
        yield from (found for words in commands if (found := _program(words)))
    elif _PROBE.search(block):
        yield _PROSE.sub("", block), ()


def _commands(block: str) -> Iterator[list[str]]:
    """The words of each line that starts bpftrace, with the lines that its quotes go on in."""
    lines = block.splitlines()
    while lines:
        line = lines.pop(0)
        command = _COMMAND.match(line)
        if command is None or _PROBE.match(line):
            continue
        text = command["words"]
        while True:
            try:
                words = shlex.split(text)
            except ValueError:  # a quote is open, or the line goes on
                if not lines:
                    break
                text += "\n" + lines.pop(0)
                continue
            if text.endswith("\\") and lines:
                text = text[:-1] + " " + lines.pop(0)
                continue
            yield words
            break


def _program(words: list[str]) -> tuple[str, tuple[str, ...]] | None:
    """The program of `-e` and its positional parameters; None if there is none or it is only listed."""
    program: str | None = None
    parameters: list[str] = []
    while words:
        word = words.pop(0)
        if word == "-e" and words:
            program = words.pop(0)
        elif word in _VALUE_OPTIONS and words:
            words.pop(0)
        elif word.startswith("-l"):
            return None
        elif not word.startswith("-"):
            parameters.append(word)
    return None if program is None else (program + "\n", tuple(parameters))
