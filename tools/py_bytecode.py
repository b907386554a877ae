"""Compiles Python modules to bytecode: py_bytecode.py (SOURCE NAME OUTPUT)...

NAME is the file's name in tracebacks. The bytecode holds no time and is not checked against its source when it is
loaded: Bazel makes it anew when the source changes.
"""

import py_compile
import sys


def main(arguments: list[str]) -> None:
    for source, name, output in zip(*[iter(arguments)] * 3, strict=True):
        py_compile.compile(source, output, name, True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    main(sys.argv[1:])
