// ustack with the names of functions.
#include "shim/output/value.h"
#include "shim/symbols/origin.h"
#include "shim/symbols/stack.h"

enum { HEADER_SIZE = 16 };

struct frames {
  const struct tracer *tracer;
  struct user_origin origin;
};

static void name_frame(struct long_text *text, uint64_t address, const void *context, bool is_perf) {
  const struct frames *frames = context;
  struct user_place place = user_place_find(&frames->origin, address);
  if (place.name)
    long_text_symbol(text, origin_name(frames->tracer, place.name), place.offset);
  else
    long_text_address(text, address);
  if (is_perf) {
    long_text_string(text, " (");
    long_text_string(text, place.name ? place.module : "[unknown]");
    long_text_string(text, ")");
  }
}

void shim_print_ustack_names(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  const struct frames frames = {printer->tracer, origin_read(printer->tracer, data)};
  stack_print(printer, type, data + HEADER_SIZE, load_unsigned(data + 8, 8), name_frame, &frames);
}
