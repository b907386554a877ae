// usym().
#include <string.h>

#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/symbols/origin.h"

void shim_print_usym(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  uint64_t address = load_unsigned(data, 8);
  struct user_origin origin = origin_read(printer->tracer, data + 8);
  struct user_place place = user_place_find(&origin, address);
  if (place.name) {
    const char *name = origin_name(printer->tracer, place.name);
    printer->format->string(printer, name, strlen(name), "");
    return;
  }
  struct number number;
  number_format_address(&number, address);
  printer->format->string(printer, number.text, number.size, "");
}
