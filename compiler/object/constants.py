"""Load-time constants: what only the target host knows, and the symbols by which generated code refers to it.

A symbol's name says what it stands for, so that it reads well in dumps of IR and assembly.
"""

from __future__ import annotations

import re

from compiler.object.core import CoreTypes, Kind, Step, describe
from compiler.object.tables import Tables
from compiler.syntax.source import Span
from compiler.types.lattice import Enum, Struct
from proto import required_resources_pb2 as pb

_UNQUOTED = re.compile(r'[\x00-\x1f\x7f"\\%]')
"""What LLVM reads as something else in a quoted name, and by what it is replaced."""
_HOST_VALUES = pb.HostValue.Kind


class Constants:
    """Gives each constant a symbol, once. Methods return the symbol's name.

    Only constants whose symbols survive in LLVM's object become part of the resources.
    """

    def __init__(self, tables: Tables, core: CoreTypes) -> None:
        self._tables = tables
        self._core = core
        self.by_symbol: dict[str, pb.Constant] = {}

    def _add(self, symbol: str, constant: pb.Constant, span: Span | None = None) -> str:
        symbol = _UNQUOTED.sub(lambda match: f"%{ord(match[0]):02x}", symbol)
        if symbol not in self.by_symbol:
            constant.span = self._tables.span(span)
            self.by_symbol[symbol] = constant
        return symbol

    def map(self, index: int, name: str) -> str:
        return self._add(f"map:{name}", pb.Constant(map=pb.MapReference(map=index)))

    def map_value(self, index: int, name: str, offset: int = 0) -> str:
        return self._add(f"value:{name}+{offset}", pb.Constant(map_value=pb.MapValue(map=index, offset=offset)))

    def core(self, kind: Kind, root: Struct, steps: tuple[Step, ...], span: Span) -> str:
        name = f"{pb.CoreRelocation.Kind.Name(kind).lower()}:{describe(root, steps)}"
        if name in self.by_symbol:
            return name
        return self._add(name, self._core.relocation(kind, root, steps), span)

    def core_enumerator(self, kind: Kind, enum: Enum, enumerator: str, span: Span) -> str:
        name = f"{pb.CoreRelocation.Kind.Name(kind).lower()}:{enum}.{enumerator}"
        if name in self.by_symbol:
            return name
        return self._add(name, self._core.enumerator(kind, enum, enumerator), span)

    def tracepoint_field(
        self, category: str, event: str, field: str, property_: pb.TracepointField.Property, span: Span
    ) -> str:
        what = pb.TracepointField.Property.Name(property_).lower()
        value = pb.TracepointField(category=category, event=event, field=field, property=property_)
        return self._add(f"tracepoint_{what}:{category}:{event}.{field}", pb.Constant(tracepoint_field=value), span)

    def kernel_symbol(self, name: str, span: Span) -> str:
        return self._add(f"kaddr:{name}", pb.Constant(kernel_symbol=pb.KernelSymbol(name=name)), span)

    def kfunc(self, name: str, span: Span) -> str:
        return self._add(f"kfunc:{name}", pb.Constant(kfunc=pb.Kfunc(name=name)), span)

    def kfunc_test(self, test: pb.KfuncTest, span: Span) -> str:
        name = f"kfunc_{pb.KfuncTest.Question.Name(test.question).lower()}:{test.name}:{test.probe}"
        return self._add(name, pb.Constant(kfunc_test=test), span)

    def kernel_variable(self, name: str, span: Span) -> str:
        return self._add(f"percpu:{name}", pb.Constant(kernel_variable=pb.KernelVariable(name=name)), span)

    def user_symbol(self, value: pb.UserSymbol, span: Span) -> str:
        """`uaddr`, and what it takes to compute it."""
        what = pb.UserSymbol.Property.Name(value.property).lower()
        name = f"uaddr_{what}:{value.probe}:{value.symbol}:{value.size}"
        return self._add(name, pb.Constant(user_symbol=value), span)

    def host(self, kind: pb.HostValue.Kind) -> str:
        return self._add(f"host:{_HOST_VALUES.Name(kind).lower()}", pb.Constant(host=pb.HostValue(kind=kind)))

    def parameter(self, index: int, span: Span) -> str:
        return self._add(f"parameter:{index}", pb.Constant(parameter=pb.ParameterValue(parameter=index)), span)

    def cgroup_id(self, path: str, span: Span) -> str:
        return self._add(f"cgroupid:{path}", pb.Constant(cgroup_id=pb.CgroupId(path=path)), span)
