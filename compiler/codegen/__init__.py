"""From the analyzed program to LLVM IR, and LLVM itself.

IR is written as text: it is several times faster than building it through llvmlite, reads well in `--dump=ir`, and
needs no LLVM in this process. How values are represented is said in `values`; one concern a file, registered in the
tables of `lowering` that the emitter dispatches on.
"""
