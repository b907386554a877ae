#include "shim/attach/attach.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/load.h"
#include "shim/report.h"
#include "shim/small_printf.h"

// Features that may be missing: see features.h.
#pragma weak shim_attach_special
#pragma weak shim_attach_interval
#pragma weak shim_attach_tracepoint
#pragma weak shim_attach_kprobe
#pragma weak shim_attach_fentry
#pragma weak shim_attach_raw_tracepoint
#pragma weak shim_attach_perf_event
#pragma weak shim_attach_uprobe
#pragma weak shim_attach_usdt
#pragma weak shim_attach_watchpoint
#pragma weak shim_attach_iterator

static const struct attach_family *const families[] = {
    [PB_PROBE_ATTACH_SPECIAL] = &shim_attach_special,
    [PB_PROBE_ATTACH_INTERVAL] = &shim_attach_interval,
    [PB_PROBE_ATTACH_TRACEPOINT] = &shim_attach_tracepoint,
    [PB_PROBE_ATTACH_KPROBE] = &shim_attach_kprobe,
    [PB_PROBE_ATTACH_FENTRY] = &shim_attach_fentry,
    [PB_PROBE_ATTACH_RAW_TRACEPOINT] = &shim_attach_raw_tracepoint,
    [PB_PROBE_ATTACH_PERF_EVENT] = &shim_attach_perf_event,
    [PB_PROBE_ATTACH_UPROBE] = &shim_attach_uprobe,
    [PB_PROBE_ATTACH_USDT] = &shim_attach_usdt,
    [PB_PROBE_ATTACH_WATCHPOINT] = &shim_attach_watchpoint,
    [PB_PROBE_ATTACH_ITERATOR] = &shim_attach_iterator,
};

bool attach_is_linked(uint32_t attach_case) {
  return attach_case < sizeof(families) / sizeof(families[0]) && families[attach_case];
}

int attach_init(struct tracer *tracer) {
  uint32_t count = tracer->resources->probes_count;
  tracer->attachments = calloc(count ? count : 1, sizeof(*tracer->attachments));
  if (!tracer->attachments)
    return -ENOMEM;
  for (uint32_t i = 0; i < count; i++)
    tracer->attachments[i].fd = -1;
  return 0;
}

static bool may_be_missing(const struct tracer *tracer) {
  return tracer->resources->config->missing_probes != PB_MISSING_PROBES_ERROR;
}

int attach_prepare(struct tracer *tracer, uint32_t program, struct bpf_prog_load_attr *load) {
  int present = 0;
  for (uint32_t i = 0; i < tracer->resources->probes_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[i];
    if (probe->program != program)
      continue;
    const struct attach_family *family = families[probe->attach_case];
    int err = family->prepare ? family->prepare(tracer, probe, load) : 0;
    if (err && !(err == -ENOENT && may_be_missing(tracer)))
      return err;
    tracer->attachments[i].is_missing = err != 0;
    present += !err;
  }
  return present;
}

static bool runs_last_first(const struct pb_probe *probe) {
  const struct attach_family *family = families[probe->attach_case];
  return family->runs_last_first && family->runs_last_first(probe);
}

int attach_perf_event(struct perf_event_attr *attr, int cpu, int program_fd) {
  attr->size = sizeof(*attr);
  int fd = perf_event_open(attr, -1, cpu);
  if (fd < 0)
    return fd;
  // PERF_EVENT_IOC_SET_BPF works on every kernel; a perf link (5.15) would only add a second fd.
  if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd) < 0 || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
    int err = -errno;
    close(fd);
    return err;
  }
  return fd;
}

int attach_fail(const struct tracer *tracer, const struct pb_probe *probe, const char *component, int err, const char *cause,
                ...) {
  char text[256];
  if (cause) {
    va_list arguments;
    va_start(arguments, cause);
    small_vsnprintf(text, sizeof(text), cause, arguments);
    va_end(arguments);
  } else if (err == -ENOENT) {
    small_snprintf(text, sizeof(text), "not on this kernel (%s)", host_release());
  } else {
    small_snprintf(text, sizeof(text), "%s%s", report_cause(err), report_privilege_hint(err));
  }
  uint32_t missing_probes = tracer->resources->config->missing_probes;
  if (missing_probes == PB_MISSING_PROBES_ERROR || !(missing_probes == PB_MISSING_PROBES_IGNORE || tracer->options.no_warnings))
    report(missing_probes == PB_MISSING_PROBES_ERROR ? REPORT_ERROR : REPORT_WARNING, tracer->resources, probe->span,
           "%s: attach %s: %s", component, probe->name, text);
  return err;
}

static int attach_one(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  struct attachment *attachment = &tracer->attachments[index];
  if (attachment->is_missing)
    return 0;
  if (tracer->options.verbose)
    report_line("Attaching %s", probe->name);
  int err = families[probe->attach_case]->attach(tracer, probe, tracer->programs[probe->program].fd, attachment);
  attachment->is_attached = !err;
  return may_be_missing(tracer) ? 0 : err;
}

int attach_all(struct tracer *tracer) {
  uint32_t count = tracer->resources->probes_count;
  int err = 0, attached = 0;
  for (uint32_t i = 0; !err && i < count; i++)
    if (!runs_last_first(&tracer->resources->probes[i]))
      err = attach_one(tracer, i);
  for (uint32_t i = count; !err && i > 0; i--)
    if (runs_last_first(&tracer->resources->probes[i - 1]))
      err = attach_one(tracer, i - 1);
  if (err)
    return err;
  for (uint32_t i = 0; i < count; i++)
    attached += tracer->attachments[i].is_attached;
  if (attached)
    return attached;
  report(REPORT_ERROR, NULL, 0, "Attachment failed for all probes.");
  return -ENOENT;
}

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

void detach_all(struct tracer *tracer) {
  if (!tracer->attachments)
    return;
  // Closing the perf event of a tracepoint or kprobe waits for an RCU grace period (some 65 ms each, one after the other, since
  // the kernel holds a lock meanwhile). Timers are disabled first, so that they do not go on all that time. The others
  // run until they are closed: disabling stops an event's samples, not its program. (Links answer ENOTTY.)
  uint32_t count = tracer->resources->probes_count;
  for (uint32_t i = 0; i < count; i++) {
    struct attachment *attachment = &tracer->attachments[i];
    if (attachment->is_attached && attachment->fd >= 0)
      ioctl(attachment->fd, PERF_EVENT_IOC_DISABLE, 0);
    for (uint32_t j = 0; j < attachment->more_count; j++)
      ioctl(attachment->more[j], PERF_EVENT_IOC_DISABLE, 0);
  }
  for (uint32_t i = count; i > 0; i--) {
    struct attachment *attachment = &tracer->attachments[i - 1];
    if (attachment->is_attached)
      close_fd(&attachment->fd);
    for (uint32_t j = 0; j < attachment->more_count; j++)
      close_fd(&attachment->more[j]);
    free(attachment->more);
  }
  free(tracer->attachments);
  tracer->attachments = NULL;
}
