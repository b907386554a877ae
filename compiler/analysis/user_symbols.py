"""Pass: symbols of traced binaries.

Before: programs whose loops are unrolled. After: `BpfProgram.symbol_types` has the type behind the pointer of each
`uaddr`: an integer of the symbol's size, where the compiler sees the binary and that is a size of integers; else the
uint64 that it is where nobody knows better. Behind a pointer that is cast there is nothing to be known.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.program import BpfProgram
from compiler.syntax import ast
from compiler.types.binary.binaries import Binaries
from compiler.types.lattice import UINT8, UINT16, UINT32, UINT64, VOID, Type

_BY_SIZE: dict[int | None, Type] = {1: UINT8, 2: UINT16, 4: UINT32}


def run(programs: Sequence[BpfProgram], binaries: Binaries) -> None:
    for program in programs:
        path = program.attach_points[0].target
        for node in program.probe.walk():
            match node:
                case ast.Call("uaddr", [ast.String(name)]):
                    size = binaries.symbol_size(path, name)
                    program.symbol_types.setdefault(node, _BY_SIZE.get(size, UINT64))
                case ast.Cast(operand=ast.Call("uaddr") as call):
                    program.symbol_types[call] = VOID
