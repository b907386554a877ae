// Offsets and sizes of tracepoint fields, from the format files of tracefs.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/constants.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/tracepoint_format.h"

static int resolve_field(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  const struct pb_tracepoint_field *wanted = constant->tracepoint_field;
  const char *tracefs = host_tracefs();
  char path[256], *format = NULL;
  size_t size;
  int err = -ENOENT;
  if (tracefs) {
    small_snprintf(path, sizeof(path), "%s/events/%s/%s/format", tracefs, wanted->category, wanted->event);
    err = host_read_file(path, &format, &size);
  }
  struct tracepoint_field field = {0};
  bool is_found = !err && tracepoint_format_find(format, wanted->field, &field);
  free(format);
  if (err && err != -ENOENT) {
    report(REPORT_ERROR, tracer->resources, constant->span, "tracepoint: read format of %s:%s: %s%s", wanted->category,
           wanted->event, report_cause(err), report_closed_hint(err));
    return err;
  }
  switch (wanted->property) {
    case PB_TRACEPOINT_FIELD_EXISTS:
      value->immediate = is_found;
      return 0;
    case PB_TRACEPOINT_FIELD_OFFSET:
      value->immediate = field.offset;
      break;
    default:
      value->immediate = field.size;
      break;
  }
  value->state = is_found ? CONSTANT_IMMEDIATE : CONSTANT_ABSENT;
  return 0;
}

static void describe_field(struct tracer *tracer, const struct pb_constant *constant, char *text, uint32_t size) {
  (void)tracer;
  const struct pb_tracepoint_field *field = constant->tracepoint_field;
  small_snprintf(text, size, "tracepoint: read field \"%s\" of %s:%s: it", field->field, field->category, field->event);
}

const struct constant_family shim_constant_tracepoint_field = {.resolve = resolve_field, .describe = describe_field};
