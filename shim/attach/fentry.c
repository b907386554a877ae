// fentry and fexit: tracing programs, bound to a function by its BTF id when they are loaded.
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"

static int prepare_fentry(struct tracer *tracer, const struct pb_probe *probe, struct bpf_prog_load_attr *load) {
  const struct pb_fentry *fentry = probe->fentry;
  if (*fentry->module || fentry->bpf_program_id) {
    return attach_fail(tracer, probe, "fentry", -ENOTSUP, "functions of %s are not supported yet",
                       *fentry->module ? fentry->module : "BPF programs");
  }
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (err)
    return attach_fail(tracer, probe, "fentry", err, "/sys/kernel/btf/vmlinux: %s", report_cause(err));
  load->attach_btf_id = btf_find(btf, fentry->function, strlen(fentry->function), 1u << BTF_KIND_FUNC, 0);
  return load->attach_btf_id ? 0 : attach_fail(tracer, probe, "fentry", -ENOENT, NULL);
}

static int attach_fentry(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  struct bpf_raw_tracepoint_attr attr = {.prog_fd = (uint32_t)program_fd};
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0)
    return attach_fail(tracer, probe, "fentry", fd, NULL);
  attachment->fd = fd;
  return 0;
}

static bool runs_last_first(const struct pb_probe *probe) {
  (void)probe;
  return true;
}

const struct attach_family shim_attach_fentry = {
    .runs_last_first = runs_last_first, .prepare = prepare_fentry, .attach = attach_fentry};
