#include "shim/probe_filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "shim/attach/attach.h"
#include "shim/report.h"

static bool is_filtered(const struct pb_probe *probe) {
  if (probe->attach_case != PB_PROBE_ATTACH_SPECIAL)
    return true;
  return probe->special->kind == PB_SPECIAL_TEST || probe->special->kind == PB_SPECIAL_BENCH;
}

int shim_filter_targets(struct tracer *tracer, const char *filter) {
  regex_t expression;
  int err = regcomp(&expression, filter, REG_EXTENDED | REG_NOSUB);
  if (err) {
    char cause[128];
    regerror(err, &expression, cause, sizeof(cause));
    report(REPORT_ERROR, NULL, 0, "Invalid --probe-filter regex '%s': %s", filter, cause);
    return -EINVAL;
  }
  uint32_t kept = 0;
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    struct target *target = &tracer->targets[i];
    if (is_filtered(&tracer->resources->probes[target->probe]) && regexec(&expression, target->name, 0, NULL, 0))
      free(target->name);
    else
      tracer->targets[kept++] = *target;
  }
  tracer->targets_count = kept;
  regfree(&expression);
  return 0;
}
