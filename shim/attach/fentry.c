// fentry and fexit: tracing programs, bound to a function by its BTF id when they are loaded.
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"

static int expand_fentry(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct pb_fentry *fentry = probe->fentry;
  if (*fentry->module || fentry->bpf_program_id) {
    report(REPORT_ERROR, tracer->resources, probe->span, "fentry: attach %s: functions of %s are not supported yet", probe->name,
           *fentry->module ? fentry->module : "BPF programs");
    return -ENOTSUP;
  }
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe->span, "fentry: attach %s: /sys/kernel/btf/vmlinux: %s", probe->name,
           report_cause(err));
    return err == -ENOENT ? -ENODEV : err;
  }
  uint32_t id = btf_find(btf, fentry->function, strlen(fentry->function), 1u << BTF_KIND_FUNC, 0);
  return id ? target_add(tracer, index, probe->name, "", fentry->function, id) : -ENOENT;
}

static int prepare_fentry(struct tracer *tracer, const struct pb_probe *probe, const struct target *target,
                          struct bpf_prog_load_attr *load) {
  (void)tracer, (void)probe;
  load->attach_btf_id = (uint32_t)target->address;
  return 0;
}

static int attach_fentry(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct bpf_raw_tracepoint_attr attr = {.prog_fd = (uint32_t)program_fd};
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0) {
    attach_report(tracer, target, "fentry", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

static bool runs_last_first(const struct pb_probe *probe) {
  (void)probe;
  return true;
}

const struct attach_family shim_attach_fentry = {.runs_last_first = runs_last_first,
                                                 .expand = expand_fentry,
                                                 .loads_each = true,
                                                 .prepare = prepare_fentry,
                                                 .attach = attach_fentry};
