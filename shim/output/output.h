// Text output. Events are dispatched by shim/events.c; what they print is written here.
//
// LINKING ONLY WHAT A SCRIPT NEEDS. The core never calls a feature by name. It holds *weak* references, which do not pull a
// member out of the static archive; the compiler writes one undefined symbol into the tracer object for every feature that
// the payload uses, and that one does (see shim/features.h). So each handler below is defined in a file of its own, or in one file with
// those that are always used together.
#ifndef SHIM_OUTPUT_OUTPUT_H
#define SHIM_OUTPUT_OUTPUT_H

#include <stdint.h>

#include "shim/tracer.h"

// Handles one event of the ring buffer. `event` is 8-byte aligned and holds all arguments of the action: the dispatcher has
// padded a shorter one with zeros, so reads at the arguments' offsets and sizes need no check. `size` is the size before the
// padding (for data of variable length behind the arguments). Returns 0 or a negative errno, which ends the tracer.
typedef int action_handler(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size);

// One for every kind of Action, named after its field: shim_action_<field>. Those that print nothing are in
// shim/actions_basic.c.
extern action_handler shim_action_exit;
extern action_handler shim_action_clear;
extern action_handler shim_action_zero;
extern action_handler shim_action_printf;
extern action_handler shim_action_print_map;
extern action_handler shim_action_print_value;
extern action_handler shim_action_time;
extern action_handler shim_action_join;
extern action_handler shim_action_cat;
extern action_handler shim_action_system;
extern action_handler shim_action_runtime_error;
extern action_handler shim_action_skb_output;
extern action_handler shim_action_unwind_refresh;
extern action_handler shim_action_unwatch;

// Prints one map with all its keys, as print(@map, top, div) does; 0 for "not given". Returns 0 or a negative errno.
// Named as a feature because a tracer whose script has no maps need not link it (`shim_print_map`).
int shim_print_map(struct tracer *tracer, const struct map *map, uint32_t top, uint32_t div);

#endif
