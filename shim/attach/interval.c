// Timers: a CPU clock on one CPU.
#include "shim/attach/attach.h"
#include "shim/host.h"

static int attach_interval(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  struct cpu_list online;
  int err = host_read_cpu_list("/sys/devices/system/cpu/online", &online);
  if (!err) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .sample_period = probe->interval->period_ns,
        .flags = PERF_ATTR_FLAG_DISABLED,
    };
    int fd = attach_perf_event(&attr, (int)online.lowest, program_fd);
    attachment->fd = fd;
    err = fd < 0 ? fd : 0;
  }
  return err ? attach_fail(tracer, probe, "interval", err, NULL) : 0;
}

const struct attach_family shim_attach_interval = {.attach = attach_interval};
