"""The passes of the compiler's front half, in order, and what they cost.

Each pass reports all that it finds; after one that reported errors the rest does not run, because what a pass may rely
on no longer holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from compiler.analysis import (
    attach_points,
    c_definitions,
    c_sources,
    capabilities,
    casts,
    check,
    config,
    control_flow,
    desugar,
    fixed_parameters,
    fold,
    imports,
    iterators,
    loop_return,
    macros,
    maps,
    names,
    recursion,
    resolve,
    resources,
    scopes,
    sessions,
    supported,
    unroll,
    user_binaries,
    user_symbols,
)
from compiler.analysis.program import AnalyzedProgram
from compiler.arch import Architecture
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.parser import parse
from compiler.syntax.source import SourceFile
from compiler.types.binary.binaries import Binaries
from compiler.types.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Options:
    """What a compilation is asked for."""

    arch: Architecture
    min_kernel: tuple[int, int] = (5, 10)
    """The oldest kernel that the tracer has to run on."""
    unsafe: bool = False
    """Whether functions that change the system are allowed."""
    includes: c_definitions.Includes = field(default_factory=c_definitions.Includes)
    imports: imports.Search = field(default_factory=imports.Search)
    clock_map: str = ""
    """Name of the map that stands for all clocks (BPFTRACE_DUMMY_TS_MAP), for tests."""
    parameters: tuple[str, ...] = ()
    """The script's positional parameters, if they are not for the tracer to take."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables such as BPFTRACE_MAX_STRLEN override the script's settings."""
    binaries: Binaries = field(default_factory=Binaries)
    any_build: bool = False
    """Whether the tracer shall run with other builds of its binaries too, at the risk of reading wrong data."""
    c_compiler: c_sources.Compiler = field(default_factory=c_sources.Compiler)


class CompileError(Exception):
    """A pass has reported errors: the sink has them."""


@dataclass(slots=True)
class Timings:
    """Seconds by pass, in the order in which they ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def front(
    source: SourceFile,
    kernel: Kernel,
    options: Options,
    sink: DiagnosticSink,
    timings: Timings | None = None,
    describe: c_sources.Describe | None = None,
) -> tuple[ast.Program, AnalyzedProgram]:
    """Parses and analyses a script; `describe` reads the bitcode of the C sources that it imports. Raises CompileError
    once a pass has reported errors.
    """
    timings = timings or Timings()

    @contextmanager
    def step(name: str) -> Iterator[None]:
        with timings.measure(name):
            yield
        if sink.has_errors:
            raise CompileError(name)

    with step("parse"):
        program = parse(source, sink)
    with step("imports"):
        imports.run(program, options.imports, sink)
    with step("macros"):
        macros.run(program, sink)
    with step("imports"):
        imports.run_statements(program, options.imports, sink)
    with step("c-sources"):
        c_modules = c_sources.run(program, kernel, options.arch, options.c_compiler, describe, sink)
    with step("c-definitions"):
        types = c_definitions.run(program, kernel, options.arch, options.includes, sink)
    with step("parameters"):
        if options.parameters:
            fixed_parameters.run(program, options.parameters, sink)
    with step("supported"):
        supported.run(program, sink)
    with step("config"):
        settings = config.run(program, options.environment, sink)
        supported.check_unstable(program, settings, sink)
    with step("attach-points"):
        programs = attach_points.run(program, kernel, settings, sink, unsafe=options.unsafe)
        supported.check_count(programs, settings, sink)
    with step("user-binaries"):
        programs = user_binaries.run(
            programs, options.binaries, options.arch, sink, missing_probes=settings.missing_probes
        )
    with step("desugar"):
        desugar.run(programs)
    with step("fold"):
        fold.run(programs, sink)
    with step("loop-return"):
        loop_return.run(programs)
    with step("control-flow"):
        control_flow.run(programs, sink)
    with step("unroll"):
        unroll.run(programs, sink)
    # Three independent looks at names: a script sees the errors of all of them.
    with step("names"):
        c_functions = c_sources.functions(c_modules)
        names.run(programs, types, options.arch, settings, sink, unsafe=options.unsafe, c_functions=c_functions)
        scopes.run(programs, sink)
        table = maps.run(program, programs, sink)
    with step("user-symbols"):
        user_symbols.run(programs, options.binaries)
    with step("resolve"):
        resolve.run(programs, table, types, settings, sink)
        user_binaries.check(programs, sink, may_differ=options.any_build)
    with step("check"):
        check.run(programs, table, settings, sink)
    with step("casts"):
        casts.run(programs, sink)
        iterators.run(programs, sink)
    with step("resources"):
        analyzed = AnalyzedProgram(
            source,
            options.arch,
            settings,
            programs,
            options.min_kernel,
            any_build=options.any_build,
            c_modules=c_modules,
        )
        analyzed.is_recursive = recursion.run(programs, sink)
        resources.run(analyzed, table, sink, clock_map=options.clock_map)
    with step("capabilities"):
        capabilities.run(analyzed, kernel, sink)
    with step("sessions"):
        sessions.run(analyzed)
    return program, analyzed
