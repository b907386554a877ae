// The payload that the compiler has put into the executable: found, checked and decoded.
#ifndef SHIM_PAYLOAD_H
#define SHIM_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "shim/resources.h"

enum { PAYLOAD_FORMAT_VERSION = 1 };

// Checks the header (proto/required_resources.proto has the layout), decodes the message and validates it. On success
// *resources is one allocation, which borrows from `data`; release it with free(). What is wrong is reported to stderr.
// Returns 0 or a negative errno.
int payload_open(const uint8_t *data, size_t size, struct pb_required_resources **resources);

// The checks of payload_open on a decoded message (shim/validate.c). Afterwards no other code needs to check an index, offset or size
// of the resources:
//   * every index is inside its table, and the parent of a span comes before the span;
//   * types nest at most TYPE_NESTING deep, and what they contain lies inside them;
//   * keys and values are as large as their types, initial values and parameters fit their maps;
//   * relocations point at instructions of the right kind;
//   * the arguments of an action end at most at EVENT_SIZE_LIMIT;
//   * every feature that is used is linked (shim/features.h).
// Returns NULL, or what is wrong.
const char *resources_validate(const struct pb_required_resources *resources);

enum { TYPE_NESTING = 32, EVENT_HEADER_SIZE = 8, EVENT_SIZE_LIMIT = 1 << 24 };

// Where the last argument of an action ends, counted from the start of the event.
uint64_t action_event_size(const struct pb_required_resources *resources, const struct pb_action *action);

#endif
