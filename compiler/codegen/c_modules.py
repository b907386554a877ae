"""Functions of C sources: calls of them, and their IR with the constants that the target host resolves."""

from __future__ import annotations

from typing import cast

from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.interop.ir import PREFIX
from compiler.interop.module import CFunction, CModule
from compiler.object.core import Kind
from compiler.object.resources import ResourcesBuilder
from compiler.object.sections import FUNCTION_PREFIX
from compiler.syntax import ast
from compiler.types.lattice import Bool, Pointer, Type, Void
from compiler.types.lattice import Enum as EnumType


def call(e: Emitter, node: ast.Call) -> Operand:
    """Arguments have the types of the parameters already. Of integers C passes as many bits as the type has."""
    function: CFunction = node.builtin
    f = e.f
    arguments = []
    for parameter, argument in zip(function.parameters, node.arguments, strict=True):
        type_, value = _ir_type(parameter.type), e.scalar(argument)
        match type_:
            case "ptr":
                value = f.to_pointer(value)
            case "i1":
                value = f.compare("ne", value, "0")
            case "i64":
                pass
            case _:
                value = f.value(f"trunc i64 {value} to {type_}")
        arguments.append((type_, value))
    name = f'@"{PREFIX}{function.name}"'
    result = _ir_type(function.result)
    f.module.declare(f"{result} {name}({', '.join(type_ for type_, _ in arguments)})")
    text = f"call {result} {name}({', '.join(f'{type_} {value}' for type_, value in arguments)})"
    match result:
        case "void":
            f.emit(text)
            return "0"
        case "ptr":
            return f.to_integer(f.value(text))
        case "i64":
            return f.value(text)
        case _:
            extension = "sext" if function.result.is_signed else "zext"
            return f.value(f"{extension} {result} {f.value(text)} to i64")


def _ir_type(type_: Type) -> str:
    match type_:
        case Void():
            return "void"
        case Pointer():
            return "ptr"
        case Bool():
            return "i1"
        case _:
            return f"i{8 * type_.size}"


def linked_ir(module: CModule, number: int, resources: ResourcesBuilder) -> str:
    """The IR of the module of that number, its CO-RE relocations and maps in terms of our constants."""
    constants = resources.constants

    def symbol(name: str) -> str:
        if name in module.maps:
            return resources.c_map(module.source.name, module.maps[name])
        declared = module.ir.undefined.get(name)
        if declared is not None:
            add = constants.kfunc if declared.is_function else constants.kernel_variable
            return add(name, module.imported)
        relocation = module.relocations[name]
        span = module.span(relocation.use)
        kind = cast("Kind", relocation.kind)
        if isinstance(relocation.root, EnumType):
            return constants.core_enumerator(kind, relocation.root, relocation.enumerator, span)
        return constants.core(kind, relocation.root, relocation.steps, span)

    return module.ir.linked(symbol, FUNCTION_PREFIX, number)
