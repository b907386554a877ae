"""Time series, against upstream's.

output_tseries.out is what bpftrace 0.27.1 printed for calls of tseries() at times that the test had chosen (by its
variable BPFTRACE_DUMMY_TS_MAP).
"""

import struct
from collections.abc import Mapping
from pathlib import Path

from tests.shim.output_script import Kind, Script, Value

_GOLDEN = Path(__file__).parent / "output_tseries.out"
_S, _MS, _US = 10**9, 10**6, 10**3
_NEVER = (0, 0, 0)

Cell = tuple[int, int, int]
"""What a CPU has for an interval: value, number of values or time of the last one, epoch."""
Cells = list[list[Cell]]
"""Of all CPUs, for one interval after the other."""


def series(
    s: Script, name: str, interval: int, count: int, cells: Mapping[Value, Cells] | Mapping[None, Cells],
    aggregate: int = Kind.TSERIES_NONE, *, signed: bool = True,
) -> int:  # fmt: skip
    """A map, with or without keys."""
    value_type = s.type_index(
        Kind.TSERIES, 24, is_signed=signed, tseries_interval_ns=interval, tseries_buckets=count,
        tseries_aggregate=aggregate,
    )  # fmt: skip
    rows = []
    for key, intervals in cells.items():
        for cpus in intervals:
            bucket = max(epoch for _, _, epoch in cpus) % count
            values = [struct.pack("<qqQ", *cell) for cell in cpus]
            rows.append(((key.data if key else b"") + struct.pack("<Q", bucket), values))
    key = next(iter(cells))
    return s.add_map(name, value_type, key.type if key else 0, len(rows[0][0]), rows)


def test_golden() -> None:
    s = Script()
    first, second = 100 * _S, 100 * _S + 200 * _MS + 12_020
    averages = [[(1, 1, 1000), (-8, 1, 1000)], [(30, 1, 1002), _NEVER]]
    # The first CPU has not been here since the interval that had the same place before.
    last = [[(1, first, 100), (7, 103 * _S, 103)], [(6, 5, 101), (7, 6, 101)]]
    minima = [[(-6, 2, first // 10), _NEVER], [(8, 1, second // 10), (7, 1, second // 10)]]
    pair, a, b = s.tuple_of(s.integer(1), s.integer(2)), s.string("a", 2), s.string("b", 2)
    sums = {a: [[(9, 1, 1_002_000), _NEVER]], b: [[(4, 1, 1_002_000), (6, 1, 1_002_000)]]}
    maps = [
        series(s, "@avg", 100 * _MS, 5, {None: averages}, Kind.TSERIES_AVG),
        series(s, "@last", _S, 3, {None: last}),
        series(s, "@max", 60 * _S, 2, {None: [[(5, 1, 1), (4, 1, 1)]]}, Kind.TSERIES_MAX, signed=False),
        series(s, "@min", 10, 3, {pair: minima}, Kind.TSERIES_MIN),
        series(s, "@old", _S, 2, {a: [[(1, first, 100)]], b: [[(1, 5, 103)]]}),
        series(s, "@signs", _S, 4, {None: [[(-10, 1, 100)], [(5, 1, 101)], [(20, 1, 103)]]}),
        series(s, "@sum", 100 * _US, 4, sums, Kind.TSERIES_SUM),
    ]
    s.printf("\n\n")
    s.print_at_exit(*maps)
    output = s.run()
    assert output.err == ""
    assert output.out == _GOLDEN.read_text()


def test_nothing_left() -> None:
    """What zero() leaves of a map."""
    s = Script()
    s.print_at_exit(series(s, "@", _S, 3, {None: [[_NEVER, _NEVER]]}))
    assert s.run().out == "@:\n<no data>\n"


def test_ends_of_the_numbers() -> None:
    s = Script()
    least, most = -(2**63), 2**63 - 1
    s.print_at_exit(
        series(s, "@a", _S, 3, {None: [[(least, 1, 1)], [(0, 1, 2)], [(most, 1, 3)]]}),
        series(s, "@b", _S, 3, {None: [[(-1, 1, 1)]]}, signed=False),
        series(s, "@c", _S, 3, {None: [[(0, 1, 1)]]}, signed=False),
    )
    out = s.run().out
    graph = [line[9:].split() for line in out.splitlines() if line.startswith("00:")]
    assert [line[-1] for line in graph] == [str(least), "0", str(most), str(2**64 - 1), "0"]
    assert "         " + f"{least:<21}" + f"{most:>32}" in out.splitlines()
    # No room above the largest number, and none below the smallest.
    scales = [line.split() for line in out.splitlines() if line.startswith("                   ") and "_" not in line]
    assert scales[0] == [str(2**64 - 2), str(2**64 - 1)]
    assert scales[2] == ["0", "1"]


def test_times_of_microseconds() -> None:
    """The unit has two bytes in one column, which padding counts as two."""
    s = Script()
    s.print_at_exit(series(s, "@", 250 * _US, 2, {None: [[(1, 1, 4)], [(2, 1, 5)]]}))
    lines = s.run().out.splitlines()
    assert lines[2].startswith("hh:mm:ss.μs    |_")
    assert lines[3].startswith("00:00:00.001000 * ")
    assert lines[4].startswith("00:00:00.001250 | ")
