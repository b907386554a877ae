// BEGIN, END and self:signal: raw_tracepoint programs that the tracer runs itself. (It does so with tests and benchmarks too: see
// testing.c.)
#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/load.h"
#include "shim/report.h"

// Nothing to hold on to: they run when their time comes.
static int attach_special(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)program_fd;
  (void)tracer, (void)probe, (void)target;
  return 0;
}

int shim_run_special(struct tracer *tracer, uint32_t kind) {
  for (uint32_t i = 0; i < tracer->resources->probes_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[i];
    bool is_loaded = tracer->programs[probe->program].fd >= 0;
    if (probe->attach_case != PB_PROBE_ATTACH_SPECIAL || probe->special->kind != kind || !is_loaded)
      continue;
    int err = bpf_program_run(tracer->programs[probe->program].fd);
    if (err) {
      report(REPORT_ERROR, tracer->resources, probe->span, "special: run %s: %s", probe->name, report_cause(err));
      return err;
    }
  }
  return 0;
}

const struct attach_family shim_attach_special = {.attach = attach_special};
