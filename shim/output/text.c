#include "shim/output/text.h"

#include <string.h>

#include "shim/output/printer.h"

// Part of the feature shim_print_tseries: see shim/features.h.
#pragma weak text_time_series

enum { BAR_WIDTH = 52, LABEL_WIDTH = 16, COUNT_WIDTH = 8 };

void number_format(struct number *number, uint64_t value, enum number_base base, bool upper_case) {
  const char *digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";
  char *end = number->buffer + sizeof(number->buffer);
  char *at = end;
  do {
    *--at = digits[value % base];
    value /= base;
  } while (value);
  number->text = at;
  number->size = (size_t)(end - at);
}

void number_prefix(struct number *number, char c) {
  char *at = number->buffer + (sizeof(number->buffer) - number->size) - 1;
  *at = c;
  number->text = at;
  number->size++;
}

void number_format_signed(struct number *number, int64_t value, bool show_sign) {
  number_format(number, value < 0 ? -(uint64_t)value : (uint64_t)value, DECIMAL, false);
  if (value < 0)
    number_prefix(number, '-');
  else if (show_sign)
    number_prefix(number, '+');
}

void number_format_address(struct number *number, uint64_t value) {
  number_format(number, value, HEX, false);
  if (value) {
    number_prefix(number, 'x');
    number_prefix(number, '0');
  }
}

size_t text_piece_begin(struct printer *printer, size_t size) {
  const struct layout *layout = &printer->layout;
  size_t padding = layout->width > size ? layout->width - size : 0;
  printer->layout.width = 0;
  if (layout->left_align)
    return padding;
  writer_fill(printer->out, layout->zero_pad ? '0' : ' ', padding);
  return 0;
}

void text_piece_end(struct printer *printer, size_t padding) {
  writer_fill(printer->out, printer->layout.zero_pad ? '0' : ' ', padding);
}

void text_piece(struct printer *printer, const char *text, size_t size, const char *suffix) {
  size_t suffix_size = strlen(suffix);
  size_t padding = text_piece_begin(printer, size + suffix_size);
  writer_put(printer->out, text, size);
  writer_put(printer->out, suffix, suffix_size);
  text_piece_end(printer, padding);
}

static void piece(struct printer *printer, const char *text) {
  text_piece(printer, text, strlen(text), "");
}

// The text of one byte of a buffer; returns its size, at most 4.
static size_t byte_text(uint8_t byte, bool ascii, bool escape, char text[4]) {
  if (ascii && byte >= ' ' && byte <= '~') {
    text[0] = (char)byte;
    return 1;
  }
  size_t size = 0;
  if (escape) {
    text[size++] = '\\';
    text[size++] = 'x';
  }
  text[size++] = "0123456789abcdef"[byte >> 4];
  text[size++] = "0123456789abcdef"[byte & 15];
  return size;
}

void text_buffer(struct printer *printer, const uint8_t *data, size_t size, bool ascii, bool escape) {
  char text[4];
  size_t separators = !ascii && !escape && size ? size - 1 : 0;
  size_t total = separators;
  for (size_t i = 0; i < size; i++)
    total += byte_text(data[i], ascii, escape, text);
  size_t padding = text_piece_begin(printer, total);
  for (size_t i = 0; i < size; i++) {
    writer_put(printer->out, text, byte_text(data[i], ascii, escape, text));
    if (i < separators)
      writer_put(printer->out, " ", 1);
  }
  text_piece_end(printer, padding);
}

static void text_integer(struct printer *printer, uint64_t value, bool is_signed) {
  struct number number;
  if (is_signed)
    number_format_signed(&number, (int64_t)value, printer->layout.show_sign);
  else
    number_format(&number, value, DECIMAL, false);
  text_piece(printer, number.text, number.size, "");
}

static void text_boolean(struct printer *printer, bool value) {
  piece(printer, value ? "true" : "false");
}

static void text_string(struct printer *printer, const char *text, size_t size, const char *suffix) {
  text_piece(printer, text, size, suffix);
}

static void text_symbol(struct printer *printer, const char *text, size_t size, uint64_t number) {
  (void)number;
  text_piece(printer, text, size, "");
}

static void text_escaped_buffer(struct printer *printer, const uint8_t *data, size_t size) {
  text_buffer(printer, data, size, true, true);
}

static void text_group_open(struct printer *printer, enum group group, bool empty) {
  static const char *const open[] = {[GROUP_ARRAY] = "[", [GROUP_TUPLE] = "(", [GROUP_RECORD] = "{ "};
  static const char *const whole[] = {[GROUP_ARRAY] = "[]", [GROUP_TUPLE] = "()", [GROUP_RECORD] = "{}"};
  piece(printer, (empty ? whole : open)[group]);
}

static void text_member(struct printer *printer, enum group group, const char *name, bool first) {
  if (!first)
    piece(printer, group == GROUP_ARRAY ? "," : ", ");
  if (group == GROUP_RECORD) {
    piece(printer, ".");
    piece(printer, name);
    piece(printer, " = ");
  }
}

static void text_group_close(struct printer *printer, enum group group) {
  static const char *const close[] = {[GROUP_ARRAY] = "]", [GROUP_TUPLE] = ")", [GROUP_RECORD] = " }"};
  piece(printer, close[group]);
}

static void text_value_open(struct printer *printer) {
  (void)printer;
}

static void text_value_close(struct printer *printer) {
  writer_text(printer->out, "\n");
}

static const char *after_heading(const struct map_heading *heading) {
  return heading->shape == MAP_HISTOGRAM || heading->shape == MAP_TIME_SERIES ? ":\n" : ": ";
}

static void text_map_open(struct printer *printer, const struct map_heading *heading) {
  if (heading->has_keys)
    return;  // every entry repeats the name
  writer_text(printer->out, heading->name);
  writer_text(printer->out, after_heading(heading));
}

static void text_key_open(struct printer *printer, const struct map_heading *heading, bool first) {
  (void)first;
  struct writer *out = printer->out;
  writer_text(out, heading->name);
  writer_text(out, "[");
  if (out->used > sizeof(out->buffer) / 2)
    writer_flush(out);  // so that the key stays in the buffer
  printer->key_mark = out->used;
  printer->key_flushes = out->flushes;
}

// The parentheses of a tuple are left out here: @x[1, 2]. As upstream looks at nothing but the text, it leaves out those of
// the string "(a)" too. A key of more than half a buffer keeps them.
static void text_key_close(struct printer *printer, const struct map_heading *heading) {
  struct writer *out = printer->out;
  char *key = out->buffer + printer->key_mark;
  size_t size = out->used - printer->key_mark;
  if (out->flushes == printer->key_flushes && size >= 2 && key[0] == '(' && key[size - 1] == ')') {
    memmove(key, key + 1, size - 2);
    out->used -= 2;
  }
  writer_text(out, "]");
  writer_text(out, after_heading(heading));
}

static void text_entry_close(struct printer *printer, const struct map_heading *heading) {
  (void)heading;
  writer_text(printer->out, "\n");
}

static void text_map_close(struct printer *printer, const struct map_heading *heading) {
  (void)printer;
  (void)heading;
}

// Labels are short: two bounds of at most 21 characters.
struct label {
  size_t size;
  char text[64];
};

static void label_put(struct label *label, const char *text, size_t size) {
  memcpy(label->text + label->size, text, size);
  label->size += size;
}

static void label_bound(struct label *label, const struct bound *bound) {
  struct number number;
  number_format_signed(&number, bound->number, false);
  label_put(label, number.text, number.size);
  if (bound->unit)
    label_put(label, &bound->unit, 1);
}

static void text_bucket(struct printer *printer, const struct bucket *bucket) {
  const struct bound *lower = bucket->lower;
  const struct bound *upper = bucket->upper;
  struct label label = {0};
  label_put(&label, lower ? "[" : "(..., ", lower ? 1 : 6);
  if (lower)
    label_bound(&label, lower);
  if (lower && upper && lower->is_exact && upper->is_exact && lower->value + 1 == upper->value) {
    label_put(&label, "]", 1);
  } else {
    if (lower)
      label_put(&label, ", ", 2);
    if (upper)
      label_bound(&label, upper);
    else
      label_put(&label, "...", 3);
    label_put(&label, ")", 1);
  }
  struct writer *out = printer->out;
  writer_put(out, label.text, label.size);
  writer_fill(out, ' ', label.size < LABEL_WIDTH ? LABEL_WIDTH - label.size : 0);
  struct number count;
  number_format(&count, bucket->count, DECIMAL, false);
  writer_fill(out, ' ', count.size < COUNT_WIDTH ? COUNT_WIDTH - count.size : 0);
  writer_put(out, count.text, count.size);
  // Upstream's arithmetic, in single precision, so that bars are never one character off.
  size_t bar = bucket->count ? (size_t)((float)bucket->count / (float)bucket->max_count * BAR_WIDTH) : 0;
  writer_text(out, " |");
  writer_fill(out, '@', bar);
  writer_fill(out, ' ', BAR_WIDTH - bar);
  writer_text(out, "|\n");
}

const struct output_format text_format = {
    .integer = text_integer,
    .boolean = text_boolean,
    .string = text_string,
    .symbol = text_symbol,
    .buffer = text_escaped_buffer,
    .group_open = text_group_open,
    .member = text_member,
    .group_close = text_group_close,
    .value_open = text_value_open,
    .value_close = text_value_close,
    .map_open = text_map_open,
    .key_open = text_key_open,
    .key_close = text_key_close,
    .bucket = text_bucket,
    .time_series = text_time_series,
    .entry_close = text_entry_close,
    .map_close = text_map_close,
};
