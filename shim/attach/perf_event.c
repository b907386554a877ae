// software, hardware and profile probes: one perf event on every CPU.
#include <errno.h>
#include <stdlib.h>

#include "shim/attach/attach.h"
#include "shim/command.h"
#include "shim/host.h"

// Opens the event on the CPUs that are online: those of the possible ones that do not answer ENODEV.
static int attach_cpus(const struct pb_perf_event *event, const struct cpu_list *possible, int pid, int program_fd,
                       struct target *target) {
  target->more = malloc((possible->highest + 1) * sizeof(*target->more));
  if (!target->more)
    return -ENOMEM;
  for (uint32_t cpu = possible->lowest; cpu <= possible->highest; cpu++) {
    struct perf_event_attr attr = {
        .type = event->perf_type,
        .config = event->perf_config,
        .sample_period = event->frequency ? event->frequency : event->period,
        .flags = PERF_ATTR_FLAG_DISABLED | (event->frequency ? PERF_ATTR_FLAG_FREQ : 0),
    };
    int fd = attach_perf_event(&attr, pid, (int)cpu, program_fd, 0);
    if (fd == -ENODEV)
      continue;
    if (fd < 0)
      return fd;
    target->more[target->more_count++] = fd;
  }
  return target->more_count ? 0 : -ENODEV;
}

static int attach_event(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  struct cpu_list possible;
  int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &possible);
  if (!err) {
    int pid = command_target_pid(tracer);
    err = attach_cpus(probe->perf_event, &possible, pid ? pid : -1, program_fd, target);
  }
  if (err)
    attach_report(tracer, target, "perf", err);
  return err;
}

const struct attach_family shim_attach_perf_event = {.attach = attach_event};
