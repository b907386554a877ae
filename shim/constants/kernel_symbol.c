// Addresses of kernel symbols (kaddr), from /proc/kallsyms.
#include <errno.h>

#include "shim/constants.h"
#include "shim/kallsyms.h"
#include "shim/host.h"
#include "shim/report.h"

static int resolve_symbol(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  const char *name = constant->kernel_symbol->name;
  int err = kallsyms_find(name, &value->immediate);
  if (err == -ENOENT)
    report(REPORT_ERROR, tracer->resources, constant->span, "kallsyms: find %s: not on this kernel (%s)", name, host_release());
  else if (err)
    report(REPORT_ERROR, tracer->resources, constant->span, "kallsyms: find %s: %s%s", name, report_cause(err),
           err == -EACCES ? ": addresses are hidden (kernel.kptr_restrict)" : "");
  return err;
}

const struct constant_family shim_constant_kernel_symbol = {.resolve = resolve_symbol};
