// strftime(3) as glibc does it in the C locale. musl's is smaller in what it knows, differs from glibc's in the rest, and brings
// its printf.
#ifndef SHIM_OUTPUT_TIME_FORMAT_H
#define SHIM_OUTPUT_TIME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

// A moment. With `has_fraction`, %f, %l and %k are bpftrace's: micro-, milli- and nanoseconds of the second.
struct moment {
  time_t seconds;
  uint32_t nanoseconds;
  bool has_fraction;
};

// Writes the local time to `text`. Returns the size, or 0 if it does not fit or there is no local time.
size_t time_format(char *text, size_t capacity, const char *format, const struct moment *moment);

#endif
