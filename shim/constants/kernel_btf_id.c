// BTF ids in the kernel: variables (their address is the verifier's business) and kfuncs.
#include <errno.h>
#include <string.h>

#include "shim/btf.h"
#include "shim/constants.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static int find_id(struct tracer *tracer, const struct pb_constant *constant, const char *name, uint32_t kind, uint32_t *id) {
  const struct btf *btf;
  int err = btf_open_kernel(&btf);
  if (!err) {
    *id = btf_find(btf, name, strlen(name), 1u << kind, 0);
    err = *id ? 0 : -ENOENT;
  }
  if (err == -ENOENT && kind == BTF_KIND_FUNC)
    return err;  // resolve_kfunc() knows what to do
  if (err == -ENOENT)
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: find %s: not on this kernel (%s)", name, host_release());
  else if (err)
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: find %s: %s", name, report_cause(err));
  return err;
}

static int resolve_variable(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  uint32_t id = 0;
  int err = find_id(tracer, constant, constant->kernel_variable->name, BTF_KIND_VAR, &id);
  value->source = BPF_PSEUDO_BTF_ID;
  value->immediate = id;
  return err;
}

static int resolve_kfunc(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  const struct pb_kfunc *kfunc = constant->kfunc;
  if (*kfunc->module) {
    report(REPORT_ERROR, tracer->resources, constant->span, "btf: find kfunc %s of module %s: modules are not supported yet",
           kfunc->name, kfunc->module);
    return -ENOTSUP;
  }
  uint32_t id = 0;
  int err = find_id(tracer, constant, kfunc->name, BTF_KIND_FUNC, &id);
  value->state = err ? CONSTANT_ABSENT : CONSTANT_CALL;
  value->immediate = id;
  return err == -ENOENT ? 0 : err;
}

static void describe_kfunc(struct tracer *tracer, const struct pb_constant *constant, char *text, uint32_t size) {
  (void)tracer;
  small_snprintf(text, size, "btf: find %s: it", constant->kfunc->name);
}

const struct constant_family shim_constant_kernel_variable = {.resolve = resolve_variable};
const struct constant_family shim_constant_kfunc = {.resolve = resolve_kfunc, .describe = describe_kfunc};
