// Rust: the legacy names, which look like C++, and the ones of RFC 2603 ("v0").
#ifndef SHIM_DEMANGLE_RUST_H
#define SHIM_DEMANGLE_RUST_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/demangle/text.h"

// Demangles a whole name, without what LLVM appends to it. Returns false for what is no name of Rust.
bool rust_demangle(const char *name, size_t size, struct text *text);

#endif
