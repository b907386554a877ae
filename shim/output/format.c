#include "shim/output/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/output/gfp_flags.h"
#include "shim/output/text.h"
#include "shim/output/value.h"

// How many low bytes of a number a conversion takes.
static uint32_t length_bytes(const char *length) {
  if (!strcmp(length, "hh"))
    return 1;
  if (!strcmp(length, "h"))
    return 2;
  if (!strcmp(length, "ll") || (length[0] && !length[1] && strchr("ljzt", length[0])))
    return 8;
  return 4;
}

static void print_unsigned(struct printer *printer, const struct pb_format_piece *piece, uint64_t value) {
  char conversion = piece->conversion[0];
  enum number_base base = conversion == 'o' ? OCTAL : conversion == 'u' ? DECIMAL : HEX;
  struct number number;
  number_format(&number, value, base, conversion == 'X');
  if (piece->alternate && value && base != DECIMAL) {
    if (base == HEX)
      number_prefix(&number, conversion);
    number_prefix(&number, '0');
  }
  text_piece(printer, number.text, number.size, "");
}

static void print_number(struct printer *printer, const struct pb_format_piece *piece, uint64_t value) {
  uint32_t bytes = length_bytes(piece->length);
  const uint8_t *low = (const uint8_t *)&value;
  struct number number;
  switch (piece->conversion[0]) {
    case 'c':
      text_piece(printer, (const char *)low, 1, "");
      break;
    case 'p':
      number_format_address(&number, value);
      text_piece(printer, number.text, number.size, "");
      break;
    case 'd':
    case 'i':
      number_format_signed(&number, load_signed(low, bytes), piece->show_sign);
      text_piece(printer, number.text, number.size, "");
      break;
    default:
      print_unsigned(printer, piece, load_unsigned(low, bytes));
  }
}

static void print_gfp_flags(struct printer *printer, const struct pb_type *type, const uint8_t *data, uint64_t value) {
  if (type->kind == PB_TYPE_BOOL) {
    text_piece(printer, "!{invalid GFP flags conversion: ", 32, data[0] ? "true}" : "false}");
    return;
  }
  char text[GFP_FLAGS_CAPACITY];
  text_piece(printer, text, gfp_flags_format(value, text), "");
}

static void print_buffer(struct printer *printer, const struct pb_type *type, const uint8_t *data, bool escape) {
  uint64_t room = type->size - sizeof(uint32_t);
  uint64_t size = load_unsigned(data, sizeof(uint32_t));
  text_buffer(printer, data + sizeof(uint32_t), size < room ? size : room, false, escape);
}

static void print_conversion(struct printer *printer, const struct pb_format_piece *piece, const uint8_t *event) {
  const struct pb_type *type = &printer->tracer->resources->types[piece->argument->type];
  const uint8_t *data = event + piece->argument->offset;
  const char *conversion = piece->conversion;
  printer->layout = (struct layout){
      .width = piece->width,
      .left_align = piece->left_align,
      .zero_pad = piece->zero_pad,
      .show_sign = piece->show_sign,
  };
  uint64_t value;
  if (!strcmp(conversion, "gr") && value_number(type, data, &value))
    print_gfp_flags(printer, type, data, value);
  else if (conversion[0] == 'r' && conversion[1] && type->kind == PB_TYPE_BUFFER)
    print_buffer(printer, type, data, conversion[1] == 'x');
  else if (conversion[0] && strchr("diuoxXcp", conversion[0]) && value_number(type, data, &value))
    print_number(printer, piece, value);
  else  // %s and %r, and what the compiler should not have let through
    value_print(printer, type, data, 1);
  printer->layout = (struct layout){0};
}

void format_print(struct printer *printer, const struct pb_format *format, const uint8_t *event) {
  const struct output_format *outer = printer->format;
  printer->format = &text_format;
  for (uint32_t i = 0; i < format->pieces_count; i++) {
    const struct pb_format_piece *piece = &format->pieces[i];
    writer_put(printer->out, piece->literal.data, piece->literal.size);
    if (piece->argument)
      print_conversion(printer, piece, event);
  }
  printer->format = outer;
}

int format_text(struct tracer *tracer, const struct pb_format *format, const uint8_t *event, char **text) {
  int fd = memfd_create("text", MFD_CLOEXEC);
  if (fd < 0)
    return -errno;
  struct writer out;
  writer_init(&out, fd, WRITER_FULL);
  struct printer printer = printer_make(tracer, &out);
  format_print(&printer, format, event);
  int err = writer_flush(&out);
  off_t size = err ? 0 : lseek(fd, 0, SEEK_CUR);
  if (size < 0)
    err = -errno;
  *text = err ? NULL : calloc(1, (size_t)size + 1);
  if (!err && !*text)
    err = -ENOMEM;
  if (!err && pread(fd, *text, (size_t)size, 0) != size) {
    err = -EIO;
    free(*text);
  }
  close(fd);
  return err;
}
