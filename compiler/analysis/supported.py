"""Pass: what the compiler cannot do yet.

Before: a parsed program. After: it holds only constructs that the later passes know; the others have been reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.analysis.config import Config
from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink

_NOT_YET: Mapping[type[ast.Node], str] = {
    ast.ImportStatement: "import statements are",
    ast.Subprogram: "subprograms are",
}


def run(program: ast.Program, sink: DiagnosticSink) -> None:
    for node in program.walk():
        what = _NOT_YET.get(type(node))
        if what is not None:
            sink.error("not-supported", f"{what} not supported yet", node.span)


def check_count(programs: Sequence[BpfProgram], config: Config, sink: DiagnosticSink) -> None:
    if len(programs) > config.max_bpf_progs:
        message = (
            f"Your program is trying to generate more than {config.max_bpf_progs} BPF programs, which exceeds the "
            f"current limit of {config.max_bpf_progs}"
        )
        hint = "the setting max_bpf_progs increases the limit"
        sink.error("program-count", message, programs[config.max_bpf_progs].attach_points[0].span, hints=[hint])


def check_unstable(program: ast.Program, config: Config, sink: DiagnosticSink) -> None:
    """What upstream may still change is only for scripts that say so."""
    warned: set[str] = set()
    for node in program.walk():
        match node:
            case ast.TypeInfo():
                feature, setting, level = "typeinfo", "unstable_typeinfo", config.unstable_typeinfo
            case ast.Call("tseries"):
                feature, setting, level = "tseries", "unstable_tseries", config.unstable_tseries
            case _:
                continue
        if level != "enable" and feature not in warned:
            _unstable(feature, setting, node, level == "error", sink)
            if level == "warn":
                warned.add(feature)


def _unstable(feature: str, setting: str, node: ast.Node, is_error: bool, sink: DiagnosticSink) -> None:
    if is_error:
        message = (
            f"{feature} feature is not enabled by default. To enable this unstable feature, set the config flag to "
            f"enable. {setting}=enable"
        )
        sink.error("unstable", message, node.span)
    else:
        message = (
            f"Script is using an unstable feature: {feature}. To prevent this warning you must explicitly enable it in "
            f"the config e.g. {setting}=enable"
        )
        sink.warning("unstable", message, None)
