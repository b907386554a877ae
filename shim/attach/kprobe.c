// kprobe and kretprobe, through the perf PMU "kprobe" (4.17 and newer).
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

// The PMU's type is assigned at boot; bit `retprobe` of the config is where its format file says ("config:0").
static int read_number(const char *path, const char *prefix) {
  char *text;
  size_t size;
  int number;
  int err = host_read_file(path, &text, &size);
  if (err)
    return err;
  size_t skipped = strlen(prefix);
  number = strncmp(text, prefix, skipped) ? -EINVAL : atoi(text + skipped);
  free(text);
  return number;
}

static int open_event(const struct pb_kprobe *kprobe, int program_fd) {
  int type = read_number("/sys/bus/event_source/devices/kprobe/type", "");
  int retprobe = kprobe->is_return ? read_number("/sys/bus/event_source/devices/kprobe/format/retprobe", "config:") : 0;
  if (type < 0)
    return type == -ENOENT ? -EOPNOTSUPP : type;
  if (retprobe < 0)
    return retprobe;
  char name[256];
  if (*kprobe->module)
    small_snprintf(name, sizeof(name), "%s:%s", kprobe->module, kprobe->function);
  else
    small_snprintf(name, sizeof(name), "%s", kprobe->function);
  struct perf_event_attr attr = {
      .type = (uint32_t)type,
      .config = kprobe->is_return ? 1ull << retprobe : 0,
      .sample_period = 1,
      .flags = PERF_ATTR_FLAG_DISABLED,
      .config1 = *kprobe->function ? bpf_pointer(name) : 0,
      .config2 = *kprobe->function ? kprobe->offset : kprobe->address,
  };
  // On CPU 0, yet for all: with a program attached the kernel runs it before it looks at the event's CPU.
  return attach_perf_event(&attr, 0, program_fd);
}

static int attach_kprobe(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct attachment *attachment) {
  int fd = open_event(probe->kprobe, program_fd);
  if (fd == -EOPNOTSUPP)
    return attach_fail(tracer, probe, "kprobe", fd, "this kernel (%s) was built without kprobes", host_release());
  if (fd == -EADDRNOTAVAIL || fd == -EINVAL)
    return attach_fail(tracer, probe, "kprobe", fd, "this function cannot be traced on this kernel (%s)", host_release());
  if (fd < 0)
    return attach_fail(tracer, probe, "kprobe", fd, NULL);
  attachment->fd = fd;
  return 0;
}

static bool runs_last_first(const struct pb_probe *probe) {
  return !probe->kprobe->is_return;
}

const struct attach_family shim_attach_kprobe = {.runs_last_first = runs_last_first, .attach = attach_kprobe};
