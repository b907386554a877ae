"""Pass: what the language has but programs cannot use.

Before: a program whose macros are expanded and whose imports are merged. After: it holds only constructs that the later
passes know.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.config import Config
from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink

_IMPORT_STATEMENT = (
    "Import statements that are not at the top level are primarily for the standard library. If this is functionality "
    "you need, please file an issue to explain why."
)
_DW_USTACK = "dw_ustack (DWARF stack unwinding)"


def run(program: ast.Program, sink: DiagnosticSink) -> None:
    """Drops subprograms: the language has their definitions, but no way to call them."""
    for subprogram in program.subprograms:
        message = f"Subprogram '{subprogram.name}' is never used: a script cannot call subprograms"
        sink.warning("subprogram", message, subprogram.span, hints=["A macro can be called."])
    program.subprograms = []


def check_count(programs: Sequence[BpfProgram], config: Config, sink: DiagnosticSink) -> None:
    if len(programs) > config.max_bpf_progs:
        message = (
            f"Your program is trying to generate more than {config.max_bpf_progs} BPF programs, which exceeds the "
            f"current limit of {config.max_bpf_progs}"
        )
        hint = "the setting max_bpf_progs increases the limit"
        sink.error("program-count", message, programs[config.max_bpf_progs].attach_points[0].span, hints=[hint])


def check_unstable(program: ast.Program, config: Config, sink: DiagnosticSink) -> None:
    """What upstream may still change is only for scripts that say so. Import statements have been obeyed: they go."""
    warned: set[str] = set()
    for node in program.walk():
        match node:
            case ast.TypeInfo():
                feature, setting, level = "typeinfo", "unstable_typeinfo", config.unstable_typeinfo
            case ast.Call("tseries"):
                feature, setting, level = "tseries", "unstable_tseries", config.unstable_tseries
            case ast.Call("dw_ustack") | ast.Builtin("dw_ustack") | ast.Identifier("dw_ustack"):
                feature, setting, level = _DW_USTACK, "unstable_dw_ustack", config.unstable_dw_ustack
            case ast.ImportStatement() if config.unstable_import_statement == "error":
                sink.error("unstable", _IMPORT_STATEMENT, node.span)
                continue
            case ast.ImportStatement():
                feature, setting = "import statements", "unstable_import_statement"
                level = config.unstable_import_statement
            case _:
                continue
        if level != "enable" and feature not in warned:
            _unstable(feature, setting, node, level == "error", sink)
            if level == "warn":
                warned.add(feature)
    for node in program.walk():
        if isinstance(node, ast.Block):  # what they import is there
            node.statements = [item for item in node.statements if not isinstance(item, ast.ImportStatement)]


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
