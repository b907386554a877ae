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

static int report_btf(const struct tracer *tracer, const struct pb_constant *constant, const char *name, int err) {
  report(REPORT_ERROR, tracer->resources, constant->span, "btf: resolve %s: /sys/kernel/btf/%s: %s", constant->core->description, name,
         report_cause(err));
  return err;
}

static int resolve_in(const struct tracer *tracer, const struct pb_constant *constant, const struct btf *target,
                      struct constant_value *value) {
  struct btf local;
  struct core_result result;
  int err = btf_index(&local, tracer->resources->btf.data, tracer->resources->btf.size);  // small: indexing it is nothing
  if (!err)
    err = core_relo_resolve(&local, target, constant->core, &result);
  btf_close(&local);
  if (err) {
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: resolve %s: %s", constant->core->description,
           err == -ENOTUNIQ ? "this kernel has several types of that name" : report_cause(err));
    return err;
  }
  value->state = result.is_absent ? CONSTANT_ABSENT : CONSTANT_IMMEDIATE;
  value->immediate = result.value;
  return 0;
}

// Always here: 6.12 finds no types of modules when it applies relocations. Sets `is_found` to whether there is such a module; if
// not, it may be a part of the kernel.
static int resolve_in_module(const struct tracer *tracer, const struct pb_constant *constant, const struct btf *kernel,
                             struct constant_value *value, bool *is_found) {
  const char *name = constant->core->module;
  struct btf module;
  int err = btf_open_module(name, kernel, &module);
  *is_found = err != -ENOENT;
  if (err)
    return *is_found ? report_btf(tracer, constant, name, err) : 0;
  err = resolve_in(tracer, constant, &module, value);
  btf_close(&module);
  return err;
}

static int resolve_core(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  static enum { UNKNOWN, KERNEL, USER_SPACE } resolver;
  if (resolver == UNKNOWN)
    resolver = kernel_applies_relocations() ? KERNEL : USER_SPACE;
  bool is_of_module = *constant->core->module;
  const struct btf *kernel;
  int err = is_of_module || resolver == USER_SPACE ? btf_open_kernel(&kernel) : 0;
  if (err)
    return report_btf(tracer, constant, "vmlinux", err);
  if (is_of_module)
    err = resolve_in_module(tracer, constant, kernel, value, &is_of_module);
  if (err || is_of_module)
    return err;
  if (resolver == USER_SPACE)
    return resolve_in(tracer, constant, kernel, value);
  tracer->kernel_applies_core = true;
  value->state = CONSTANT_KERNEL;
  return 0;
}

static void describe_core(struct tracer *tracer, const struct pb_constant *constant, char *text, uint32_t size) {
  (void)tracer;
  small_snprintf(text, size, "btf: resolve %s: it", constant->core->description);
}

const struct constant_family shim_constant_core = {.resolve = resolve_core, .describe = describe_core};
