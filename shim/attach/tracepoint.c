// Tracepoints: a perf event with the id that tracefs gives.
#include <errno.h>
#include <stdlib.h>

#include "shim/attach/attach.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

// Returns the id, or a negative errno: -ENOENT if this kernel has no such tracepoint, -ENODEV without tracefs.
static int64_t read_id(const struct pb_tracepoint *tracepoint) {
  const char *tracefs = host_tracefs();
  char path[256], *text;
  size_t size;
  if (!tracefs)
    return -ENODEV;
  small_snprintf(path, sizeof(path), "%s/events/%s/%s/id", tracefs, tracepoint->category, tracepoint->event);
  int err = host_read_file(path, &text, &size);
  if (err)
    return err;
  int64_t id = strtol(text, NULL, 10);
  free(text);
  return id > 0 ? id : -EINVAL;
}

static int report_problem(const struct tracer *tracer, const struct pb_probe *probe, int err) {
  static const char no_tracefs[] = "tracefs is not mounted (mount -t tracefs tracefs /sys/kernel/tracing)";
  return attach_fail(tracer, probe, "tracepoint", err, err == -ENODEV ? "%s" : NULL, no_tracefs);
}

static int prepare_tracepoint(struct tracer *tracer, const struct pb_probe *probe, struct bpf_prog_load_attr *load) {
  (void)load;
  int64_t id = read_id(probe->tracepoint);
  return id < 0 ? report_problem(tracer, probe, (int)id) : 0;
}

static int attach_tracepoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  int64_t id = read_id(probe->tracepoint);
  if (id < 0)
    return report_problem(tracer, probe, (int)id);
  struct perf_event_attr attr = {
      .type = PERF_TYPE_TRACEPOINT,
      .config = (uint64_t)id,
      .sample_period = 1,
      .flags = PERF_ATTR_FLAG_DISABLED,
  };
  // On CPU 0, yet for all: with a program attached the kernel runs it before it looks at the event's CPU.
  int fd = attach_perf_event(&attr, 0, program_fd);
  if (fd < 0)
    return report_problem(tracer, probe, fd);
  attachment->fd = fd;
  return 0;
}

const struct attach_family shim_attach_tracepoint = {.prepare = prepare_tracepoint, .attach = attach_tracepoint};
