// The functions that ftrace can trace, as tracefs lists them.
#ifndef SHIM_ATTACH_TRACEABLE_H
#define SHIM_ATTACH_TRACEABLE_H

#include "shim/tracer.h"

struct traceable {
  uint64_t address;  // 0 if the kernel does not tell (before 6.5)
  const char *name;
  const char *module;  // "vmlinux" for the kernel's own
};

// Called with each function; anything but 0 ends the search.
typedef int traceable_visitor(void *context, const struct traceable *function);

// Visits all functions for a probe whose names are patterns. Returns what ended the search, or a negative errno after reporting
// that the list cannot be read.
int traceable_each(const struct tracer *tracer, uint32_t probe, traceable_visitor *visit, void *context);

#endif
