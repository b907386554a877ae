// What happens when an event arrives: the table of handlers.
#ifndef SHIM_ACTIONS_H
#define SHIM_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/output/output.h"

// Whether the handler of Action.kind `kind_case` is in this executable.
bool action_is_linked(uint32_t kind_case);

// Runs the action of one event. `event` holds at least action_event_size() bytes.
action_handler action_run;

#endif
