// printf, and warnf and errorf, which print to stderr with the place in the script.
#include "shim/output/format.h"
#include "shim/output/output.h"
#include "shim/report.h"

int shim_action_printf(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  const struct pb_printf *call = action->printf;
  if (call->severity == PB_PRINTF_OUTPUT) {
    struct printer printer = printer_make(tracer, &tracer->out);
    format_print(&printer, call->format, event);
    return writer_settle(&tracer->out);
  }
  bool is_warning = call->severity == PB_PRINTF_WARNING;
  tracer->errors += !is_warning;
  if (is_warning && tracer->options.no_warnings)
    return 0;
  enum report_severity severity = is_warning ? REPORT_WARNING : REPORT_ERROR;
  struct writer message;
  report_begin(&message, severity, tracer->resources, action->span);
  struct printer printer = printer_make(tracer, &message);
  format_print(&printer, call->format, event);
  report_end(&message, severity, tracer->resources, action->span, false);
  return 0;
}
