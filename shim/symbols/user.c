// usym().
#include <string.h>

#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/user/process.h"

void shim_print_usym(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  uint64_t address = load_unsigned(data, 8);
  if (printer->tracer->resources->config->cache_user_symbols == PB_SYMBOL_CACHE_NONE)
    user_places_forget();
  struct user_place place = user_place_find((uint32_t)load_unsigned(data + 8, 4), address);
  if (place.name) {
    printer->format->string(printer, place.name, strlen(place.name), "");
    return;
  }
  struct number number;
  number_format_address(&number, address);
  printer->format->string(printer, number.text, number.size, "");
}
