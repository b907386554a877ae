// Format strings: of printf, warnf and errorf, and of whatever else puts values into a text.
#ifndef SHIM_OUTPUT_FORMAT_H
#define SHIM_OUTPUT_FORMAT_H

#include <stdint.h>

#include "shim/output/printer.h"

// Prints the pieces of a format, with arguments from `event`. A conversion takes the low bits that its length modifier names (32
// without one), as C's printf would: %d of 2^40 is 0. As in upstream a precision and the flag ' ' change nothing, and zeros fill
// without regard to a sign: %05d of -5 is 000-5.
void format_print(struct printer *printer, const struct pb_format *format, const uint8_t *event);

// The text of a format, ended by NUL. Returns 0 or a negative errno; release *text with free().
int format_text(struct tracer *tracer, const struct pb_format *format, const uint8_t *event, char **text);

#endif
