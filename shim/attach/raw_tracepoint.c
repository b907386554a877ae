// Raw tracepoints: by name. Their names are in the kernel's BTF, as typedefs btf_trace_<name>.
#include <errno.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static const char prefix[] = "btf_trace_";

static int expand_raw_tracepoint(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct pb_raw_tracepoint *tracepoint = probe->raw_tracepoint;
  if (!probe->has_wildcard)
    return target_add(tracer, index, probe->name, tracepoint->module, tracepoint->event, 0);
  if (*tracepoint->module && !target_matches(tracepoint->module, "vmlinux"))
    return -ENOENT;
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (err) {
    report(REPORT_ERROR, tracer->resources, probe->span, "rawtracepoint: attach %s: /sys/kernel/btf/vmlinux: %s", probe->name,
           report_cause(err));
    return -ENODEV;
  }
  uint32_t first = tracer->targets_count;
  for (uint32_t id = 1; !err && id < btf->count; id++) {
    const struct btf_type *type = btf_type(btf, id);
    const char *name = btf_kind(type) == BTF_KIND_TYPEDEF ? btf_string(btf, type->name_off) : "";
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || !target_matches(tracepoint->event, name + sizeof(prefix) - 1))
      continue;
    char full[256];
    small_snprintf(full, sizeof(full), "rawtracepoint:vmlinux:%s", name + sizeof(prefix) - 1);
    err = target_add(tracer, index, full, "", name + sizeof(prefix) - 1, 0);
  }
  return err ? err : tracer->targets_count > first ? 0 : -ENOENT;
}

static int attach_raw_tracepoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  struct bpf_raw_tracepoint_attr attr = {.name = bpf_pointer(target->symbol), .prog_fd = (uint32_t)program_fd};
  int fd = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
  if (fd < 0) {
    attach_report(tracer, target, "rawtracepoint", fd);
    return fd;
  }
  target->fd = fd;
  return 0;
}

const struct attach_family shim_attach_raw_tracepoint = {
    .expand = expand_raw_tracepoint, .loads_each = attach_loads_each_for_cookie, .attach = attach_raw_tracepoint};
