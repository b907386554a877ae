"""The passes between parser and code generator, one a file; `compiler.pipeline` lists them in order."""
