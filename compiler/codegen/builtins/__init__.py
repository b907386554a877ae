"""Lowerings of builtin variables and functions, registered by their names in compiler.builtins."""
