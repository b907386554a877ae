// kprobe and kretprobe, through the perf PMU "kprobe"; see kprobe_multi.c for many at once.
#include <errno.h>

#include "shim/attach/attach.h"
#include "shim/attach/kprobe_multi.h"
#include "shim/attach/pmu.h"
#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static int expand_kprobe(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct pb_kprobe *kprobe = probe->kprobe;
  if (kprobe->session != PB_KPROBE_NO_SESSION && kprobe_multi_has_sessions() != (kprobe->session == PB_KPROBE_SESSION))
    return 0;  // the other way to trace them is taken
  // To look the function up first would cost more than to attach: that is for those who want to go on without it.
  bool is_checked = *kprobe->function && tracer->resources->config->missing_probes != PB_MISSING_PROBES_ERROR;
  if (probe->has_wildcard || is_checked)
    return kprobe_expand(tracer, index);
  return target_add(tracer, index, probe->name, kprobe->module, kprobe->function, kprobe->address);
}

static int open_event(const struct tracer *tracer, const struct pb_probe *probe, int program_fd, const struct target *target) {
  const struct pb_kprobe *kprobe = probe->kprobe;
  struct perf_event_attr attr = {.sample_period = 1, .flags = PERF_ATTR_FLAG_DISABLED};
  int err = pmu_describe("kprobe", kprobe->is_return, &attr);
  if (err)
    return err;
  char name[700];
  if (*target->group)
    small_snprintf(name, sizeof(name), "%s:%s", target->group, target->symbol);
  else
    small_snprintf(name, sizeof(name), "%s", target->symbol);
  attr.config1 = *target->symbol ? bpf_pointer(name) : 0;
  attr.config2 = *target->symbol ? kprobe->offset : kprobe->address;
  // On CPU 0, yet for all: with a program attached the kernel runs it before it looks at the event's CPU.
  return attach_perf_event(&attr, -1, 0, program_fd, attach_cookie(tracer, target));
}

static int attach_kprobe(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  int fd = open_event(tracer, probe, program_fd, target);
  char cause[128];
  if (fd == -EOPNOTSUPP) {
    small_snprintf(cause, sizeof(cause), "this kernel (%s) was built without kprobes", host_release());
    attach_report_cause(tracer, target, "kprobe", cause);
  } else if (fd == -EILSEQ) {
    if (tracer->resources->config->missing_probes != PB_MISSING_PROBES_IGNORE)
      report(REPORT_ERROR, NULL, 0, "Possible attachment attempt in the middle of an instruction, try a different offset.");
  } else if (fd == -EADDRNOTAVAIL || fd == -EINVAL) {
    small_snprintf(cause, sizeof(cause), "this function cannot be traced on this kernel (%s)", host_release());
    attach_report_cause(tracer, target, "kprobe", cause);
  } else if (fd < 0) {
    attach_report(tracer, target, "kprobe", fd);
  }
  if (fd < 0)
    return fd;
  target->fd = fd;
  return 0;
}

static bool runs_last_first(const struct pb_probe *probe) {
  return !probe->kprobe->is_return;
}

const struct attach_family shim_attach_kprobe = {
    .runs_last_first = runs_last_first,
    .expand = expand_kprobe,
    .has_one_link = kprobe_multi_has_one_link,
    .prepare = kprobe_multi_prepare,
    .attach = attach_kprobe,
    .attach_many = kprobe_multi_attach,
};
