// Rust names of the form of RFC 2603, https://rust-lang.github.io/rfcs/2603-rust-symbol-name-mangling-v0.html.
#ifndef SHIM_DEMANGLE_RUST_V0_H
#define SHIM_DEMANGLE_RUST_V0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/demangle/text.h"

// Demangles what follows "_R".
bool rust_v0_demangle(const char *name, size_t size, struct text *text);

// A character as UTF-8. In rust.c.
void rust_put_character(struct text *text, uint32_t c);

#endif
