// join(argv, delimiter).
#include <string.h>

#include "shim/output/output.h"
#include "shim/output/printer.h"

int shim_action_join(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  const struct pb_join *join = action->join;
  struct printer printer = printer_make(tracer, &tracer->out);
  printer.format->value_open(&printer);
  for (uint32_t i = 0; i < join->count; i++) {
    const char *argument = (const char *)event + join->offset + (uint64_t)i * join->size;
    size_t length = strnlen(argument, join->size);
    if (!length)
      break;
    if (i)
      writer_put(printer.out, join->delimiter.data, join->delimiter.size);
    writer_put(printer.out, argument, length);
  }
  printer.format->value_close(&printer);
  return writer_settle(&tracer->out);
}
