#include "shim/small_printf.h"

#include <stdbool.h>
#include <string.h>

enum { NUMBER_CAPACITY = 24 };

struct target {
  char *text;
  size_t size;
  size_t length;
};

struct conversion {
  bool left_align;
  bool zero_pad;
  size_t width;
  unsigned longs;  // how many times `l`; 1 for `z`
  char letter;
};

static void put(struct target *target, const char *text, size_t length) {
  if (target->length + 1 < target->size) {
    size_t room = target->size - target->length - 1;
    memcpy(target->text + target->length, text, length < room ? length : room);
  }
  target->length += length;
}

static void put_padded(struct target *target, const struct conversion *conversion, const char *text, size_t length) {
  size_t padding = conversion->width > length ? conversion->width - length : 0;
  if (conversion->left_align)
    put(target, text, length);
  for (; padding; padding--)
    put(target, conversion->zero_pad ? "0" : " ", 1);
  if (!conversion->left_align)
    put(target, text, length);
}

static void put_number(struct target *target, const struct conversion *conversion, unsigned long long value, bool is_negative) {
  char digits[NUMBER_CAPACITY];
  char *end = digits + sizeof(digits);
  char *at = end;
  unsigned base = conversion->letter == 'x' ? 16 : 10;
  do {
    *--at = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  if (is_negative)
    *--at = '-';
  put_padded(target, conversion, at, (size_t)(end - at));
}

static const char *parse_conversion(const char *at, struct conversion *conversion) {
  *conversion = (struct conversion){0};
  for (; *at == '-' || *at == '0'; at++) {
    conversion->left_align |= *at == '-';
    conversion->zero_pad |= *at == '0';
  }
  for (; *at >= '0' && *at <= '9'; at++)
    conversion->width = conversion->width * 10 + (size_t)(*at - '0');
  for (; *at == 'l' || *at == 'z'; at++)
    conversion->longs++;
  conversion->letter = *at;
  return at;
}

int small_vsnprintf(char *text, size_t size, const char *format, va_list arguments) {
  struct target target = {.text = text, .size = size};
  while (*format) {
    size_t literal = strcspn(format, "%");
    put(&target, format, literal);
    format += literal;
    if (!*format)
      break;
    struct conversion conversion;
    const char *letter = parse_conversion(format + 1, &conversion);
    switch (conversion.letter) {
      case 's': {
        const char *string = va_arg(arguments, const char *);
        put_padded(&target, &conversion, string, strlen(string));
        break;
      }
      case 'c': {
        char c = (char)va_arg(arguments, int);
        put_padded(&target, &conversion, &c, 1);
        break;
      }
      case 'd': {
        long long value = conversion.longs ? va_arg(arguments, long long) : va_arg(arguments, int);
        put_number(&target, &conversion, value < 0 ? -(unsigned long long)value : (unsigned long long)value, value < 0);
        break;
      }
      case 'u':
      case 'x':
        put_number(&target, &conversion,
                   conversion.longs ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned), false);
        break;
      default:
        put(&target, format, (size_t)(letter - format));
        letter -= !conversion.letter;  // a '%' at the end
        if (conversion.letter && conversion.letter != '%')
          put(&target, letter, 1);
        break;
    }
    format = letter + 1;
  }
  if (size)
    text[target.length < size ? target.length : size - 1] = '\0';
  return (int)target.length;
}

int small_snprintf(char *text, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = small_vsnprintf(text, size, format, arguments);
  va_end(arguments);
  return length;
}
