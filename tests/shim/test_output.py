"""Text output against upstream's.

output_golden/NAME.bt is a script, NAME.out and NAME.err are what bpftrace 0.27.1 prints for it, but for messages of its
compiler. The functions here do by hand what the compiler makes of the script and what the kernel makes of the programs.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from proto import required_resources_pb2 as pb
from tests.shim.output_script import Kind, Script, Value

_GOLDEN = Path(__file__).parent / "output_golden"
_CASES: dict[str, Callable[[Script], None]] = {}


def golden(case: Callable[[Script], None]) -> Callable[[Script], None]:
    _CASES[case.__name__] = case
    return case


@pytest.mark.parametrize("name", _CASES)
def test_golden(name: str) -> None:
    script = Script()
    _CASES[name](script)
    output = script.run()
    errors = _GOLDEN / f"{name}.err"
    assert output.err == (errors.read_text() if errors.exists() else "")
    assert output.out == (_GOLDEN / f"{name}.out").read_text(encoding="utf-8", errors="surrogateescape")
    assert output.status == 0


def test_every_golden_file_has_a_case() -> None:
    assert {path.stem for path in _GOLDEN.iterdir()} == set(_CASES)


def end(s: Script, *maps: int) -> None:
    """What the tracer prints when it ends."""
    s.printf("\n\n")
    s.print_at_exit(*maps)


@golden
def printf_integers(s: Script) -> None:
    v, n = s.integer(-16), s.integer(-2, 1)
    big = s.integer(0x10000000005)
    five, byte = s.integer(5, 1), s.integer(255, 1, signed=False)
    s.printf("[%d][%i][%u][%x][%X][%o]\n", v, v, v, v, v, v)
    s.printf("[%ld][%lld][%lu][%lx][%lX][%lo]\n", v, v, v, v, v, v)
    s.printf("[%hd][%hhd][%hu][%hhu][%hx][%hhx]\n", n, n, n, n, n, n)
    s.printf("[%jd][%zd][%td][%tu][%Ld]\n", v, v, v, v, v)
    s.printf("[%d][%u][%ld]\n", big, big, big)
    minus = s.integer(-5, 1)
    s.printf("[%5d][%-5d][%05d][%-05d][%+d][%+5d][% d]\n", minus, minus, minus, minus, five, five, five)
    zero, eight = s.integer(0, 1), s.integer(8, 1)
    s.printf("[%#x][%#X][%#o][%#x][%#08x][%#8x][%-#8x][%#d]\n", byte, byte, eight, zero, byte, byte, byte, byte)
    s.printf("[%+u][%+x][%+o]\n", five, five, five)
    s.printf("[%c][%5c][%-5c][%05c][%llc]\n", *(s.integer(code, 1) for code in range(65, 70)))
    s.printf("[%p][%20p][%-20p][%020p][%p][%+p]\n", v, v, v, v, zero, s.integer(1, 1))
    s.printf("[%.3d][%8.3d][%*d]\n", five, five, five)
    end(s)


@golden
def printf_values(s: Script) -> None:
    abc = s.string("abc", 4)
    five = s.integer(5, 1)
    s.printf("[%5s][%-5s][%.2s][%5.2s][%ls]\n", abc, abc, abc, abc, abc)
    s.printf("[%s][%+s][%5s][%#s][%+s]\n", five, five, five, five, s.integer(-5, 1))
    pair = s.tuple_of(s.integer(1, 1), s.integer(2, 1))
    s.printf("[%10s][%-10s][%010s][%+s]\n", pair, pair, pair, s.tuple_of(s.integer(1, 1), s.integer(-2, 1)))
    true, false = s.boolean(True), s.boolean(False)
    s.printf("[%s][%d][%5s][%x][%c]\n", true, true, false, true, true)
    names = {"A": 1, "B": 70000}
    a, b = s.enumerator(1, names), s.enumerator(70000, names)
    s.printf("[%s][%d][%x][%-8s][%8s]\n", a, b, b, a, b)
    s.printf("%%|%d%%|%5%|\n", five)
    record = s.record(a=s.integer(1, 1), b=s.string("x", 2))
    s.printf("[%s][%20s]\n", record, record)
    pointer = s.pointer(0xCC0)
    s.printf("[%d][%x][%s][%12s]\n", pointer, pointer, pointer, pointer)
    s.printf(b"a\0b\xff|%s|\n", s.string("x", 4))
    address = s.inet4(bytes([127, 0, 0, 1]))
    s.printf("%s %10s|\n", address, address)
    end(s)


@golden
def printf_buffers(s: Script) -> None:
    long, short = s.buffer(b"ab\x01c\xff"), s.buffer(b"ab\x01c", 8)
    s.printf("[%r][%rx][%rh][%s]\n", long, long, long, long)
    s.printf("[%30r][%-30r][%30rx][%-30rh][%030rh]\n", short, short, short, short, short)
    flags = [s.integer(number, 8) for number in (0, 0xCC0, 0xDC0, 0x80000001, 0xCC0)]
    s.printf("[%gr][%gr][%gr][%30gr][%-30gr]\n", *flags)
    s.printf("[%gr]\n", s.integer(0x3FFFFFF))
    s.printf("[%gr][%gr]\n", s.integer(8), s.integer(-16))
    s.printf("[%gr][%gr]\n", s.boolean(True), s.pointer(0xCC0))
    end(s)


@golden
def print_values(s: Script) -> None:
    one, two, three = (s.integer(number, 1) for number in (1, 2, 3))
    s.print_value(one)
    s.print_value(s.integer(-1, 1))
    s.print_value(s.integer(200, 1, signed=False))
    s.print_value(s.integer((1 << 64) - 1, signed=False))
    s.print_value(s.string("s", 2))
    s.print_value(s.boolean(True))
    s.print_value(s.tuple_of(one, s.string("a", 2), s.tuple_of(two, three)))
    s.print_value(s.pointer(0x1234))
    s.print_value(s.pointer(0))
    s.print_value(s.buffer(b"ab\xffq"))
    s.print_value(s.record(a=one, b=s.string("x", 2)))
    s.print_value(s.tuple_of(one, s.tuple_of(two, s.record(x=three, y=s.boolean(True)))))
    s.print_value(s.probe("begin"))
    end(s)


@golden
def maps(s: Script) -> None:
    def number(value: int) -> Value:
        return s.integer(value)

    def text(value: str) -> Value:
        return s.string(value, 16)

    numbers = s.values("@i", [(number(key), number(value)) for key, value in [(3, 1), (2, 5), (-1, 7), (5, -3)]])
    strings = s.values("@str", [(number(key), text(value)) for key, value in [(1, "x"), (-5, "y"), (3, "z")]])
    tuples = s.values(
        "@t", [(s.tuple_of(number(a), text(b)), text(c)) for a, b, c in [(1, "b", "x"), (1, "a", "y"), (-1, "z", "w")]]
    )
    nested = s.values("@nested", [(s.tuple_of(s.tuple_of(number(1), number(2)), number(3)), number(1))])
    value = s.scalar("@v", s.tuple_of(number(1), number(2), text("x")))
    boolean = s.scalar("@b", s.boolean(True))
    flags = s.values("@flags", [(s.boolean(True), text("yes"))])
    scalar_text = s.scalar("@p", text("(hello)"))
    parens = s.values(
        "@parens",
        [(text(key), text(value)) for key, value in [("(hello)", "c"), ("(", "a"), ("(a)b)", "d"), ("()", "b")]],
    )
    record = s.scalar("@rec", s.record(a=number(1)))
    records = s.values("@reck", [(s.record(a=number(1)), number(2))])
    unsigned = s.scalar("@u64", s.integer((1 << 64) - 1, signed=False))
    large = s.values(
        "@u", [(number(1), s.integer((1 << 64) - 1, signed=False)), (number(2), s.integer(1, signed=False))]
    )
    names = s.values("@names", [(text(key), text(value)) for key, value in [("b", "1"), ("a", "2"), ("ab", "3")]])
    pairs = s.values(
        "@pair",
        [
            (s.tuple_of(text(a), number(b)), s.tuple_of(number(1), number(c)))
            for a, b, c in [("b", 2, 2), ("b", 1, 3), ("a", 3, 4)]
        ],
    )
    pointers = s.values("@ptr", [(number(1), s.pointer(3))])
    buffer = s.scalar("@arr", s.buffer(b"abc"))
    hosts = s.values("@addresses", [(s.inet4(bytes([127, 0, 0, 1])), number(1))])
    top = s.values(
        "@top", [(number(key), s.integer(value, signed=False)) for key, value in [(3, 30), (1, 10), (4, 41), (2, 20)]]
    )
    negative = s.values("@negative", [(number(1), number(-7))])
    empty = s.values("@empty", [(text("x"), number(1))])
    s.print_map(top, 2, 3)
    s.print_map(top, 10)
    s.print_map(top, 0)
    s.print_map(top, 4, 1)
    s.print_map(negative, 0, 2)
    s.print_map(large, 0, 2)
    s.print_map(names, 1)
    s.print_map(value)
    s.print_map(value, 1, 2)
    s.fill(empty, [])
    s.print_map(empty)
    for index in (value, boolean, scalar_text, record, unsigned):
        s.fill(index, [])
        s.print_map(index)
    end(
        s,
        hosts,
        buffer,
        boolean,
        empty,
        flags,
        numbers,
        names,
        negative,
        nested,
        scalar_text,
        pairs,
        parens,
        pointers,
        record,
        records,
        strings,
        tuples,
        top,
        large,
        unsigned,
        value,
    )


@golden
def aggregations(s: Script) -> None:
    """Two CPUs, on which the numbers are spread."""
    a, b, c = (s.string(name, 8) for name in "abc")
    unset = (0, 0)
    count = s.aggregation("@c", Kind.COUNT, [(a, [(1,), (1,)]), (b, [(0,), (1,)])])
    total = s.aggregation("@s", Kind.SUM, [(a, [(9,), (-4,)]), (b, [(-6,), (0,)]), (c, [(-1,), (-3,)])], signed=True)
    unsigned = s.aggregation("@us", Kind.SUM, [(a, [(5,), (0,)])])
    least = s.aggregation(
        "@mi", Kind.MIN, [(a, [(5, 1), unset]), (b, [(-5, 1), (3, 1)]), (c, [unset, (2, 1)])], signed=True
    )
    most = s.aggregation(
        "@ma", Kind.MAX, [(a, [(5, 1), (-9, 1)]), (b, [unset, (-5, 1)]), (c, [(2, 1), (1, 1)])], signed=True
    )
    unsigned_most = s.aggregation("@uma", Kind.MAX, [(a, [(5, 1), (-5, 1)])])
    average = s.aggregation(
        "@av", Kind.AVG, [(a, [(5, 1), unset]), (b, [(-5, 1), (-10, 1)]), (c, [unset, (3, 1)])], signed=True
    )
    stats = s.aggregation("@st", Kind.STATS, [(a, [(5, 1), unset]), (b, [(-5, 1), (-10, 1)])], signed=True)
    count1 = s.aggregation("@c1", Kind.COUNT, [(None, [(0,), (1,)])])
    sum1 = s.aggregation("@s1", Kind.SUM, [(None, [(0,), (-3,)])], signed=True)
    least1 = s.aggregation("@mi1", Kind.MIN, [(None, [(4, 1), unset])], signed=True)
    most1 = s.aggregation("@ma1", Kind.MAX, [(None, [(4, 1), unset])], signed=True)
    average1 = s.aggregation("@av1", Kind.AVG, [(None, [(3, 1), unset])], signed=True)
    stats1 = s.aggregation("@st1", Kind.STATS, [(None, [unset, (7, 1)])], signed=True)
    s.print_map(count)
    s.print_map(count, 1)
    s.print_map(count, 1, 2)
    s.print_map(total, 0, 2)
    s.print_map(average, 0, 3)
    s.print_map(least, 0, 2)
    s.print_map(stats1)
    s.print_map(count1)
    for index in (count1, stats1, most1, average1):
        s.fill(index, [])
        s.print_map(index)
    end(
        s,
        average,
        average1,
        count,
        count1,
        most,
        most1,
        least,
        least1,
        total,
        sum1,
        stats,
        stats1,
        unsigned_most,
        unsigned,
    )


def hist_buckets(bits: int, *values: int) -> dict[int, list[int]]:
    """What hist() counts, as the formula in shim/output/histogram.h has it; on two CPUs."""
    buckets: dict[int, list[int]] = {}
    for cpu, value in enumerate(values):
        if value < 0:
            bucket = 0
        elif value < 1 << bits:
            bucket = 1 + value
        else:
            position = value.bit_length() - 1
            rest = value >> (position - bits) & (1 << bits) - 1
            bucket = 1 + (position - bits + 1 << bits) + rest
        buckets.setdefault(bucket, [0, 0])[cpu % 2] += 1
    return buckets


@golden
def hist(s: Script) -> None:
    def scalar(name: str, bits: int, *values: int) -> int:
        return s.histogram(name, Kind.HIST, [(None, hist_buckets(bits, *values))], histogram_bits=bits)

    h = scalar("@h", 0, 0, 1, 2, 3, 5, 5, 6, -3, 2000000)
    big = scalar("@big", 0, 1 << 62, 1 << 61)
    bits2 = scalar("@bits2", 2, 0, 7, 8, 9, 1025)
    keys = s.histogram(
        "@keys",
        Kind.HIST,
        [
            (s.string(key, 8), hist_buckets(5, *values))
            for key, values in [("q", [99]), ("k", [100]), ("j", [100, 101])]
        ],
        histogram_bits=5,
    )
    tuples = s.histogram("@tuples", Kind.HIST, [(s.tuple_of(s.integer(1), s.string("a", 8)), hist_buckets(0, 5))])
    one = scalar("@one", 0, 1)
    negative = scalar("@negative", 0, -1)
    s.print_map(keys, 2)
    s.print_map(h, 0, 2)
    s.print_map(one)
    s.fill(one, [])
    s.print_map(one)
    s.fill(negative, [(bytes(8), [bytes(8)])])
    s.print_map(negative)
    end(s, big, bits2, h, keys, negative, one, tuples)


@golden
def lhist(s: Script) -> None:
    def lhist_map(name: str, key: Value | None, least: int, most: int, step: int, *values: int) -> int:
        buckets: dict[int, list[int]] = {}
        for value in values:
            bucket = 0 if value < least else 1 + (min(value, most) - least) // step
            buckets.setdefault(bucket, [0])[0] += 1
        return s.histogram(name, Kind.LHIST, [(key, buckets)], lhist_min=least, lhist_max=most, lhist_step=step)

    linear = lhist_map("@l", None, 0, 10, 1, 5, 6, 6, 50, -1)
    over = lhist_map("@over", None, 0, 10, 1, 50)
    under = lhist_map("@under", None, 0, 10, 2, -5)
    units = lhist_map("@units", None, 0, 3 << 20, 65536, 4096, 2 << 20)
    uneven = lhist_map("@uneven", None, 1, 10, 5, 3, 10, 11)
    key = lhist_map("@key", s.tuple_of(s.integer(1), s.string("a", 8)), 0, 100, 10, 3)
    offset = lhist_map("@offset", None, 1000, 2200, 100, 1100, 1200)
    kilo = lhist_map("@kilo", None, 0, 4096, 2048, 2100)
    s.print_map(linear, 0, 2)
    end(s, key, kilo, linear, offset, over, under, uneven, units)


@golden
def errors(s: Script) -> None:
    divide = pb.RuntimeError.DIVIDE_BY_ZERO
    lines = (_GOLDEN / "errors.bt").read_text().splitlines()

    def span(line: int, begin: int, end_column: int, parent: int = 0) -> int:
        return s.span(line, begin, end_column, lines[line - 1], parent=parent)

    def two_lines(line: int) -> int:
        return s.span(line, 1, 1, "\n".join(lines[line - 1 : line + 1]), end_line=line + 1)

    one, five, x = s.integer(1, 1), s.integer(5, 1), s.string("x", 2)
    s.runtime_error(divide, span(6, 17, 23))
    s.printf("%d\n", one)
    s.runtime_error(divide, span(7, 18, 24))
    s.printf("%d\n", one)
    s.runtime_error(divide, two_lines(8))
    s.printf("%s %d\n", x, one)
    s.runtime_error(divide, span(2, 19, 24, parent=span(10, 18, 29)))
    s.printf("%d\n", one)
    s.printf("hello %d\n", five, severity=pb.Printf.WARNING, span=span(11, 3, 25))
    s.printf("oh %s\nno\n", x, severity=pb.Printf.ERROR, span=span(11, 27, 53))
    s.printf("w %d", five, severity=pb.Printf.WARNING, span=span(3, 14, 30, parent=span(12, 3, 7)))
    s.runtime_error(pb.RuntimeError.HELPER, span(13, 14, 23), "map_update_elem", -7)
    inner = two_lines(14)
    s.runtime_error(divide, span(2, 19, 24, parent=inner))
    s.runtime_error(pb.RuntimeError.HELPER, inner, "map_update_elem", -7)
    end(s, s.values("@a", [(one, one)]))
