// Positional parameters, printed as what they are.
#include <string.h>

#include "shim/output/printer.h"
#include "shim/output/value.h"
#include "shim/parameters.h"

void shim_print_parameter(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  uint64_t index = load_unsigned(data, type->size);
  const char *word = index < printer->tracer->resources->parameters_count ? printer->tracer->parameters[index].string : NULL;
  int64_t number = 0;
  if (word && *word && parameter_parse_integer(word, &number))
    printer->format->string(printer, word, strlen(word), "");
  else
    printer->format->integer(printer, (uint64_t)number, word && *word == '-');
}
