// time(format): the time at which the event is printed.
#include "shim/output/output.h"
#include "shim/output/printer.h"
#include "shim/output/time_format.h"
#include "shim/report.h"

enum { TIME_CAPACITY = 63 };  // upstream's

int shim_action_time(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)event;
  (void)size;
  struct moment now = {.seconds = time(NULL)};
  char text[TIME_CAPACITY];
  size_t length = time_format(text, sizeof(text), action->time->format, &now);
  if (!length) {
    report(REPORT_ERROR, tracer->resources, action->span, "time: nothing printed: the text is empty or longer than %d bytes",
           TIME_CAPACITY);
    return 0;
  }
  writer_put(&tracer->out, text, length);
  return writer_settle(&tracer->out);
}
