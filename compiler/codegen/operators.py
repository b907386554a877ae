"""Operators on scalars; those on strings, buffers and arrays are in `comparison`."""

from __future__ import annotations

from compiler.codegen import comparison, errors, expressions, maps, memory, parameters
from compiler.codegen.emitter import Emitter
from compiler.codegen.ir import Operand
from compiler.codegen.lowering import expression
from compiler.codegen.values import Place, Value, is_scalar, scalar_bits
from compiler.syntax import ast
from compiler.syntax.source import Span
from compiler.types import lattice
from compiler.types.lattice import AddressSpace

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}
_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


@expression(ast.Binary)
def binary(e: Emitter, node: ast.Binary, into: Place | None) -> Value:
    left, right = node.left.type, node.right.type
    if isinstance(node.type, lattice.String):
        return parameters.text_from(e, node)
    if node.op in ("&&", "||"):
        return _logical(e, node)
    if not is_scalar(left):
        equal = comparison.equal(e, node.left, node.right)
        return e.f.boolean(equal) if node.op == "==" else e.f.binary("xor", e.f.boolean(equal), "1")
    if node.op in _COMPARISONS:
        return e.f.boolean(_compare(e, node))
    if isinstance(left, lattice.Pointer) or isinstance(right, lattice.Pointer):
        return _pointer_arithmetic(e, node)
    result = _integer_arithmetic(e, node)
    return e.f.narrow(result, scalar_bits(node.type), signed=node.type.is_signed)


def _compare(e: Emitter, node: ast.Binary) -> Operand:
    predicate = _COMPARISONS[node.op]
    if predicate not in ("eq", "ne"):
        predicate = ("s" if _is_signed(node) else "u") + predicate
    return e.f.compare(predicate, e.scalar(node.left), e.scalar(node.right))


def _is_signed(node: ast.Binary) -> bool:
    return bool(node.left.type.is_signed or node.right.type.is_signed)


def _logical(e: Emitter, node: ast.Binary) -> Operand:
    f = e.f
    more, done = f.label("logical"), f.label("logical.done")
    left = e.truth(node.left)
    decided, first = ("0", f.current) if node.op == "&&" else ("1", f.current)
    if node.op == "&&":
        f.branch_if(left, more, done)
    else:
        f.branch_if(left, done, more)
    f.enter(more)
    right = f.boolean(e.truth(node.right))
    second = f.current
    f.enter(done)
    return f.phi([(decided, first), (right, second)])


def _integer_arithmetic(e: Emitter, node: ast.Binary) -> Operand:
    f = e.f
    left, right = e.scalar(node.left), e.scalar(node.right)
    match node.op:
        case "<<":
            return f.binary("shl", left, _shift_amount(e, right))
        case ">>":
            # Zeros come in from the left, for signed values too.
            return f.binary("lshr", left, _shift_amount(e, right))
        case "/" | "%":
            return _divide(e, node, left, right)
        case op:
            return f.binary(_ARITHMETIC[op], left, right)


def _shift_amount(e: Emitter, amount: Operand) -> Operand:
    """Only the lower six bits count: more would be undefined to LLVM."""
    return e.f.binary("and", amount, "63")


def _divide(e: Emitter, node: ast.Binary, left: Operand, right: Operand) -> Operand:
    """Unsigned division, as the instruction set has it; by zero gives 1 and an error at run time."""
    f = e.f
    operation = "udiv" if node.op == "/" else "urem"
    if node not in e.program.action_of:
        return f.binary(operation, left, right)
    zero, other, done = f.label("zero"), f.label("divide"), f.label("divided")
    f.branch_if(f.compare("eq", right, "0"), zero, other)
    f.enter(zero)
    errors.report(e, node)
    after_error = f.current
    f.branch(done)
    f.enter(other)
    quotient = f.binary(operation, left, right)
    after_division = f.current
    f.enter(done)
    return f.phi([("1", after_error), (quotient, after_division)])


def _pointer_arithmetic(e: Emitter, node: ast.Binary) -> Operand:
    """Integers count elements of what the pointer points to."""
    left, right = e.scalar(node.left), e.scalar(node.right)
    match node.left.type, node.right.type:
        case lattice.Pointer() as pointer, lattice.Integer():
            right = _scale(e, right, pointer, node.span)
        case lattice.Integer(), lattice.Pointer() as pointer:
            left = _scale(e, left, pointer, node.span)
    return e.f.binary(_ARITHMETIC[node.op], left, right)


def _scale(e: Emitter, count: Operand, pointer: lattice.Pointer, span: Span) -> Operand:
    return e.f.binary("mul", count, pointee_size(e, pointer, span))


def pointee_size(e: Emitter, pointer: lattice.Pointer, span: Span) -> Operand:
    """What a pointer moves by; `void *` moves by bytes."""
    return memory.size_of(e, pointer.to, span) if pointer.to.size else "1"


@expression(ast.Unary)
def unary(e: Emitter, node: ast.Unary, into: Place | None) -> Value:
    match node.op:
        case "!":
            return e.f.boolean(e.f.compare("eq", e.scalar(node.operand), "0"))
        case "*":
            return _dereference(e, node)
        case "-":
            result = e.f.binary("sub", "0", e.scalar(node.operand))
        case "~":
            result = e.f.binary("xor", e.scalar(node.operand), "-1")
    # At the operand's width: of a uint32, `-$x` is a number of 32 bits.
    operand = node.operand.type
    return e.f.narrow(result, scalar_bits(operand), signed=operand.is_signed)


def _dereference(e: Emitter, node: ast.Unary) -> Value:
    pointer = node.operand.type
    space = pointer.space if isinstance(pointer, lattice.Pointer) else AddressSpace.KERNEL
    return memory.load(e, memory.pointee(e.scalar(node.operand), space), node.type, node.span)


@expression(ast.IncDec)
def inc_dec(e: Emitter, node: ast.IncDec, into: Place | None) -> Operand:
    """The value is that before (postfix) or after (prefix) the change."""
    type_ = node.target.type
    step = pointee_size(e, type_, node.span) if isinstance(type_, lattice.Pointer) else "1"
    operation = "add" if node.op == "++" else "sub"

    def changed(old: Operand) -> Operand:
        return e.f.narrow(e.f.binary(operation, old, step), scalar_bits(type_), signed=type_.is_signed)

    match node.target:
        case ast.Variable() as target:
            old = e.scalar(target)
            new = changed(old)
            e.f.store(new, expressions.variable_storage(e, target.symbol).address, scalar_bits(type_) // 8)
        case ast.MapAccess() as target:
            old, new = maps.change(e, target, changed, node.span)
        case _:
            raise AssertionError(f"{node.op} of {type(node.target).__name__}")
    return new if node.prefix else old
