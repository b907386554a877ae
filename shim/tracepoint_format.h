// Reads the format file of a tracepoint (Documentation/trace/events.rst).
#ifndef SHIM_TRACEPOINT_FORMAT_H
#define SHIM_TRACEPOINT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

struct tracepoint_field {
  uint32_t offset;
  uint32_t size;
};

// Finds a field in the text of a format file. Returns whether there is one.
bool tracepoint_format_find(const char *format, const char *name, struct tracepoint_field *field);

#endif
