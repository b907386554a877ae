// Raw tracepoints, with BTF-typed arguments or without.
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static int prepare_raw_tracepoint(struct tracer *tracer, const struct pb_probe *probe, struct bpf_prog_load_attr *load) {
  const struct pb_raw_tracepoint *tracepoint = probe->raw_tracepoint;
  if (!tracepoint->has_btf)
    return 0;
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (err)
    return attach_fail(tracer, probe, "rawtracepoint", err, "/sys/kernel/btf/vmlinux: %s", report_cause(err));
  // The kernel describes the arguments of tracepoint E by the typedef btf_trace_E.
  char name[128];
  small_snprintf(name, sizeof(name), "btf_trace_%s", tracepoint->event);
  load->attach_btf_id = btf_find(btf, name, strlen(name), 1u << BTF_KIND_TYPEDEF, 0);
  return load->attach_btf_id ? 0 : attach_fail(tracer, probe, "rawtracepoint", -ENOENT, NULL);
}

static int attach_raw_tracepoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd,
                                 struct attachment *attachment) {
  const struct pb_raw_tracepoint *tracepoint = probe->raw_tracepoint;
  struct bpf_raw_tracepoint_attr attr = {
      .name = tracepoint->has_btf ? 0 : bpf_pointer(tracepoint->event),
      .prog_fd = (uint32_t)program_fd,
  };
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0)
    return attach_fail(tracer, probe, "rawtracepoint", fd, NULL);
  attachment->fd = fd;
  return 0;
}

const struct attach_family shim_attach_raw_tracepoint = {.prepare = prepare_raw_tracepoint, .attach = attach_raw_tracepoint};
