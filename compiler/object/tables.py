"""The tables of RequiredResources that other messages refer to by index: source spans, types, enumerations."""

from __future__ import annotations

from compiler.syntax.source import Span, encode
from compiler.types import lattice, map_values
from compiler.types.lattice import Type
from proto import required_resources_pb2 as pb

Kind = pb.Type.Kind

# Enumerators beyond this many are not carried along; a value without a name prints as a number.
MAX_ENUMERATORS = 4096


class Tables:
    """Adds entries to the tables of `resources`, each once; index 0 is the placeholder for "none"."""

    def __init__(self, resources: pb.RequiredResources) -> None:
        self._resources = resources
        self._spans: dict[Span, int] = {}
        self._types: dict[bytes, int] = {}
        self._enums: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
        resources.spans.add()
        resources.types.add()
        resources.enums.add()

    def span(self, span: Span | None) -> int:
        if span is None:
            return 0
        index = self._spans.get(span)
        if index is None:
            parent = self.span(span.expanded_from)
            begin, end = span.begin_position, span.end_position
            index = self._spans[span] = len(self._resources.spans)
            self._resources.spans.add(
                file=span.source.name,
                line=begin.line,
                column=begin.column,
                end_line=end.line,
                end_column=end.column,
                text=encode("\n".join(map(span.source.line, range(begin.line, end.line + 1)))),
                parent=parent,
            )
        return index

    def type(self, type_: Type) -> int:
        """The index of what printing needs to know of a type."""
        entry = self._describe(type_)
        key = entry.SerializeToString(deterministic=True)
        index = self._types.get(key)
        if index is None:
            index = self._types[key] = len(self._resources.types)
            self._resources.types.append(entry)
        return index

    def enumeration(self, enum: lattice.Enum) -> int:
        # The kernel and a traced program may have different enumerations of one name.
        values = tuple(enum.enumerators.items())[:MAX_ENUMERATORS]
        key = enum.name, values
        index = self._enums.get(key)
        if index is None:
            index = self._enums[key] = len(self._resources.enums)
            entry = self._resources.enums.add(name=enum.name)
            for name, value in values:
                signed = value - 2**64 if value >= 2**63 else value
                entry.enumerators.add(name=name, value=signed)
        return index

    def _describe(self, type_: Type) -> pb.Type:
        entry = pb.Type(size=stored_size(type_), is_signed=type_.is_signed)
        simple = _SIMPLE.get(type(type_))
        if simple is not None:
            entry.kind = simple
        match type_:
            case lattice.Enum():
                entry.enumeration = self.enumeration(type_)
            case lattice.Pointer(to):
                # What a pointer points to matters for nothing but its name; structures may point in circles.
                entry.name = str(to)
            case lattice.Array(element, count):
                entry.element = self.type(element)
                entry.count = count
            case lattice.Struct():
                entry.kind = Kind.UNION if type_.is_union else Kind.STRUCT
                entry.name = type_.name
                for member in type_.fields:
                    self._add_member(entry, member)
            case lattice.Tuple(elements):
                for element, offset in zip(elements, type_.layout.offsets, strict=True):
                    entry.fields.add(type=self.type(element), offset=offset)
            case lattice.Record(fields):
                for (name, element), offset in zip(fields, type_.layout.offsets, strict=True):
                    entry.fields.add(name=name, type=self.type(element), offset=offset)
            case lattice.Timestamp(clock):
                entry.clock = _CLOCKS[clock]
            case lattice.Stack(limit, mode):
                entry.count = limit
                entry.stack_mode = _STACK_MODES[mode]
            case map_values.Hist(bits):
                entry.histogram_bits = bits
            case map_values.LHist(minimum, maximum, step):
                entry.lhist_min, entry.lhist_max, entry.lhist_step = minimum, maximum, step
            case map_values.TSeries(interval_ns, intervals, function):
                entry.tseries_interval_ns, entry.tseries_buckets = interval_ns, intervals
                entry.tseries_aggregate = _AGGREGATES[function]
        return entry

    def _add_member(self, entry: pb.Type, member: lattice.Field) -> None:
        size = max(member.type.size, 1)
        if member.bitfield:
            word = member.offset // (size * 8) * size
            entry.fields.add(
                name=member.name,
                type=self.type(member.type),
                offset=word,
                bit_shift=member.offset - word * 8,
                bit_size=member.bitfield,
            )
        else:
            entry.fields.add(name=member.name, type=self.type(member.type), offset=member.byte_offset)


def stored_size(type_: Type) -> int:
    """Bytes of a value in a map or event; of an aggregation, of one CPU's part. Layouts: required_resources.proto."""
    match type_:
        case map_values.Min() | map_values.Max() | map_values.Avg() | map_values.Stats():
            return 16
        case map_values.TSeries():
            return 24
        case _:
            return type_.size


_SIMPLE: dict[type[Type], pb.Type.Kind] = {
    lattice.None_: Kind.NONE,
    lattice.Void: Kind.NONE,
    lattice.Integer: Kind.INTEGER,
    lattice.Enum: Kind.INTEGER,
    lattice.Bool: Kind.BOOL,
    lattice.Pointer: Kind.POINTER,
    lattice.String: Kind.STRING,
    lattice.Buffer: Kind.BUFFER,
    lattice.Array: Kind.ARRAY,
    lattice.Tuple: Kind.TUPLE,
    lattice.Record: Kind.RECORD,
    lattice.Inet: Kind.INET,
    lattice.MacAddress: Kind.MAC_ADDRESS,
    lattice.KSym: Kind.KSYM,
    lattice.USym: Kind.USYM,
    lattice.Word: Kind.PARAMETER,
    lattice.Username: Kind.USERNAME,
    lattice.Timestamp: Kind.TIMESTAMP,
    lattice.CgroupPath: Kind.CGROUP_PATH,
    lattice.KStack: Kind.KSTACK,
    lattice.UStack: Kind.USTACK,
    map_values.Count: Kind.COUNT,
    map_values.Sum: Kind.SUM,
    map_values.Min: Kind.MIN,
    map_values.Max: Kind.MAX,
    map_values.Avg: Kind.AVG,
    map_values.Stats: Kind.STATS,
    map_values.Hist: Kind.HIST,
    map_values.LHist: Kind.LHIST,
    map_values.TSeries: Kind.TSERIES,
}

_CLOCKS = {
    lattice.Clock.BOOT: pb.Type.BOOT,
    lattice.Clock.MONOTONIC: pb.Type.MONOTONIC,
    lattice.Clock.TAI: pb.Type.TAI,
    lattice.Clock.SW_TAI: pb.Type.SOFTWARE_TAI,
}

_STACK_MODES = {
    lattice.StackMode.BPFTRACE: pb.Type.BPFTRACE,
    lattice.StackMode.PERF: pb.Type.PERF,
    lattice.StackMode.RAW: pb.Type.RAW,
    lattice.StackMode.BUILD_ID: pb.Type.BUILD_ID,
}

_AGGREGATES = {
    map_values.TSeriesFunction.NONE: pb.Type.TSERIES_NONE,
    map_values.TSeriesFunction.AVG: pb.Type.TSERIES_AVG,
    map_values.TSeriesFunction.MIN: pb.Type.TSERIES_MIN,
    map_values.TSeriesFunction.MAX: pb.Type.TSERIES_MAX,
    map_values.TSeriesFunction.SUM: pb.Type.TSERIES_SUM,
}
