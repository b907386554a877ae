// Allocation flags of the kernel as their names: %gr.
#ifndef SHIM_OUTPUT_GFP_FLAGS_H
#define SHIM_OUTPUT_GFP_FLAGS_H

#include <stddef.h>
#include <stdint.h>

enum { GFP_FLAGS_CAPACITY = 1024 };

// Writes names joined by '|', then what has no name in hexadecimal; "0" for 0. Returns the size.
size_t gfp_flags_format(uint64_t flags, char text[GFP_FLAGS_CAPACITY]);

#endif
