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


@dataclass(frozen=True, slots=True)
class MapValue(Type):
    """Base of what aggregation functions yield."""

    _size: ClassVar[int] = 8
    is_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Count(MapValue):
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


@dataclass(frozen=True, slots=True)
class Sum(SignedMapValue):
    _spelling: ClassVar[str] = "sum_t"
    is_castable_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Min(SignedMapValue):
    _spelling: ClassVar[str] = "min_t"
    is_castable_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Max(SignedMapValue):
    _spelling: ClassVar[str] = "max_t"
    is_castable_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Avg(SignedMapValue):
    _spelling: ClassVar[str] = "avg_t"
    is_castable_map_value: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Stats(SignedMapValue):
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
    def is_signed(self) -> bool:
        return self.signed
