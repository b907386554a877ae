// Names of kernel addresses.
#ifndef SHIM_SYMBOLS_KERNEL_H
#define SHIM_SYMBOLS_KERNEL_H

#include <stdint.h>

// The symbol that an address belongs to, and how far behind its beginning it is. NULL if it is below all symbols, or if the
// symbols cannot be read (which is reported once).
const char *kernel_symbol_name(uint64_t address, uint64_t *offset);

#endif
