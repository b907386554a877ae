"""From source text to the AST and back. This room knows no types, no kernel and no LLVM."""
