// unwatch(address): detaches the watchpoints of an address.
#include <stdbool.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/output/output.h"
#include "shim/report.h"

int shim_action_unwatch(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  uint64_t address;
  memcpy(&address, event + action->unwatch->address->offset, sizeof(address));
  bool found = false;
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    struct target *target = &tracer->targets[i];
    const struct pb_probe *probe = &tracer->resources->probes[target->probe];
    if (probe->attach_case != PB_PROBE_ATTACH_WATCHPOINT || probe->watchpoint->address != address)
      continue;
    found = true;
    detach_target(target);
  }
  // One that has been detached is no mistake: until then, its probe may have called unwatch() any number of times.
  if (!found && !tracer->options.no_warnings)
    report(REPORT_WARNING, tracer->resources, action->span, "unwatch: no watchpoint has the address 0x%llx",
           (unsigned long long)address);
  return 0;
}
