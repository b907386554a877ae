// Where user addresses come from: u32 pid, u32 probe, in the values of ustack and usym().
#ifndef SHIM_SYMBOLS_ORIGIN_H
#define SHIM_SYMBOLS_ORIGIN_H

#include <stdint.h>

#include "shim/tracer.h"
#include "shim/user/process.h"

// A function's name as it is to be printed: demangled, if the configuration wants that. It stays until the next call.
const char *origin_name(const struct tracer *tracer, const char *name);

// Reads an origin; the path in it stays until the next call. Does what the configuration says of caches.
struct user_origin origin_read(const struct tracer *tracer, const uint8_t *data);

#endif
