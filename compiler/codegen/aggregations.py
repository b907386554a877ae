"""Aggregation functions: `@x = count()` and the others. Layouts of values: Type.Kind in required_resources.proto.

Their maps hold a value for each CPU, so that updates need no atomic operations.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.analysis.program import MapSymbol
from compiler.codegen import maps
from compiler.codegen.builtins import times
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import aggregation
from compiler.syntax import ast
from compiler.types import map_values
from compiler.types.lattice import Clock

Change = Callable[[Operand], None]


def _update(
    e: Emitter, target: ast.MapAccess, call: ast.Call, key: Operand, first: list[Operand], change: Change
) -> None:
    """Changes the value of `key` in place; one that is not there begins with the words `first`."""
    f = e.f
    symbol: MapSymbol = target.map.symbol
    value = maps.look_up(e, symbol, key)
    present, absent, done = f.label("present"), f.label("absent"), f.label("updated")
    f.branch_if(maps.is_found(e, value), present, absent)
    f.enter(present)
    change(value)
    f.branch(done)
    f.enter(absent)
    initial = e.temporary(8 * len(first), target.span)
    for index, word in enumerate(first):
        f.store(word, e.at(initial, 8 * index).address, 8)
    maps.update(e, symbol, key, initial.address, call.span)
    f.enter(done)


def _add(e: Emitter, target: ast.MapAccess, call: ast.Call, key: Operand, *amounts: Operand) -> None:
    """Adds an amount to each word of the value."""

    def change(value: Operand) -> None:
        for index, amount in enumerate(amounts):
            word = e.f.offset(value, 8 * index)
            e.f.store(e.f.binary("add", e.f.load(word, 8, signed=False), amount), word, 8)

    _update(e, target, call, key, list(amounts), change)


def _key(e: Emitter, target: ast.MapAccess, bucket: Operand | None = None) -> Operand:
    return maps.key(e, target.map.symbol, target.key, bucket)


@aggregation("count")
def count(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    _add(e, target, call, _key(e, target), "1")


@aggregation("sum")
def sum_(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    amount = e.scalar(call.arguments[0])
    _add(e, target, call, _key(e, target), amount)


@aggregation("avg", "stats")
def average(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    amount = e.scalar(call.arguments[0])
    _add(e, target, call, _key(e, target), amount, "1")


@aggregation("min", "max")
def extreme(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    f = e.f
    new = e.scalar(call.arguments[0])
    signed = target.map.symbol.value_type.is_signed
    predicate = ("s" if signed else "u") + ("lt" if call.name == "min" else "gt")

    def change(value: Operand) -> None:
        is_set = f.offset(value, 8)
        better = f.boolean(f.compare(predicate, new, f.load(value, 8, signed=False)))
        first = f.boolean(f.compare("eq", f.load(is_set, 8, signed=False), "0"))
        with e.when(f.compare("ne", f.binary("or", better, first), "0"), "better"):
            f.store(new, value, 8)
            f.store("1", is_set, 8)

    _update(e, target, call, _key(e, target), [new, "1"], change)


@aggregation("hist")
def hist(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    type_ = target.map.symbol.value_type
    assert isinstance(type_, map_values.Hist)
    argument = call.arguments[0]
    bucket = _log2_bucket(e, e.scalar(argument), type_.bits)
    _add(e, target, call, _key(e, target, bucket), "1")


def _log2_bucket(e: Emitter, value: Operand, bits: int) -> Operand:
    """0 for negative numbers, 1 + n for n below 2^bits; further on 2^bits buckets for each power of two.

    With the leading one of n at bit p, the bucket is 1 + (p - bits + 1) * 2^bits + the `bits` bits that follow it.
    """
    f = e.f
    # Branches, not selections: the verifier, which follows each way, need not follow these numbers through the search.
    negative, natural = f.label("negative"), f.label("natural")
    small, large, done = f.label("small"), f.label("large"), f.label("bucket")
    f.branch_if(f.compare("slt", value, "0"), negative, natural)
    f.enter(negative)
    f.branch(done)
    f.enter(natural)
    f.branch_if(f.compare("ult", value, str(1 << bits)), small, large)
    f.enter(small)
    of_small = f.binary("add", value, "1")
    f.branch(done)
    f.enter(large)
    # The leading one, by halving the range that it may be in.
    rest, position = value, "0"
    for half in (32, 16, 8, 4, 2, 1):
        reaches = f.boolean(f.compare("ugt", rest, str((1 << half) - 1)))
        shift = f.binary("shl", reaches, str(half.bit_length() - 1))
        rest = f.binary("lshr", rest, shift)
        position = f.binary("add", position, shift)
    exponent = f.binary("sub", position, str(bits))
    mantissa = f.binary("and", f.binary("lshr", value, exponent), str((1 << bits) - 1))
    of_large = f.binary("shl", f.binary("add", exponent, "1"), str(bits))
    of_large = f.binary("add", f.binary("add", of_large, mantissa), "1")
    f.enter(done)
    return f.phi([("0", negative), (of_small, small), (of_large, large)])


@aggregation("lhist")
def lhist(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    """Bucket 0 is below the range, then one for each step, and one for what is above."""
    f = e.f
    type_ = target.map.symbol.value_type
    assert isinstance(type_, map_values.LHist)
    value = e.scalar(call.arguments[0])
    steps = f.binary("udiv", f.binary("sub", value, str(type_.minimum)), str(type_.step))
    inside = f.binary("add", steps, "1")
    above = f.compare("sgt", value, str(type_.maximum))
    bucket = f.select(above, str(1 + (type_.maximum - type_.minimum) // type_.step), inside)
    bucket = f.select(f.compare("slt", value, str(type_.minimum)), "0", bucket)
    _add(e, target, call, _key(e, target, bucket), "1")


@aggregation("tseries")
def tseries(e: Emitter, target: ast.MapAccess, call: ast.Call) -> None:
    """The value's place is that of its interval, modulo the number of intervals: a new one overwrites the oldest."""
    f = e.f
    type_ = target.map.symbol.value_type
    assert isinstance(type_, map_values.TSeries)
    function = map_values.TSeriesFunction
    new = e.scalar(call.arguments[0])
    now = times.now(e, Clock.SW_TAI)
    epoch = f.binary("udiv", now, str(type_.interval_ns))
    bucket = f.binary("urem", epoch, str(type_.intervals))
    first = [new, now if type_.function is function.NONE else "1", epoch]

    def begin(value: Operand) -> None:
        for index, word in enumerate(first):
            f.store(word, f.offset(value, 8 * index), 8)

    def combine(value: Operand) -> None:
        old = f.load(value, 8, signed=False)
        match type_.function:
            case function.AVG | function.SUM:
                f.store(f.binary("add", old, new), value, 8)
                count = f.offset(value, 8)
                f.store(f.binary("add", f.load(count, 8, signed=False), "1"), count, 8)
            case function.MIN | function.MAX:
                predicate = ("s" if type_.signed else "u") + ("lt" if type_.function is function.MIN else "gt")
                f.store(f.select(f.compare(predicate, new, old), new, old), value, 8)

    def change(value: Operand) -> None:
        if type_.function is function.NONE:
            begin(value)
            return
        same, other, done = f.label("interval.same"), f.label("interval.new"), f.label("interval.done")
        f.branch_if(f.compare("eq", f.load(f.offset(value, 16), 8, signed=False), epoch), same, other)
        f.enter(same)
        combine(value)
        f.branch(done)
        f.enter(other)
        begin(value)
        f.enter(done)

    _update(e, target, call, _key(e, target, bucket), first, change)
