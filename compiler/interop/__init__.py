"""C sources that scripts import (`.bpf.c`): clang makes LLVM's bitcode of them, and this room makes of that what the
type checker (functions and their types) and code generation (IR, maps, CO-RE relocations) need.
"""
