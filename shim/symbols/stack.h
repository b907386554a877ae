// Stacks as text: what kernel and user stacks have in common.
#ifndef SHIM_SYMBOLS_STACK_H
#define SHIM_SYMBOLS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/output/printer.h"
#include "shim/resources.h"

// Text that grows. What does not fit into memory any more is left out, which is reported once.
struct long_text {
  char *data;
  size_t size;
  size_t capacity;
};

void long_text_put(struct long_text *text, const char *data, size_t size);
void long_text_string(struct long_text *text, const char *string);
void long_text_hex(struct long_text *text, uint64_t value);
// "name+offset"
void long_text_symbol(struct long_text *text, const char *name, uint64_t offset);
// An address without a name: 0x7f...
void long_text_address(struct long_text *text, uint64_t address);

// What comes before a frame's name.
void long_text_frame(struct long_text *text, uint64_t address, bool is_perf);

// Appends the name of a frame's address; `is_perf`: in the mode PERF. `context` is what stack_print() was given.
typedef void frame_namer(struct long_text *text, uint64_t address, const void *context, bool is_perf);

// Prints a stack: a line for each of the `count` frames at `frames`, which has room for type->count.
void stack_print(struct printer *printer, const struct pb_type *type, const uint8_t *frames, uint64_t count,
                 frame_namer *name, const void *context);

#endif
