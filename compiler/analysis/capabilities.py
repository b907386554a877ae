"""Pass: what the program needs of a kernel.

Before: an analyzed program. After: `requirements` lists what the target must have that not every kernel has, with the
place that needs it. Reported: what the snapshot's kernel or the architecture lacks, and what is newer than the oldest
kernel that the tracer has to run on.
"""

from __future__ import annotations

from compiler.analysis import searches
from compiler.analysis.iterators import is_iterator
from compiler.analysis.program import AnalyzedProgram, Requirement, plain_iterations
from compiler.builtins import Builtin
from compiler.helpers import HELPERS
from compiler.syntax import ast
from compiler.syntax.diagnostics import DiagnosticSink
from compiler.syntax.source import Span
from compiler.types.kernel import Kernel
from compiler.types.lattice import Clock, Integer

# A function of its argument that needs another helper.
_CLOCK_HELPERS = {
    Clock.MONOTONIC: "ktime_get_ns",
    Clock.BOOT: "ktime_get_boot_ns",
    Clock.TAI: "ktime_get_tai_ns",
    Clock.SW_TAI: "ktime_get_boot_ns",
}
_FUNCTIONS = frozenset({"kretprobe", "fentry", "fexit"})
"""Probe types whose programs can ask the kernel for the address of the function."""
_RING_BUFFER = (5, 8)
_LOOPS = (5, 3)
_INNER_ARRAYS = (5, 10)


def run(analyzed: AnalyzedProgram, kernel: Kernel, sink: DiagnosticSink) -> None:
    pass_ = _Capabilities(analyzed, kernel, sink)
    for program in analyzed.programs:
        for point in program.attach_points:
            pass_.need(f"{point.probe_type} probes", point.probe_type.least_kernel, point.span)
        for node in program.probe.walk():
            pass_.visit(node)
            match node:
                case ast.Call("printf") if is_iterator(program):
                    pass_.helper("seq_printf", node.span)
                case ast.Builtin("func") if (
                    program.probe_type.name in _FUNCTIONS and program.attach_points[0].has_late_name
                ):
                    pass_.note("helper bpf_get_func_ip, for wildcards", (5, 15), node.span)
                case ast.Call("uaddr") if program.probe_type.is_return:
                    pass_.note("helper bpf_get_func_ip in uretprobes, for uaddr()", (6, 6), node.span)
    if analyzed.actions:
        pass_.need("map type BPF_MAP_TYPE_RINGBUF", _RING_BUFFER, analyzed.actions[0].span)


class _Capabilities:
    def __init__(self, analyzed: AnalyzedProgram, kernel: Kernel, sink: DiagnosticSink) -> None:
        self.analyzed = analyzed
        self.kernel = kernel
        self.min_kernel = analyzed.min_kernel
        self.sink = sink
        self.known: set[str] = set()

    def visit(self, node: ast.Node) -> None:
        match node:
            case ast.Builtin() | ast.Call() if node.name == "nsecs" and isinstance(node.type, Integer):
                self.helper(_CLOCK_HELPERS[node.type.clock], node.span)
            case ast.Call("strstr", [haystack, needle]) if searches.uses_helper(self.analyzed, haystack, needle):
                self.helper("loop", node.span)
            case ast.Call("reg", [ast.String(name)]) if name not in self.analyzed.arch.registers:
                message = f"'{name}' is not a valid register on this architecture ({self.analyzed.arch.name})"
                self.sink.error("register", message, node.span)
            case ast.Call("percpu_kaddr", [ast.String(name), *_]) if self.kernel.variable(name) is None:
                self.sink.error("kernel-variable", f'Could not resolve variable "{name}" from BTF', node.span)
            case ast.Builtin(builtin=Builtin(helpers=helpers)) | ast.Call(builtin=Builtin(helpers=helpers)):
                for name in helpers:
                    self.helper(name, node.span)
            case ast.Builtin("dw_ustack") | ast.Call("dw_ustack"):
                self.need("arrays of any size in maps of maps, for dw_ustack", _INNER_ARRAYS, node.span)
            case ast.Call("len", [ast.Map()]):
                self.helper("for_each_map_elem", node.span)
            case ast.For(_, ast.Map() as map_):
                self.helper("for_each_map_elem", node.span)
                if map_.symbol.value_type.is_map_value:
                    self.helper("map_lookup_percpu_elem", node.span)
            case ast.For(_, ast.Range() as range_) if plain_iterations(range_) is None:
                self.helper("loop", node.span)
            case ast.While() | ast.For():
                self.need("loops", _LOOPS, node.span)
            case ast.Cast(operand=ast.MapAccess() as access, implicit=_) if access.map.symbol.value_type.is_map_value:
                # To read one aggregation inside the kernel is to look at the values of all processors.
                self.helper("map_lookup_percpu_elem", node.span)

    def helper(self, name: str, span: Span) -> None:
        helper = HELPERS[name]
        feature = f"helper bpf_{name}"
        if feature not in self.known and not self.kernel.has_helper(name):
            self.sink.error(
                "missing-helper", f"kernel {self.kernel.release} has no BPF helper bpf_{name}", span,
                hints=[f"the first kernel that has it is {_version(helper.least_kernel)}"],
            )  # fmt: skip
        self.need(feature, helper.least_kernel, span)

    def note(self, feature: str, least: tuple[int, int], span: Span) -> None:
        """Notes a need that targets without it are to say themselves: the rest of the script may do without."""
        if feature not in self.known:
            self.known.add(feature)
            self.analyzed.requirements.append(Requirement(feature, least, span))

    def need(self, feature: str, least: tuple[int, int], span: Span) -> None:
        """Notes a need; what the oldest kernel to run on does not have is an error."""
        if feature in self.known:
            return
        self.known.add(feature)
        self.analyzed.requirements.append(Requirement(feature, least, span))
        if least > self.min_kernel:
            self.sink.error(
                "kernel-too-old",
                f"{feature} needs kernel {_version(least)}, but the tracer has to run on {_version(self.min_kernel)}",
                span,
                hints=[f"--min_kernel={_version(least)} builds a tracer for newer kernels only"],
            )


def _version(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
