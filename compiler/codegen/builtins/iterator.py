"""printf in iterators: the kernel prints it, into the file that the iterator is."""

from __future__ import annotations

from compiler.analysis.iterators import kernel_format
from compiler.codegen import errors, memory
from compiler.codegen.emitter import Emitter, i64, ptr
from compiler.codegen.ir import Operand
from compiler.syntax import ast
from compiler.syntax.source import encode
from compiler.types.lattice import String


def print_formatted(e: Emitter, node: ast.Call) -> Operand:
    """The program's context begins with a pointer to struct bpf_iter_meta, and that with one to the file."""
    template, *arguments = node.arguments
    assert isinstance(template, ast.String)
    text = encode(kernel_format(template.value, [argument.type for argument in arguments])) + b"\0"
    data = e.temporary(max(8 * len(arguments), 8), node.span)
    for index, argument in enumerate(arguments):
        if isinstance(argument.type, String):
            value = e.f.to_integer(memory.in_bpf_memory(e, argument).address)
        else:
            value = e.scalar(argument)
        e.f.store(value, e.at(data, 8 * index).address, 8)
    meta = e.f.value(f"load volatile ptr, ptr {e.context}, align 8")
    file = e.f.value(f"load volatile ptr, ptr {meta}, align 8")
    result = e.helper(
        "seq_printf", ptr(file), ptr(e.f.module.constant(text)), i64(str(len(text))), ptr(data.address),
        i64(str(8 * len(arguments))),
    )  # fmt: skip
    errors.check_helper(e, "seq_printf", result, node.span)
    return "0"
