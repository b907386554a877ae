// Reads /proc/kallsyms. (Names of addresses are found in shim/symbols/.)
#ifndef SHIM_KALLSYMS_H
#define SHIM_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

// One line: `name` is not ended by NUL; `address` is 0 for those who may not know it; `type` is as nm(1) has it.
struct kallsyms_entry {
  uint64_t address;
  char type;
  const char *name;
  size_t name_size;
};

// Calls `visit` for every symbol until it returns something else than 0, and returns that; else 0 or a negative errno.
typedef int kallsyms_visitor(void *context, const struct kallsyms_entry *entry);
int kallsyms_each(kallsyms_visitor *visit, void *context);

// Returns 0, -ENOENT if there is no such symbol, -EACCES if the kernel hides its address, or another negative errno.
int kallsyms_find(const char *name, uint64_t *address);

#endif
