"""Resources, events and map contents as the compiler and the kernel would make them, for output_harness.c.

A value is a type of the table and the bytes of it: `script.integer(-5)`, `script.string("abc")`,
`script.tuple_of(script.integer(1), script.string("a"))`.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proto import required_resources_pb2 as pb

Kind = pb.Type

_CHUNK_RESOURCES, _CHUNK_OPTIONS, _CHUNK_EVENT, _CHUNK_MAP, _CHUNK_PRINT_MAP = range(1, 6)
_EVENT_HEADER = 8
_CONVERSION = re.compile(
    rb"%(?P<left>-?)(?P<sign>\+?)(?P<space> ?)(?P<alternate>#?)(?P<zero>0?)(?P<width>\d+|\*)?"
    rb"(?:\.(?P<precision>\d+|\*))?(?P<length>[hlLjzt]*)(?P<conversion>[diouxXcsp%]|gr|rh|rx|r)"
)


@dataclass(frozen=True, slots=True)
class Value:
    """`data` is as long as the type with index `type` says."""

    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """What the harness has printed."""

    out: str
    err: str
    status: int


class Script:
    """Resources under construction, and what happens to them, in order."""

    def __init__(self) -> None:
        self.resources = pb.RequiredResources(
            format_version=1, spans=[pb.SourceSpan()], types=[pb.Type()], enums=[pb.Enum()], config=pb.Config()
        )
        self.resources.config.str_trunc_trailer = ".."
        self._chunks: list[bytes] = []

    # Types and values.

    def type_index(self, kind: int, size: int, **members: object) -> int:
        """The index of a type with these members, which is added if there is none yet."""
        wanted = pb.Type(kind=kind, size=size, **members)  # type: ignore[arg-type]
        for index, known in enumerate(self.resources.types):
            if index and known == wanted:
                return index
        self.resources.types.append(wanted)
        return len(self.resources.types) - 1

    def integer(self, number: int, size: int = 8, signed: bool = True) -> Value:
        return Value(
            self.type_index(Kind.INTEGER, size, is_signed=signed), number.to_bytes(size, "little", signed=signed)
        )

    def enumerator(self, number: int, names: Mapping[str, int], size: int = 4) -> Value:
        wanted = pb.Enum(enumerators=[pb.Enumerator(name=name, value=value) for name, value in names.items()])
        if wanted not in self.resources.enums:
            self.resources.enums.append(wanted)
        index = list(self.resources.enums).index(wanted)
        return Value(self.type_index(Kind.INTEGER, size, enumeration=index), number.to_bytes(size, "little"))

    def boolean(self, value: bool) -> Value:
        return Value(self.type_index(Kind.BOOL, 1), bytes([value]))

    def pointer(self, address: int) -> Value:
        return Value(self.type_index(Kind.POINTER, 8), address.to_bytes(8, "little"))

    def string(self, text: str | bytes, size: int = 64) -> Value:
        data = text.encode() if isinstance(text, str) else text
        assert len(data) <= size
        return Value(self.type_index(Kind.STRING, size), data.ljust(size, b"\0"))

    def buffer(self, data: bytes, size: int | None = None) -> Value:
        room = len(data) if size is None else size
        return Value(self.type_index(Kind.BUFFER, 4 + room), struct.pack("<I", len(data)) + data.ljust(room, b"\0"))

    def array(self, *elements: Value) -> Value:
        size = sum(len(element.data) for element in elements)
        index = self.type_index(Kind.ARRAY, size, element=elements[0].type if elements else 0, count=len(elements))
        return Value(index, b"".join(element.data for element in elements))

    def tuple_of(self, *members: Value) -> Value:
        return self._group(Kind.TUPLE, [("", member) for member in members])

    def record(self, **members: Value) -> Value:
        return self._group(Kind.RECORD, members.items())

    def structure(self, *members: tuple[str, Value]) -> Value:
        """Members with an empty name are anonymous."""
        return self._group(Kind.STRUCT, members)

    def bitfields(self, word: int, size: int, **members: tuple[int, int]) -> Value:
        """A struct of unsigned bitfields in one word: name=(shift, bits)."""
        inner = self.type_index(Kind.INTEGER, size)
        fields = [
            pb.Field(name=name, type=inner, bit_shift=shift, bit_size=bits) for name, (shift, bits) in members.items()
        ]
        return Value(self.type_index(Kind.STRUCT, size, fields=fields), word.to_bytes(size, "little"))

    def _group(self, kind: int, members: Iterable[tuple[str, Value]]) -> Value:
        data = b""
        fields = []
        for name, member in members:
            data += b"\0" * (-len(data) % min(len(member.data) or 1, 8))
            fields.append(pb.Field(name=name, type=member.type, offset=len(data)))
            data += member.data
        data += b"\0" * (-len(data) % 8)
        return Value(self.type_index(kind, len(data), fields=fields), data)

    def inet4(self, address: bytes) -> Value:
        return Value(self.type_index(Kind.INET, 24), struct.pack("<Q", 2) + address.ljust(16, b"\0"))

    def inet6(self, address: bytes) -> Value:
        return Value(self.type_index(Kind.INET, 24), struct.pack("<Q", 10) + address)

    def mac_address(self, address: bytes) -> Value:
        return Value(self.type_index(Kind.MAC_ADDRESS, 6), address)

    def ksym(self, address: int) -> Value:
        return Value(self.type_index(Kind.KSYM, 8), address.to_bytes(8, "little"))

    def username(self, uid: int) -> Value:
        return Value(self.type_index(Kind.USERNAME, 8), uid.to_bytes(8, "little"))

    def probe(self, name: str) -> Value:
        names = [probe.name for probe in self.resources.probes]
        if name not in names:
            self.resources.probes.append(pb.Probe(name=name))
            names.append(name)
        return Value(self.type_index(Kind.PROBE, 8), names.index(name).to_bytes(8, "little"))

    def timestamp(self, time_format: str, nanoseconds: int, clock: int = Kind.TAI) -> Value:
        formats = self.resources.time_formats
        if time_format not in formats:
            formats.append(time_format)
        data = struct.pack("<qII", nanoseconds, list(formats).index(time_format), 0)
        return Value(self.type_index(Kind.TIMESTAMP, 16, clock=clock), data)

    def user_symbol(self, address: int, pid: int) -> Value:
        return Value(self.type_index(Kind.USYM, 16), struct.pack("<QII", address, pid, 0))

    def cgroup_path(self, cgroup: int, cgroup_filter: str) -> Value:
        filters = self.resources.cgroup_filters
        if cgroup_filter not in filters:
            filters.append(cgroup_filter)
        data = struct.pack("<QQ", cgroup, list(filters).index(cgroup_filter))
        return Value(self.type_index(Kind.CGROUP_PATH, 16), data)

    # Where things stand in the script.

    def span(self, line: int, column: int, end_column: int, text: str, *, parent: int = 0, end_line: int = 0) -> int:
        self.resources.spans.append(
            pb.SourceSpan(
                file="a.bt",
                line=line,
                column=column,
                end_line=end_line or line,
                end_column=end_column,
                text=text.encode(),
                parent=parent,
            )
        )
        return len(self.resources.spans) - 1

    # What happens.

    def printf(
        self,
        text: str | bytes,
        *arguments: Value,
        severity: pb.Printf.Severity = pb.Printf.OUTPUT,
        span: int = 0,
    ) -> None:
        text_format, data = _formatted(text, arguments)
        self._event(pb.Action(span=span, printf=pb.Printf(format=text_format, severity=severity)), data)

    def cat(self, path: str, *arguments: Value, limit: int = 10240) -> None:
        self.resources.config.max_cat_bytes = limit
        text_format, data = _formatted(path, arguments)
        self._event(pb.Action(cat=pb.Cat(path=text_format)), data)

    def system(self, command: str, *arguments: Value) -> None:
        text_format, data = _formatted(command, arguments)
        self._event(pb.Action(system=pb.System(command=text_format)), data)

    def print_value(self, value: Value) -> None:
        argument = pb.Argument(type=value.type, offset=_EVENT_HEADER)
        self._event(pb.Action(print_value=pb.PrintValue(argument=argument)), b"\0" * _EVENT_HEADER + value.data)

    def join(self, delimiter: str, strings: list[str], size: int = 16) -> None:
        data = b"".join(string.encode().ljust(size, b"\0") for string in strings)
        call = pb.Join(delimiter=delimiter.encode(), offset=_EVENT_HEADER, count=len(strings), size=size)
        self._event(pb.Action(join=call), b"\0" * _EVENT_HEADER + data)

    def time(self, time_format: str) -> None:
        self._event(pb.Action(time=pb.Time(format=time_format)), b"\0" * _EVENT_HEADER)

    def runtime_error(self, kind: pb.RuntimeError.Kind, span: int, helper: str = "", result: int = 0) -> None:
        value = self.integer(result, 4)
        argument = pb.Argument(type=value.type, offset=_EVENT_HEADER)
        call = pb.RuntimeError(kind=kind, helper=helper, result=argument)
        self._event(pb.Action(span=span, runtime_error=call), b"\0" * _EVENT_HEADER + value.data)

    def no_warnings(self) -> None:
        self._chunk(_CHUNK_OPTIONS, struct.pack("<I", 1))

    def add_map(
        self, name: str, value_type: int, key_type: int, key_size: int, entries: list[tuple[bytes, list[bytes]]]
    ) -> int:
        """Declares a map and fills it; each entry has a value per CPU. Returns its index."""
        value_size = max(self.resources.types[value_type].size, 1)
        self.resources.maps.append(
            pb.Map(name=name, key_size=key_size, value_size=value_size, key_type=key_type, value_type=value_type)
        )
        index = len(self.resources.maps) - 1
        self.fill(index, entries)
        return index

    def fill(self, index: int, entries: list[tuple[bytes, list[bytes]]]) -> None:
        cpus = len(entries[0][1]) if entries else 1
        data = b"".join(key + b"".join(values) for key, values in entries)
        self._chunk(_CHUNK_MAP, struct.pack("<II", index, cpus) + data)

    def values(self, name: str, entries: list[tuple[Value, Value]]) -> int:
        """A map with keys and plain values."""
        rows = [(key.data, [value.data]) for key, value in entries]
        key, value = entries[0]
        return self.add_map(name, value.type, key.type, len(key.data), rows)

    def scalar(self, name: str, value: Value) -> int:
        """A map without keys."""
        return self.add_map(name, value.type, 0, 8, [(bytes(8), [value.data])])

    def aggregation(
        self,
        name: str,
        kind: int,
        entries: list[tuple[Value | None, list[tuple[int, ...]]]],
        signed: bool = False,
        **members: object,
    ) -> int:
        """A map of aggregations: the numbers of every CPU. A key of None is that of a map without keys."""
        size = 8 * len(entries[0][1][0])
        value_type = self.type_index(kind, size, is_signed=signed, **members)
        rows = [(key.data if key else bytes(8), [_numbers(numbers) for numbers in cpus]) for key, cpus in entries]
        key = entries[0][0]
        return self.add_map(name, value_type, key.type if key else 0, len(rows[0][0]), rows)

    def histogram(
        self, name: str, kind: int, histograms: list[tuple[Value | None, dict[int, list[int]]]], **members: object
    ) -> int:
        """A map of hist() or lhist(): for every key, the counts of all CPUs by the number of the bucket."""
        value_type = self.type_index(kind, 8, **members)
        rows = []
        for key, buckets in histograms:
            prefix = key.data + b"\0" * (-len(key.data) % 8) if key else b""
            for bucket, counts in buckets.items():
                rows.append((prefix + struct.pack("<Q", bucket), [_numbers((count,)) for count in counts]))
        key = histograms[0][0]
        return self.add_map(name, value_type, key.type if key else 0, len(rows[0][0]), rows)

    def print_map(self, index: int, top: int = 0, div: int = 0) -> None:
        data = b"\0" * _EVENT_HEADER + struct.pack("<II", top, div)
        self._event(pb.Action(print_map=pb.PrintMap(map=index)), data)

    def print_at_exit(self, *indices: int) -> None:
        for index in indices:
            self._chunk(_CHUNK_PRINT_MAP, struct.pack("<I", index))

    def _event(self, action: pb.Action, data: bytes) -> None:
        self.resources.actions.append(action)
        self._chunk(_CHUNK_EVENT, struct.pack("<I", len(self.resources.actions) - 1) + data[4:])

    def _chunk(self, kind: int, data: bytes) -> None:
        self._chunks.append(struct.pack("<II", kind, len(data)) + data)

    def script(self) -> bytes:
        """The input of the harness."""
        message = self.resources.SerializeToString()
        return struct.pack("<II", _CHUNK_RESOURCES, len(message)) + message + b"".join(self._chunks)

    def run(self, environment: Mapping[str, str] | None = None) -> Output:
        """Prints everything, with the time zone UTC."""
        done = subprocess.run(
            [os.environ["OUTPUT_HARNESS"]],
            input=self.script(),
            capture_output=True,
            check=False,
            timeout=60,
            env={"TZ": "UTC0", **(environment or {})},
        )
        return Output(_text(done.stdout), _text(done.stderr), done.returncode)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _numbers(numbers: tuple[int, ...]) -> bytes:
    return b"".join((number & (1 << 64) - 1).to_bytes(8, "little") for number in numbers)


def _formatted(text: str | bytes, arguments: Iterable[Value]) -> tuple[pb.Format, bytes]:
    """The format, and the event that carries its arguments."""
    data = b"\0" * _EVENT_HEADER
    pieces = []
    literal = b""
    raw = text.encode() if isinstance(text, str) else text
    end = 0
    left = list(arguments)
    for match in _CONVERSION.finditer(raw):
        literal += raw[end : match.start()]
        end = match.end()
        if match["conversion"] == b"%":
            literal += b"%"
            continue
        data += b"\0" * (-len(data) % 8)
        argument = left.pop(0)
        pieces.append(_piece(literal, match, pb.Argument(type=argument.type, offset=len(data))))
        data += argument.data
        literal = b""
    assert not left
    pieces.append(pb.FormatPiece(literal=literal + raw[end:]))
    return pb.Format(pieces=pieces), data


def _piece(literal: bytes, match: re.Match[bytes], argument: pb.Argument) -> pb.FormatPiece:
    piece = pb.FormatPiece(
        literal=literal,
        conversion=match["conversion"].decode(),
        length=match["length"].decode(),
        left_align=bool(match["left"]),
        show_sign=bool(match["sign"]),
        space_sign=bool(match["space"]),
        alternate=bool(match["alternate"]),
        zero_pad=bool(match["zero"]),
        argument=argument,
    )
    if match["width"] and match["width"] != b"*":
        piece.width, piece.width_given = int(match["width"]), True
    if match["precision"] and match["precision"] != b"*":
        piece.precision, piece.precision_given = int(match["precision"]), True
    return piece
