// ustack.
#include "shim/output/value.h"
#include "shim/symbols/stack.h"

// Linked for the modes that show names: see features.h.
#pragma weak shim_print_ustack_names

enum { HEADER_SIZE = 16 };

void shim_print_ustack(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  if (type->stack_mode == PB_TYPE_BPFTRACE || type->stack_mode == PB_TYPE_PERF)
    shim_print_ustack_names(printer, type, data);
  else
    stack_print(printer, type, data + HEADER_SIZE, load_unsigned(data + 8, 8), NULL, NULL);
}
