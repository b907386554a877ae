// The part of snprintf(3) that messages and paths need. libc's would bring its conversions of floating-point numbers, a tenth of
// a tracer's size.
#ifndef SHIM_SMALL_PRINTF_H
#define SHIM_SMALL_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

// Conversions: %s, %c, %d, %u, %x, %% with the flags '-' and '0', a width, and the lengths l, ll and z. The compiler checks calls
// as it does for snprintf; whatever else it would let through is copied as it stands.
//
// Writes at most `size` bytes with the NUL; returns the length that the whole text has.
int small_snprintf(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int small_vsnprintf(char *text, size_t size, const char *format, va_list arguments);

#endif
