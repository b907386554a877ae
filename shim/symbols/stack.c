#include "shim/symbols/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/report.h"

enum { LEAST_CAPACITY = 4096, FRAME_SIZE = 8, INDENTATION = 8 };

// struct bpf_stack_build_id of linux/bpf.h: s32 status, 20 bytes of build id, u64 offset in the file or address.
enum { BUILD_ID_FRAME_SIZE = 32, BUILD_ID_AT = 4, BUILD_ID_SIZE = 20, BUILD_ID_OFFSET_AT = 24, BUILD_ID_VALID = 1 };

void long_text_put(struct long_text *text, const char *data, size_t size) {
  if (size > text->capacity - text->size) {
    size_t capacity = 2 * (text->size + size) + LEAST_CAPACITY;
    char *grown = realloc(text->data, capacity);
    if (!grown) {
      static bool is_reported;
      if (!is_reported)
        report(REPORT_WARNING, NULL, 0, "stack: print frames: %s; stacks are cut", report_cause(ENOMEM));
      is_reported = true;
      return;
    }
    text->data = grown;
    text->capacity = capacity;
  }
  memcpy(text->data + text->size, data, size);
  text->size += size;
}

void long_text_string(struct long_text *text, const char *string) {
  long_text_put(text, string, strlen(string));
}

void long_text_hex(struct long_text *text, uint64_t value) {
  struct number number;
  number_format(&number, value, HEX, false);
  long_text_put(text, number.text, number.size);
}

void long_text_symbol(struct long_text *text, const char *name, uint64_t offset) {
  struct number number;
  number_format(&number, offset, DECIMAL, false);
  long_text_string(text, name);
  long_text_put(text, "+", 1);
  long_text_put(text, number.text, number.size);
}

void long_text_address(struct long_text *text, uint64_t address) {
  struct number number;
  number_format_address(&number, address);
  long_text_put(text, number.text, number.size);
}

static void put_build_id_frame(struct long_text *text, const uint8_t *frame) {
  uint64_t offset = load_unsigned(frame + BUILD_ID_OFFSET_AT, 8);
  if (load_unsigned(frame, 4) != BUILD_ID_VALID) {
    long_text_hex(text, offset);
    return;
  }
  for (int i = BUILD_ID_AT; i < BUILD_ID_AT + BUILD_ID_SIZE; i++) {
    long_text_put(text, &"0123456789abcdef"[frame[i] >> 4], 1);
    long_text_put(text, &"0123456789abcdef"[frame[i] & 15], 1);
  }
  long_text_string(text, offset < 0x10 ? " 0x0" : " 0x");
  long_text_hex(text, offset);
}

void long_text_frame(struct long_text *text, uint64_t address, bool is_perf) {
  if (!is_perf) {
    long_text_put(text, "        ", INDENTATION);
    return;
  }
  long_text_string(text, "\t");
  long_text_hex(text, address);
  long_text_string(text, " ");
}

static void put_frame(struct long_text *text, uint64_t address, uint32_t mode, frame_namer *name, const void *context) {
  if (mode == PB_TYPE_RAW) {
    long_text_hex(text, address);
    return;
  }
  long_text_frame(text, address, mode == PB_TYPE_PERF);
  name(text, address, context, mode == PB_TYPE_PERF);
}

void stack_print(struct printer *printer, const struct pb_type *type, const uint8_t *frames, uint64_t count,
                 frame_namer *name, const void *context) {
  static struct long_text text;  // kept for the next stack
  text.size = 0;
  long_text_put(&text, "\n", 1);
  for (uint64_t i = 0; i < count && i < type->count; i++) {
    if (type->stack_mode == PB_TYPE_BUILD_ID)
      put_build_id_frame(&text, frames + i * BUILD_ID_FRAME_SIZE);
    else
      put_frame(&text, load_unsigned(frames + i * FRAME_SIZE, 8), type->stack_mode, name, context);
    long_text_put(&text, "\n", 1);
  }
  printer->format->string(printer, text.size ? text.data : "", text.size, "");
}
