"""What the tracer knows of the target that runs a program which has many."""

from __future__ import annotations

from compiler.codegen.emitter import Emitter, ptr
from compiler.codegen.ir import NULL, PTR, Operand


def entry(e: Emitter, map_: str) -> Operand:
    """A pointer to the value in a map, given by its symbol, that is the target's by the cookie it was attached with."""
    f = e.f
    key = e.stack_memory(4)
    f.store(e.helper("get_attach_cookie", ptr(e.context)), key.address, 4)
    value = e.pointer_helper("map_lookup_elem", e.map(map_), ptr(key.address))
    known, unknown = f.label("target"), f.label("no.target")
    f.branch_if(f.compare("ne", value, NULL, PTR), known, unknown)
    f.enter(unknown)  # never: the verifier wants it
    f.ret(e.return_value)
    f.enter(known)
    return value
