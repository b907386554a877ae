// Timers: a CPU clock on one CPU.
#include "shim/attach/attach.h"
#include "shim/host.h"

static int attach_interval(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  struct cpu_list online;
  int err = host_read_cpu_list("/sys/devices/system/cpu/online", &online);
  if (!err) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .sample_period = probe->interval->period_ns,
        .flags = PERF_ATTR_FLAG_DISABLED,
    };
    int fd = attach_perf_event(&attr, -1, (int)online.lowest, program_fd, 0);
    target->fd = fd;
    err = fd < 0 ? fd : 0;
  }
  if (err)
    attach_report(tracer, target, "interval", err);
  return err;
}

const struct attach_family shim_attach_interval = {.attach = attach_interval};
