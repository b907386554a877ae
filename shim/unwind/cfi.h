// Reads call frame information (DWARF 5 section 6.4; .eh_frame as the Linux Standard Base describes it) of x86-64.
#ifndef SHIM_UNWIND_CFI_H
#define SHIM_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/unwind/table.h"

struct cfi_section {
  const uint8_t *data;
  size_t size;
  uint64_t address;  // of its first byte
  bool is_debug;     // .debug_frame instead of .eh_frame
};

// Adds what the section says to an open table. What is not understood or damaged adds no rules, or rules that say that nothing is
// known. Returns 0, or the error of unwind_table_add().
int cfi_read(const struct cfi_section *section, struct unwind_table *table);

#endif
