// The actions that print nothing: exit, clear, zero.
#include <string.h>

#include "shim/output/output.h"
#include "shim/report.h"

int shim_action_exit(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  const struct pb_argument *code = action->exit->code;
  if (code) {
    // Little-endian, as both supported architectures are: the low bytes come first.
    int64_t value = 0;
    memcpy(&value, event + code->offset, tracer->resources->types[code->type].size);
    tracer->exit_code = (int)value;
  }
  tracer->exiting = true;
  return 0;
}

static int change_map(struct tracer *tracer, const struct pb_action *action, uint32_t index, const char *verb,
                      int (*change)(const struct map *map)) {
  const struct map *map = &tracer->maps[index];
  int err = change(map);
  if (err)
    report(REPORT_ERROR, tracer->resources, action->span, "map: %s %s: %s", verb, map->info->name, report_cause(err));
  return 0;  // the tracer goes on, as it does after other run-time errors
}

int shim_action_clear(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)event, (void)size;
  return change_map(tracer, action, action->clear->map, "clear", map_clear);
}

int shim_action_zero(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)event, (void)size;
  return change_map(tracer, action, action->zero->map, "zero", map_zero);
}
