#include "shim/actions.h"

#include <stdlib.h>
#include <string.h>

#include "shim/payload.h"
#include "shim/report.h"

// Features that may be missing: see features.h.
#pragma weak shim_action_printf
#pragma weak shim_action_print_map
#pragma weak shim_action_print_value
#pragma weak shim_action_clear
#pragma weak shim_action_zero
#pragma weak shim_action_exit
#pragma weak shim_action_time
#pragma weak shim_action_join
#pragma weak shim_action_cat
#pragma weak shim_action_system
#pragma weak shim_action_runtime_error
#pragma weak shim_action_skb_output
#pragma weak shim_action_unwind_refresh
#pragma weak shim_action_unwatch

static action_handler *const handlers[] = {
    [PB_ACTION_KIND_PRINTF] = shim_action_printf,
    [PB_ACTION_KIND_PRINT_MAP] = shim_action_print_map,
    [PB_ACTION_KIND_PRINT_VALUE] = shim_action_print_value,
    [PB_ACTION_KIND_CLEAR] = shim_action_clear,
    [PB_ACTION_KIND_ZERO] = shim_action_zero,
    [PB_ACTION_KIND_EXIT] = shim_action_exit,
    [PB_ACTION_KIND_TIME] = shim_action_time,
    [PB_ACTION_KIND_JOIN] = shim_action_join,
    [PB_ACTION_KIND_CAT] = shim_action_cat,
    [PB_ACTION_KIND_SYSTEM] = shim_action_system,
    [PB_ACTION_KIND_RUNTIME_ERROR] = shim_action_runtime_error,
    [PB_ACTION_KIND_SKB_OUTPUT] = shim_action_skb_output,
    [PB_ACTION_KIND_UNWIND_REFRESH] = shim_action_unwind_refresh,
    [PB_ACTION_KIND_UNWATCH] = shim_action_unwatch,
};

bool action_is_linked(uint32_t kind_case) {
  return kind_case < sizeof(handlers) / sizeof(handlers[0]) && handlers[kind_case];
}

int action_run(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  return handlers[action->kind_case](tracer, action, event, size);
}

static void extend(uint64_t *end, const struct pb_required_resources *resources, const struct pb_argument *argument) {
  if (!argument)
    return;
  uint64_t argument_end = (uint64_t)argument->offset + resources->types[argument->type].size;
  if (argument_end > *end)
    *end = argument_end;
}

static void extend_format(uint64_t *end, const struct pb_required_resources *resources, const struct pb_format *format) {
  for (uint32_t i = 0; i < format->pieces_count; i++) {
    extend(end, resources, format->pieces[i].argument);
  }
}

uint64_t action_event_size(const struct pb_required_resources *resources, const struct pb_action *action) {
  uint64_t end = EVENT_HEADER_SIZE;
  switch (action->kind_case) {
    case PB_ACTION_KIND_PRINTF:
      extend_format(&end, resources, action->printf->format);
      break;
    case PB_ACTION_KIND_PRINT_MAP:
      end += 2 * sizeof(uint32_t);  // top, div
      break;
    case PB_ACTION_KIND_PRINT_VALUE:
      extend(&end, resources, action->print_value->argument);
      break;
    case PB_ACTION_KIND_EXIT:
      extend(&end, resources, action->exit->code);
      break;
    case PB_ACTION_KIND_UNWATCH:
      extend(&end, resources, action->unwatch->address);
      break;
    case PB_ACTION_KIND_JOIN: {
      // The product of two u32 can wrap only together with the offset: keep it apart.
      uint64_t strings = (uint64_t)action->join->count * action->join->size;
      end = strings > EVENT_SIZE_LIMIT ? UINT64_MAX : action->join->offset + strings;
      break;
    }
    case PB_ACTION_KIND_CAT:
      extend_format(&end, resources, action->cat->path);
      break;
    case PB_ACTION_KIND_SYSTEM:
      extend_format(&end, resources, action->system->command);
      break;
    case PB_ACTION_KIND_RUNTIME_ERROR:
      extend(&end, resources, action->runtime_error->result);
      break;
    case PB_ACTION_KIND_SKB_OUTPUT:
      end += 2 * sizeof(uint64_t);  // time, captured, length
      break;
    case PB_ACTION_KIND_UNWIND_REFRESH:
      end += sizeof(uint64_t);  // process id
      break;
    default:
      break;
  }
  return end;
}
