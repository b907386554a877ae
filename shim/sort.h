// A stable sort of indices.
#ifndef SHIM_SORT_H
#define SHIM_SORT_H

#include <stdbool.h>
#include <stdint.h>

// Returns whether the thing with index `a` comes after the one with index `b`.
typedef bool sort_after(const void *context, uint32_t a, uint32_t b);

// Sorts `count` indices. `scratch` has room for as many.
void sort_indices(uint32_t *indices, uint32_t count, uint32_t *scratch, sort_after *after, const void *context);

#endif
