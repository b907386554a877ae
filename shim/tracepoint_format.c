#include "shim/tracepoint_format.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// A field is one line: "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;"

// The number behind `key` in the line that ends at `end`; false if the key is not there.
static bool number_behind(const char *line, const char *end, const char *key, uint32_t *number) {
  const char *at = strstr(line, key);
  if (!at || at >= end)
    return false;
  *number = (uint32_t)strtoul(at + strlen(key), NULL, 10);
  return true;
}

// Whether the declaration [start, end) declares `name`: the last identifier, before array bounds.
static bool declares(const char *start, const char *end, const char *name) {
  for (const char *at = start; at < end; at++) {
    if (*at == '[' && at > start && at[-1] != ' ') {  // "__data_loc char[] name" has its bounds before the name
      const char *close = memchr(at, ']', (size_t)(end - at));
      if (close && close + 1 < end && close[1] == ' ') {
        at = close;
        continue;
      }
      end = at;
      break;
    }
  }
  size_t length = strlen(name);
  return (size_t)(end - start) > length && !memcmp(end - length, name, length) &&
         (end[-(ptrdiff_t)length - 1] == ' ' || end[-(ptrdiff_t)length - 1] == '*');
}

bool tracepoint_format_find(const char *format, const char *name, struct tracepoint_field *field) {
  for (const char *line = format; line && *line;) {
    const char *next = strchr(line, '\n');
    const char *end = next ? next : line + strlen(line);
    const char *declaration = strstr(line, "field:");
    if (declaration && declaration < end) {
      declaration += strlen("field:");
      const char *semicolon = memchr(declaration, ';', (size_t)(end - declaration));
      if (semicolon && declares(declaration, semicolon, name))
        return number_behind(semicolon, end, "offset:", &field->offset) && number_behind(semicolon, end, "size:", &field->size);
    }
    line = next ? next + 1 : NULL;
  }
  return false;
}
