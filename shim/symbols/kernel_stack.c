// kstack.
#include "shim/output/value.h"
#include "shim/symbols/kernel.h"
#include "shim/symbols/stack.h"

enum { HEADER_SIZE = 8 };

static void name_frame(struct long_text *text, uint64_t address, const void *context, bool is_perf) {
  (void)context, (void)is_perf;  // kernel symbols look the same in both modes
  uint64_t offset;
  const char *name = kernel_symbol_name(address, &offset);
  if (name)
    long_text_symbol(text, name, offset);
  else
    long_text_address(text, address);
}

void shim_print_kstack(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  stack_print(printer, type, data + HEADER_SIZE, load_unsigned(data, 8), name_frame, NULL);
}
