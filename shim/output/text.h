// Pieces of text with padding, numbers as text, and what text_format has elsewhere.
#ifndef SHIM_OUTPUT_TEXT_H
#define SHIM_OUTPUT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/output/printer.h"

enum { NUMBER_CAPACITY = 24 };  // 22 octal digits, sign or prefix

// A number as text: `size` characters at `text`, which is inside `buffer`.
struct number {
  char buffer[NUMBER_CAPACITY];
  const char *text;
  size_t size;
};

enum number_base { OCTAL = 8, DECIMAL = 10, HEX = 16 };

void number_format(struct number *number, uint64_t value, enum number_base base, bool upper_case);
// Decimal, with a sign if it is negative or `show_sign`.
void number_format_signed(struct number *number, int64_t value, bool show_sign);
// Puts a character before the digits.
void number_prefix(struct number *number, char c);
// An address, as upstream shows one that is not a pointer of the script: 0x7f..., but 0 for 0.
void number_format_address(struct number *number, uint64_t value);

// Writes a piece of `size` bytes by calling writer_put() after the padding that printer->layout asks for: `text`, then `suffix`.
// Later pieces of the same value get no padding.
void text_piece(struct printer *printer, const char *text, size_t size, const char *suffix);

// For pieces that are made while they are written: the same padding around what the caller writes to printer->out.
// Returns the padding that text_piece_end() has to add.
size_t text_piece_begin(struct printer *printer, size_t size);
void text_piece_end(struct printer *printer, size_t padding);

// A buffer's bytes: printable ASCII as it is (`ascii`), others as \xNN (`escape`) or in hexadecimal with spaces between.
void text_buffer(struct printer *printer, const uint8_t *data, size_t size, bool ascii, bool escape);

// A time series as a graph (time_series.c).
void text_time_series(struct printer *printer, const struct time_series *series);

#endif
