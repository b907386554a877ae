// Text of bounded size, which remembers if something did not fit.
#ifndef SHIM_DEMANGLE_TEXT_H
#define SHIM_DEMANGLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { DEMANGLED_SIZE = 1 << 14 };

struct text {
  char data[DEMANGLED_SIZE];
  size_t size;
  bool is_full;
};

static inline void text_put(struct text *text, const char *data, size_t size) {
  if (size > sizeof(text->data) - text->size) {
    text->is_full = true;
    return;
  }
  memcpy(text->data + text->size, data, size);
  text->size += size;
}

static inline void text_string(struct text *text, const char *string) {
  text_put(text, string, strlen(string));
}

static inline void text_char(struct text *text, char c) {
  text_put(text, &c, 1);
}

static inline void text_number(struct text *text, unsigned long long value) {
  char digits[20];
  size_t at = sizeof(digits);
  do
    digits[--at] = (char)('0' + value % 10);
  while (value /= 10);
  text_put(text, digits + at, sizeof(digits) - at);
}

// The last character, NUL if there is none.
static inline char text_last(const struct text *text) {
  if (!text->size)
    return '\0';
  return text->data[text->size - 1];
}

#endif
