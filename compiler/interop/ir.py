"""The LLVM IR of a C source, made fit to be linked with the script's programs.

clang's IR comes with debug information, which the tracer does not need, and with one global variable for each CO-RE
relocation, `llvm.TYPE:KIND:VALUE$ACCESS`, whose *load* stands for the value. Here the load becomes the address of an
undefined symbol, as for all load-time constants (docs/architecture.md). Every function gets a section of its own, as
compiler.object.flatten wants it, and is marked for inlining: the verifier follows values through calls less well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

PREFIX = "c:"
"""Of the names of a source's functions and variables among those of the whole module."""

_DEBUG = re.compile(r",? !dbg !\d+")
_METADATA = re.compile(r"!(\d+) = (.*)")
_REFERENCE = re.compile(r"!(\d+)")
_CORE_LOAD = re.compile(r'= load (i\d+), ptr (@"llvm\.(?:[^"]*)"), align \d+')
_CORE_GLOBAL = re.compile(r'(@"llvm\.(?P<what>[^"]*)") = external .*')
_CORE_FIELD = re.compile(r"(?P<type>[^:]*):(?P<kind>\d+):(?P<value>\d+)\$(?P<access>[\d:]+)")
_GLOBAL = re.compile(r'@(?:"(?P<quoted>[^"]*)"|(?P<plain>[\w.$-]+)) = (?P<rest>.*)')
_DECLARATION = re.compile(r'declare .*?@(?:"(?P<quoted>[^"]*)"|(?P<plain>[\w.$-]+))\(')
_DEFINITION = re.compile(r'define .*?@(?:"(?P<quoted>[^"]*)"|(?P<plain>[\w.$-]+))\(')
_LOCAL = re.compile(r"^(define|@\S+ =) (internal|private)\b")
_SECTION = re.compile(r',? section "([^"]*)"')
_OWN_SECTION = re.compile(rf' section "{PREFIX}(?P<name>\w+)"')
_TOKEN = re.compile(r'@"(?P<quoted>[^"]*)"|@(?P<plain>[\w.$-]+)|c?"[^"]*"')
_ATTRIBUTES = re.compile(r"(attributes #\d+ = \{)(.*)(\})")
_UNWANTED_ATTRIBUTE = re.compile(r'"[^"]*"(="[^"]*")?|\b(noinline|optnone|optsize|minsize|alwaysinline)\b')
_LOCATION = re.compile(r"!DILocation\(line: (\d+), column: (\d+), scope: !(\d+)")
_FILE_OF_SCOPE = re.compile(r"\bfile: !(\d+)")
_FILE_NAME = re.compile(r'!DIFile\(filename: "([^"]*)"')


@dataclass(frozen=True, slots=True)
class CoreUse:
    """A CO-RE relocation: numbers and access string as in struct bpf_core_relo, the root type by its name in C.

    `line` and `column` are of a place near its use in the source itself, 0 if that is not known.
    """

    type_name: str
    kind: int
    access: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Undefined:
    """A function or variable that a source declares only, and the section that it is declared in."""

    section: str
    is_function: bool
    has_address: bool
    """Whether its address is used, and it is not only called."""

    @property
    def is_kernels(self) -> bool:
        return self.section == ".ksyms"


@dataclass(frozen=True, slots=True)
class CIr:
    """`text` is a module's. `linked` gives names of load-time constants to the symbols of `core`, `maps`, and what the
    kernel defines.
    """

    text: str
    core: dict[str, CoreUse]
    """By symbol."""
    maps: tuple[str, ...]
    """Variables that define a map."""
    undefined: dict[str, Undefined]
    """By name."""
    exported: tuple[str, ...]
    """Those that it defines for others."""

    def linked(self, symbol: Callable[[str], str], section_prefix: str, number: int) -> str:
        """The text for the link: `symbol` gives the name of a load-time constant for each name of `core` and `maps`,
        and of `undefined` for what is the kernel's. The names of the functions' sections begin with `section_prefix`
        and end with the source's `number`, which tells apart functions of one name.
        """
        names = {name: symbol(name) for name in (*self.core, *self.maps)}
        declarations = dict.fromkeys(f'@"{name}" = extern_weak global i8' for name in names.values())
        names |= {PREFIX + name: symbol(name) for name, what in self.undefined.items() if what.is_kernels}
        text = _TOKEN.sub(lambda match: _renamed(match, names), self.text)
        text = _OWN_SECTION.sub(rf' section "{section_prefix}\g<name>_{number}"', text)
        return "\n".join([text, *declarations, ""])


def read(text: str, source_name: str) -> CIr:
    """Takes the IR apart that LLVM printed for the C source of that file name."""
    return _Reader(source_name).read(text.splitlines())


@dataclass(slots=True)
class _Reader:
    source_name: str
    metadata: dict[str, str] = field(default_factory=dict)
    core: dict[str, CoreUse] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    undefined: dict[str, Undefined] = field(default_factory=dict)
    functions: int = 0

    def read(self, lines: list[str]) -> CIr:
        self.metadata = {match[1]: match[2] for line in lines if (match := _METADATA.fullmatch(line))}
        code: list[str] = []
        unplaced: list[str] = []
        for line in lines:
            if line.startswith(("!", "source_filename", "@llvm.used", "@llvm.compiler.used")):
                continue
            if line.lstrip().startswith(("#dbg_", ";")) or not line:
                continue
            if _CORE_GLOBAL.match(line):
                continue
            if (load := _CORE_LOAD.search(line)) is not None:
                unplaced.append(self.relocation(load[2]))
                code.append(f"{line[: load.start()]}= ptrtoint ptr {load[2]} to {load[1]}")
                continue
            if unplaced and (location := _DEBUG.search(line)) is not None:
                self.place(unplaced, _REFERENCE.findall(location[0])[0])
                unplaced.clear()
            code.append(self.line(line))
        needed = self.needed_metadata(code)
        code += [f"!{number} = {self.metadata[number]}" for number in sorted(needed, key=int)]
        defined = self.defined_names(code)
        self.find_addresses(code)
        names = {name: PREFIX + name for name in (*defined, *self.undefined)}
        text = "\n".join(_TOKEN.sub(lambda match: _renamed(match, names), line) for line in code if line)
        exported = tuple(name for name, is_local in defined.items() if not is_local)
        return CIr(text + "\n", self.core, tuple(self.maps), self.undefined, exported)

    def relocation(self, symbol: str) -> str:
        name = symbol[2:-1]
        match = _CORE_FIELD.fullmatch(name.removeprefix("llvm."))
        if match is not None:
            self.core.setdefault(name, CoreUse(match["type"], int(match["kind"]), match["access"], 0, 0))
        else:
            self.core.setdefault(name, CoreUse("", -1, "", 0, 0))
        return name

    def place(self, symbols: list[str], location: str) -> None:
        """Notes where the relocations are used, if it is in the source itself."""
        found = _LOCATION.search(self.metadata.get(location, ""))
        if found is None:
            return
        file = _FILE_OF_SCOPE.search(self.metadata.get(found[3], ""))
        name = _FILE_NAME.search(self.metadata.get(file[1], "")) if file else None
        if name is None or name[1].rpartition("/")[2] != self.source_name:
            return
        for symbol in symbols:
            use = self.core[symbol]
            if not use.line:
                line, column = int(found[1]), int(found[2])
                self.core[symbol] = CoreUse(use.type_name, use.kind, use.access, line, column)

    def line(self, line: str) -> str:
        line = _DEBUG.sub("", line)
        if (match := _ATTRIBUTES.fullmatch(line)) is not None:
            # A group must not be empty, and nothing in BPF unwinds.
            return f"{match[1]} nounwind{_UNWANTED_ATTRIBUTE.sub('', match[2])}{match[3]}"
        if (match := _DEFINITION.match(line)) is not None:
            name = re.sub(r"\W", "_", match["quoted"] or match["plain"])
            self.functions += 1
            head = _SECTION.sub("", line.removesuffix("{").rstrip())
            return f'{head} alwaysinline nounwind "no-builtins" section "{PREFIX}{name}_{self.functions}" {{'
        if (match := _DECLARATION.match(line)) is not None:
            name = match["quoted"] or match["plain"]
            if not name.startswith("llvm."):
                section_match = _SECTION.search(line)
                self.undefined[name] = Undefined(section_match[1] if section_match else "", True, False)
            return _SECTION.sub("", line)
        if (match := _GLOBAL.fullmatch(line)) is not None:
            return self.variable(match, line)
        return line

    def variable(self, match: re.Match[str], line: str) -> str:
        name, rest = match["quoted"] or match["plain"], match["rest"]
        section_match = _SECTION.search(rest)
        section = section_match[1] if section_match else ""
        if rest.startswith(("external", "extern_weak")):
            self.undefined[name] = Undefined(section, False, True)
            return _SECTION.sub("", line)
        if section == ".maps":
            self.maps.append(name)
            return ""
        if section in ("license", "version"):
            return ""
        return line

    def defined_names(self, code: list[str]) -> dict[str, bool]:
        """Functions and variables of the source; of each, whether only the source itself knows it."""
        names = {}
        for line in code:
            match = _GLOBAL.match(line) or _DEFINITION.match(line)
            if match is not None:
                name = match["quoted"] or match["plain"]
                if name not in self.undefined:
                    names[name] = _LOCAL.search(line) is not None
        return names

    def find_addresses(self, code: list[str]) -> None:
        """Notes which undefined functions are not only called."""
        for line in code:
            if line.startswith("declare"):
                continue
            for match in _TOKEN.finditer(line):
                name = match["quoted"] or match["plain"] or ""
                found = self.undefined.get(name)
                if found is not None and found.is_function and not line.startswith("(", match.end()):
                    self.undefined[name] = Undefined(found.section, True, True)

    def needed_metadata(self, code: list[str]) -> set[str]:
        """What the code refers to (about aliasing and loops), and what that refers to."""
        needed: set[str] = set()
        waiting = [number for line in code if " !" in line for number in _REFERENCE.findall(line)]
        while waiting:
            number = waiting.pop()
            if number not in needed and number in self.metadata:
                needed.add(number)
                waiting += _REFERENCE.findall(self.metadata[number])
        return needed


def _renamed(match: re.Match[str], names: dict[str, str]) -> str:
    name = names.get(match["quoted"] or match["plain"] or "")
    return match[0] if name is None else f'@"{name}"'
