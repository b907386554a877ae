// Watchpoints: the processor's debug registers, on every CPU or in one process.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/command.h"
#include "shim/host.h"

enum { HW_BREAKPOINT_R = 1, HW_BREAKPOINT_W = 2, HW_BREAKPOINT_X = 4 };  // linux/hw_breakpoint.h

static void describe(const struct pb_watchpoint *watchpoint, struct perf_event_attr *attr) {
  uint32_t kinds = 0;
  for (const char *mode = watchpoint->mode; *mode; mode++)
    kinds |= *mode == 'r' ? HW_BREAKPOINT_R : *mode == 'w' ? HW_BREAKPOINT_W : HW_BREAKPOINT_X;
  *attr = (struct perf_event_attr){
      .type = PERF_TYPE_BREAKPOINT,
      .sample_period = 1,
      .flags = PERF_ATTR_FLAG_DISABLED,
      .bp_type = kinds,
      .config1 = watchpoint->address,
      // The kernel wants the size of a long for an instruction.
      .config2 = kinds & HW_BREAKPOINT_X ? sizeof(long) : watchpoint->length,
  };
}

static int attach_cpus(const struct pb_watchpoint *watchpoint, int program_fd, struct target *target) {
  struct cpu_list possible;
  int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &possible);
  if (err)
    return err;
  target->more = malloc((possible.highest + 1) * sizeof(*target->more));
  if (!target->more)
    return -ENOMEM;
  for (uint32_t cpu = possible.lowest; cpu <= possible.highest; cpu++) {
    struct perf_event_attr attr;
    describe(watchpoint, &attr);
    int fd = attach_perf_event(&attr, -1, (int)cpu, program_fd, 0);
    if (fd == -ENODEV)  // offline
      continue;
    if (fd < 0)
      return fd;
    target->more[target->more_count++] = fd;
  }
  return 0;
}

static int attach_watchpoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  int pid = command_target_pid(tracer);
  int err = 0;
  if (pid) {
    struct perf_event_attr attr;
    describe(probe->watchpoint, &attr);
    target->fd = attach_perf_event(&attr, pid, -1, program_fd, 0);
    err = target->fd < 0 ? target->fd : 0;
  } else {
    err = attach_cpus(probe->watchpoint, program_fd, target);
  }
  if (err == -ENOSPC)
    attach_report_cause(tracer, target, "watchpoint", "no debug register is free");
  else if (err)
    attach_report(tracer, target, "watchpoint", err);
  return err;
}

const struct attach_family shim_attach_watchpoint = {.attach = attach_watchpoint};
