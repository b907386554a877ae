// print(value) of a value that is not a map.
#include "shim/output/output.h"
#include "shim/output/value.h"

int shim_action_print_value(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  const struct pb_argument *argument = action->print_value->argument;
  struct printer printer = printer_make(tracer, &tracer->out);
  printer.format->value_open(&printer);
  value_print(&printer, &tracer->resources->types[argument->type], event + argument->offset, 1);
  printer.format->value_close(&printer);
  return writer_settle(&tracer->out);
}
