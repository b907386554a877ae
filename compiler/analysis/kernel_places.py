"""Which places of the kernel an attach point stands for, by the snapshot, and the types of their arguments.

Most wildcards are left to the target, where one program serves all matches. Where the program needs `args` or `retval`,
whose types differ from match to match, each match of the snapshot is an attach point of its own.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from compiler.analysis.attach_point_parts import BadAttachPoint
from compiler.analysis.program import BPF_PROGRAMS, AttachPoint
from compiler.types.btf_source import Function
from compiler.types.kernel import Kernel
from compiler.types.lattice import Field

_ITERATOR_CONTEXT = "bpf_iter__"
_SPLIT_FUNCTION = ".part."
"""In the name of what the compiler has split off a function: it has no arguments, and is no match of a wildcard."""


class Missing(Exception):
    """The snapshot's kernel does not have the place. `warning` comes before, if it says why."""

    def __init__(
        self, point: AttachPoint, hints: Iterable[str] = (), *, warning: str = "", needs_types: bool = False
    ) -> None:
        target = f"{point.target}:" if point.target else ""
        super().__init__(f"No matches for {point.probe_type} {target}{point.event}")
        self.hints = tuple(hints)
        self.warning = warning
        self.needs_types = needs_types


@dataclass(frozen=True, slots=True)
class Place:
    point: AttachPoint
    arguments: tuple[Field, ...] = ()


def look_up(kernel: Kernel, point: AttachPoint, *, needs_types: bool) -> list[Place]:
    """The attach point as it goes to the target, or its matches. Raises Missing and BadAttachPoint."""
    if point.late:
        return [Place(point)]
    if point.has_wildcard and needs_types and point.probe_type.name in _TYPED:
        return _matches(kernel, point)
    match point.probe_type.name:
        case "kprobe" | "kretprobe" if point.event:
            _kprobe(kernel, point)
        case "tracepoint" if point.has_wildcard:
            _match(point, _tracepoints(kernel))
        case "tracepoint":
            return [Place(point, _tracepoint(kernel, point))]
        case "rawtracepoint" if point.has_wildcard:
            _match(point, kernel.raw_tracepoints())
        case "rawtracepoint":
            found = kernel.raw_tracepoint(point.event, point.target or None)
            if found is None:
                raise Missing(point, needs_types=True)
            return [Place(point.in_module(found.module), found.parameters)]
        case "fentry" | "fexit" if point.target == BPF_PROGRAMS:
            pass  # the target knows which programs it has
        case "fentry" | "fexit" if point.has_wildcard:
            _match(point, kernel.traceable_functions())
        case "fentry" | "fexit":
            return [_fentry(kernel, point)]
        case "iter":
            return [Place(point, _iterator(kernel, point))]
    return [Place(point)]


def matches(point: AttachPoint, target: str, event: str) -> bool:
    """Whether a pattern stands for the place; `*` is any text. An attach point without target has any."""
    return _is_like(point.event, event) and (not point.target or _is_like(point.target, target))


def _is_like(pattern: str, text: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _match(point: AttachPoint, candidates: Iterable[tuple[str, str]]) -> None:
    """Whether a pattern matches anything."""
    if not any(matches(point, target, event) for target, event in candidates):
        raise Missing(point)


# ------------------------------------------------------------------------------------------------------ with types


_TYPED = frozenset({"tracepoint", "rawtracepoint", "fentry", "fexit"})
"""Probe types whose arguments the kernel's BTF or tracefs has the types of."""


def _matches(kernel: Kernel, point: AttachPoint) -> list[Place]:
    found: list[Place] = []
    match point.probe_type.name:
        case "tracepoint":
            for category, event in _tracepoints(kernel):
                if matches(point, category, event) and (record := kernel.tracepoint(category, event)) is not None:
                    found.append(Place(_one_of(point, category, event), record.layout.fields))
        case "rawtracepoint":
            for module, event in kernel.raw_tracepoints():
                if matches(point, module, event) and (function := kernel.raw_tracepoint(event, module)) is not None:
                    found.append(Place(_one_of(point, module, event), function.parameters))
        case _ if point.target == BPF_PROGRAMS:
            found.append(Place(point))  # there are no types
        case _:
            for module, name in kernel.traceable_functions():
                if not matches(point, module, name) or _SPLIT_FUNCTION in name:
                    continue
                if (function := kernel.function(name, module)) is not None:
                    found.append(Place(_one_of(point, module, name), _arguments(point, function)))
    if not found:
        raise Missing(point, needs_types=True)
    return sorted(found, key=lambda place: (place.point.target, place.point.event))


def _one_of(point: AttachPoint, target: str, event: str) -> AttachPoint:
    return dataclasses.replace(point.at(target, event), is_match=True)


def _arguments(point: AttachPoint, function: Function) -> tuple[Field, ...]:
    return (*function.parameters, function.result) if point.probe_type.is_return else function.parameters


# ---------------------------------------------------------------------------------------------- without wildcards


def _kprobe(kernel: Kernel, point: AttachPoint) -> None:
    if point.has_wildcard:
        _match(point, kernel.traceable_functions())
        return
    problem, hints = _traceability(kernel, point)
    if problem:
        raise Missing(point, hints, warning=f"{point.event} {problem}; attaching to it will likely fail")


def _fentry(kernel: Kernel, point: AttachPoint) -> Place:
    problem, hints = _traceability(kernel, point)
    if problem:
        raise Missing(point, hints, needs_types=True)
    owners = [module for module in kernel.modules if kernel.is_traceable(point.event, module)]
    if not point.target and len(owners) > 1:
        raise BadAttachPoint(
            f"ambiguous attach point, please specify module containing the function '{point.event}'",
            hints=[f"these modules have it: {', '.join(owners)}"],
        )
    found = kernel.function(point.event, point.target or None)
    if found is None:
        raise Missing(point, [f"the kernel's BTF does not have {point.event}"], needs_types=True)
    return Place(point.in_module(found.module), _arguments(point, found))


def _traceability(kernel: Kernel, point: AttachPoint) -> tuple[str, list[str]]:
    """Why a function cannot be traced, and names like it; both empty if it can."""
    function, module = point.event, point.target
    if kernel.is_traceable(function, module or None):
        return "", []
    names = [name for _, name in kernel.traceable_functions(module or None)]
    if not names and not kernel.names_traceable and kernel.has_function(function, module or None):
        return "", []
    close = difflib.get_close_matches(function, (name for name in names if name[:2] == function[:2]), 1, 0.8)
    return 'is not traceable (either non-existing, inlined, or marked as "notrace")', _did_you_mean(close)


def _iterator(kernel: Kernel, point: AttachPoint) -> tuple[Field, ...]:
    """What the context has: a pointer or number in each 8 bytes."""
    context = kernel.struct(f"{_ITERATOR_CONTEXT}{point.event}")
    if context is None:
        raise BadAttachPoint(f"iter {point.event} not available for your kernel version.", "missing-probe")
    return context.layout.fields


def _tracepoints(kernel: Kernel) -> Iterator[tuple[str, str]]:
    return (
        (category, event) for category in kernel.tracepoint_categories for event in kernel.tracepoint_events(category)
    )


def _tracepoint(kernel: Kernel, point: AttachPoint) -> tuple[Field, ...]:
    found = kernel.tracepoint(point.target, point.event)
    if found is not None:
        return found.layout.fields
    name = f"{point.target}:{point.event}"
    categories = difflib.get_close_matches(point.target, kernel.tracepoint_categories, 3, 0.8)
    names = [f"{category}:{event}" for category in categories for event in kernel.tracepoint_events(category)]
    raise Missing(point, _did_you_mean(difflib.get_close_matches(name, names, 1, 0.8)), needs_types=True)


def _did_you_mean(names: Iterable[str]) -> list[str]:
    return [f"Did you mean {name}?" for name in names]
