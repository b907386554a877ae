// Texts of lines with numbers, as the kernel (/proc/PID/maps) and JIT compilers (/tmp/perf-PID.map) write them.
#ifndef SHIM_USER_LINES_H
#define SHIM_USER_LINES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Reads a hexadecimal number and passes over what separates it from the next.
static inline uint64_t line_read_hex(char **at) {
  uint64_t value = strtoull(*at, at, 16);
  if (**at)
    (*at)++;
  return value;
}

// At least the number of lines.
static inline uint32_t lines_count(const char *text) {
  uint32_t count = 1;
  for (; (text = strchr(text, '\n')); text++)
    count++;
  return count;
}

#endif
