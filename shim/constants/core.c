// CO-RE: left to the kernel where it can (5.17 and newer), else resolved here.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/bpf.h"
#include "shim/btf.h"
#include "shim/constants.h"
#include "shim/core_relo.h"
#include "shim/report.h"
#include "shim/small_printf.h"


// BPF_PROG_LOAD without instructions always fails; with a field that the kernel does not know, with E2BIG.
static bool kernel_applies_relocations(void) {
  if (getenv("BPFTRACE_USERSPACE_CORE"))  // so that tests reach the resolver on new kernels
    return false;
  struct bpf_prog_load_attr attr = {.core_relo_rec_size = sizeof(struct bpf_core_relo)};
  return bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr)) != -E2BIG;
}

static int resolve_core(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  static enum { UNKNOWN, KERNEL, USER_SPACE } resolver;
  if (resolver == UNKNOWN)
    resolver = kernel_applies_relocations() ? KERNEL : USER_SPACE;
  if (resolver == KERNEL) {
    tracer->kernel_applies_core = true;
    value->state = CONSTANT_KERNEL;
    return 0;
  }
  const char *what = constant->core->description;
  const struct btf *kernel;
  int err = btf_open_kernel(&kernel);
  if (err) {
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: resolve %s: /sys/kernel/btf/vmlinux: %s", what,
           report_cause(err));
    return err;
  }
  struct btf local;
  struct core_result result;
  err = btf_index(&local, tracer->resources->btf.data, tracer->resources->btf.size);  // small: indexing it is nothing
  if (!err)
    err = core_relo_resolve(&local, kernel, constant->core, &result);
  btf_close(&local);
  if (err) {
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: resolve %s: %s", what,
           err == -ENOTUNIQ ? "this kernel has several types of that name" : report_cause(err));
    return err;
  }
  value->state = result.is_absent ? CONSTANT_ABSENT : CONSTANT_IMMEDIATE;
  value->immediate = result.value;
  return 0;
}

static void describe_core(struct tracer *tracer, const struct pb_constant *constant, char *text, uint32_t size) {
  (void)tracer;
  small_snprintf(text, size, "btf: resolve %s: it", constant->core->description);
}

const struct constant_family shim_constant_core = {.resolve = resolve_core, .describe = describe_core};
