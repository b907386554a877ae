// ustack.
#include "shim/output/value.h"
#include "shim/symbols/stack.h"
#include "shim/user/process.h"

enum { HEADER_SIZE = 16 };

static void name_frame(struct long_text *text, uint64_t address, uint32_t pid, bool is_perf) {
  struct user_place place = user_place_find(pid, address);
  if (place.name)
    long_text_symbol(text, place.name, place.offset);
  else
    long_text_address(text, address);
  if (is_perf) {
    long_text_string(text, " (");
    long_text_string(text, place.name ? place.module : "[unknown]");
    long_text_string(text, ")");
  }
}

void shim_print_ustack(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  if (printer->tracer->resources->config->cache_user_symbols == PB_SYMBOL_CACHE_NONE)
    user_places_forget();
  uint32_t pid = (uint32_t)load_unsigned(data, 4);
  stack_print(printer, type, data + HEADER_SIZE, load_unsigned(data + 8, 8), pid, name_frame);
}
