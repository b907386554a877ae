// Constants that the tracer knows without asking the host: its maps and its command line.
#include "shim/constants.h"
#include "shim/parameters.h"

static int resolve_map(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  value->source = BPF_PSEUDO_MAP_FD;
  value->immediate = (uint32_t)tracer->maps[constant->map->map].fd;
  return 0;
}

static int resolve_map_value(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  value->source = BPF_PSEUDO_MAP_VALUE;
  value->immediate = (uint32_t)tracer->maps[constant->map_value->map].fd | (uint64_t)constant->map_value->offset << 32;
  return 0;
}

static int resolve_parameter(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  value->immediate = (uint64_t)tracer->parameters[constant->parameter->parameter].integer;
  return 0;
}

const struct constant_family shim_constant_map = {.resolve = resolve_map};
const struct constant_family shim_constant_map_value = {.resolve = resolve_map_value};
const struct constant_family shim_constant_parameter = {.resolve = resolve_parameter};
