// Finds symbols by name in /proc/kallsyms. (Names of addresses are found in shim/symbols/.)
#ifndef SHIM_KALLSYMS_H
#define SHIM_KALLSYMS_H

#include <stdint.h>

// Returns 0, -ENOENT if there is no such symbol, -EACCES if the kernel hides its address, or another negative errno.
int kallsyms_find(const char *name, uint64_t *address);

#endif
