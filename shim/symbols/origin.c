#include "shim/symbols/origin.h"

#include <limits.h>

#include "shim/demangle/demangle.h"
#include "shim/output/value.h"
#include "shim/user/path.h"

// Linked if the configuration wants names demangled: see features.h.
#pragma weak shim_demangle

const char *origin_name(const struct tracer *tracer, const char *name) {
  return tracer->resources->config->cpp_demangle && shim_demangle ? shim_demangle(name) : name;
}

// The binary of a uprobe.
static const char *program_of(const struct pb_required_resources *resources, uint64_t probe) {
  static char path[PATH_MAX];
  if (probe >= resources->probes_count || resources->probes[probe].attach_case != PB_PROBE_ATTACH_UPROBE)
    return NULL;
  return user_path_find(resources->probes[probe].uprobe->path, 0, path, sizeof(path)) ? NULL : path;
}

struct user_origin origin_read(const struct tracer *tracer, const uint8_t *data) {
  if (tracer->resources->config->cache_user_symbols == PB_SYMBOL_CACHE_NONE)
    user_places_forget();
  uint32_t pid = (uint32_t)load_unsigned(data, 4);
  user_process_refresh(pid);
  return (struct user_origin){pid, program_of(tracer->resources, load_unsigned(data + 4, 4))};
}
