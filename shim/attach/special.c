// BEGIN and END: raw_tracepoint programs that the tracer runs itself.
#include <errno.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/load.h"
#include "shim/report.h"

static int prepare_special(struct tracer *tracer, const struct pb_probe *probe, struct bpf_prog_load_attr *load) {
  (void)load;
  uint32_t kind = probe->special->kind;
  if (kind == PB_SPECIAL_BEGIN || kind == PB_SPECIAL_END)
    return 0;
  return attach_fail(tracer, probe, "special", -ENOTSUP, "not supported yet");
}

// Nothing to hold on to: they run when their time comes.
static int attach_special(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  (void)tracer, (void)probe, (void)program_fd, (void)attachment;
  return 0;
}

int shim_run_special(struct tracer *tracer, uint32_t kind) {
  for (uint32_t i = 0; i < tracer->resources->probes_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[i];
    if (probe->attach_case != PB_PROBE_ATTACH_SPECIAL || probe->special->kind != kind)
      continue;
    int err = bpf_program_run(tracer->programs[probe->program].fd);
    if (err) {
      report(REPORT_ERROR, tracer->resources, probe->span, "special: run %s: %s", probe->name, report_cause(err));
      return err;
    }
  }
  return 0;
}

const struct attach_family shim_attach_special = {.prepare = prepare_special, .attach = attach_special};
