// strftime(): moments that a program has taken from one of the kernel's clocks.
#include "shim/output/boot_time.h"
#include "shim/output/time_format.h"
#include "shim/output/value.h"

enum { TIMESTAMP_CAPACITY = 1023, NANOSECONDS = 1000000000 };

void shim_print_timestamp(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  int64_t nanoseconds = (int64_t)load_unsigned(data, 8);
  if (type->clock == PB_TYPE_BOOT)
    nanoseconds = (int64_t)((uint64_t)nanoseconds + (uint64_t)boot_time_offset());
  int64_t fraction = nanoseconds % NANOSECONDS;
  bool is_before = fraction < 0;  // a moment before 1970: rounded down
  struct moment moment = {
      .seconds = nanoseconds / NANOSECONDS - is_before,
      .nanoseconds = (uint32_t)(is_before ? fraction + NANOSECONDS : fraction),
      .has_fraction = true,
  };
  const struct pb_required_resources *resources = printer->tracer->resources;
  uint64_t format = load_unsigned(data + 8, 4);
  char text[TIMESTAMP_CAPACITY];
  size_t size = 0;
  if (moment.seconds && format < resources->time_formats_count)
    size = time_format(text, sizeof(text), resources->time_formats[format], &moment);
  if (size)
    printer->format->string(printer, text, size, "");
  else
    printer->format->string(printer, "(?)", 3, "");
}
