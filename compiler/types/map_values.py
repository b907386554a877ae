"""The types that only a map can hold: what aggregation functions such as `count()` and `hist(x)` yield."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from compiler.types.lattice import Type


class TSeriesFunction(enum.Enum):
    """How `tseries` combines the values of one interval."""

    NONE = "none"
    AVG = "avg"
    MAX = "max"
    MIN = "min"
    SUM = "sum"


class MapValue(Type):
    """Base of what aggregation functions yield."""

    __slots__ = ()

    _size: ClassVar[int] = 8
    is_map_value: ClassVar[bool] = True


class Count(MapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "count_t"
    is_castable_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SignedMapValue(MapValue):
    """Base of the map values that have the sign of what was put in."""

    signed: bool

    @property
    def is_signed(self) -> bool:
        return self.signed

    def __str__(self) -> str:
        return self._spelling if self.signed else f"u{self._spelling}"


class Sum(SignedMapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "sum_t"
    is_castable_map_value: ClassVar[bool] = True


class Min(SignedMapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "min_t"
    is_castable_map_value: ClassVar[bool] = True


class Max(SignedMapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "max_t"
    is_castable_map_value: ClassVar[bool] = True


class Avg(SignedMapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "avg_t"
    is_castable_map_value: ClassVar[bool] = True


class Stats(SignedMapValue):
    __slots__ = ()

    _spelling: ClassVar[str] = "stats_t"


@dataclass(frozen=True, slots=True)
class Hist(MapValue):
    """Logarithmic histogram with 2^bits buckets for each power of two."""

    _spelling: ClassVar[str] = "hist_t"
    is_multi_key_map_value: ClassVar[bool] = True

    bits: int = 0


@dataclass(frozen=True, slots=True)
class LHist(MapValue):
    """Linear histogram over [minimum, maximum) in steps."""

    _spelling: ClassVar[str] = "lhist_t"
    is_multi_key_map_value: ClassVar[bool] = True

    minimum: int
    maximum: int
    step: int


@dataclass(frozen=True, slots=True)
class TSeries(MapValue):
    """The last `intervals` intervals of `interval_ns` nanoseconds each."""

    _spelling: ClassVar[str] = "tseries_t"
    is_multi_key_map_value: ClassVar[bool] = True

    interval_ns: int
    intervals: int
    function: TSeriesFunction = TSeriesFunction.NONE
    signed: bool = False

    @property
    def windows(self) -> tuple[int, int, TSeriesFunction]:
        """What all calls that fill one map must agree on."""
        return self.interval_ns, self.intervals, self.function

    @property
    def is_signed(self) -> bool:
        return self.signed
