// Loading the programs into the kernel.
#ifndef SHIM_LOAD_H
#define SHIM_LOAD_H

#include "shim/tracer.h"

struct program {
  int fd;  // -1 until it is loaded
};

// Loads the local BTF into tracer->btf_fd, if the payload has one. Returns 0, or a negative errno after reporting.
int load_btf(struct tracer *tracer);
// Loads all programs; the constants are resolved. Returns 0, or a negative errno after reporting.
int load_programs(struct tracer *tracer);
void load_close(struct tracer *tracer);

#endif
