// The parameters of the script, from the command line: positional ones ($1) and named ones (getopt).
#ifndef SHIM_PARAMETERS_H
#define SHIM_PARAMETERS_H

#include <stdint.h>

#include "shim/tracer.h"

struct parameter_value {
  int64_t integer;     // of INTEGER and BOOL
  const char *string;  // of STRING: the argument, or NULL for the default (which lies in the initial value already); of WORD: the
                       // argument, or NULL for none
};

// Sets tracer->parameters from the arguments behind the options. Reports what is wrong in upstream's words. Returns 0 or a negative errno.
int parameters_parse(struct tracer *tracer, int count, char *const *arguments);

// Writes the string parameters that lie in global data map `map` into its initial value.
void parameters_fill(const struct tracer *tracer, uint32_t map, uint8_t *data);

// Parses an integer literal of the language ("10", "0x1f", "1e6", "5s"). Returns NULL, or what is wrong.
const char *parameter_parse_integer(const char *text, int64_t *value);

// Parses "true", "off", "1" and their kin to 0 or 1. Returns NULL, or what is wrong.
const char *parameter_parse_bool(const char *text, int64_t *value);

#endif
