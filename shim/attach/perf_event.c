// software, hardware and profile probes: one perf event on every CPU.
#include <errno.h>
#include <stdlib.h>

#include "shim/attach/attach.h"
#include "shim/host.h"

// Opens the event on the CPUs that are online: those of the possible ones that do not answer ENODEV.
static int attach_cpus(const struct pb_perf_event *event, const struct cpu_list *possible, int program_fd,
                       struct attachment *attachment) {
  attachment->more = malloc((possible->highest + 1) * sizeof(*attachment->more));
  if (!attachment->more)
    return -ENOMEM;
  for (uint32_t cpu = possible->lowest; cpu <= possible->highest; cpu++) {
    struct perf_event_attr attr = {
        .type = event->perf_type,
        .config = event->perf_config,
        .sample_period = event->frequency ? event->frequency : event->period,
        .flags = PERF_ATTR_FLAG_DISABLED | (event->frequency ? PERF_ATTR_FLAG_FREQ : 0),
    };
    int fd = attach_perf_event(&attr, (int)cpu, program_fd);
    if (fd == -ENODEV)
      continue;
    if (fd < 0)
      return fd;
    attachment->more[attachment->more_count++] = fd;
  }
  return attachment->more_count ? 0 : -ENODEV;
}

static int attach_event(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  struct cpu_list possible;
  int err = host_read_cpu_list("/sys/devices/system/cpu/possible", &possible);
  if (!err)
    err = attach_cpus(probe->perf_event, &possible, program_fd, attachment);
  return err ? attach_fail(tracer, probe, "perf", err, NULL) : 0;
}

const struct attach_family shim_attach_perf_event = {.attach = attach_event};
