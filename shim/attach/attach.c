#include "shim/attach/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
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
#pragma weak shim_attach_late

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
    [PB_PROBE_ATTACH_LATE] = &shim_attach_late,
};

bool attach_is_linked(uint32_t attach_case) {
  return attach_case < sizeof(families) / sizeof(families[0]) && families[attach_case];
}

const struct attach_family *attach_family_of(const struct pb_probe *probe) {
  return families[probe->attach_case];
}

static bool runs_last_first(const struct pb_probe *probe) {
  const struct attach_family *family = attach_family_of(probe);
  return family->runs_last_first && family->runs_last_first(probe);
}

bool attach_loads_each(const struct pb_program *program) {
  (void)program;
  return true;
}

bool attach_loads_each_for_cookie(const struct pb_program *program) {
  return program->uses_cookie;
}

uint64_t attach_cookie(const struct tracer *tracer, const struct target *target) {
  const struct pb_probe *probe = &tracer->resources->probes[target->probe];
  if (!tracer->resources->programs[probe->program].uses_cookie)
    return 0;
  return (uint64_t)(target - tracer->targets) + 1;
}

bool attach_has_cookies(void) {
  if (getenv("BPFTRACE_CONSTANT_COOKIES"))  // so that tests reach the other way on new kernels
    return false;
  return host_kernel_version() >= KERNEL_VERSION(5, 15, 0);
}

bool attach_is_per_target(const struct tracer *tracer, const struct pb_probe *probe) {
  const struct attach_family *family = attach_family_of(probe);
  const struct pb_program *program = &tracer->resources->programs[probe->program];
  return (family->loads_each && family->loads_each(program)) || (program->uses_cookie && !attach_has_cookies());
}

bool attach_has_one_link(const struct tracer *tracer, const struct pb_probe *probe, uint32_t targets) {
  const struct attach_family *family = attach_family_of(probe);
  return targets && family->has_one_link && !attach_is_per_target(tracer, probe) && family->has_one_link(probe, targets);
}

static int attach_program(int event_fd, int program_fd, uint64_t cookie) {
  if (!cookie || !attach_has_cookies())  // works on every kernel; a link would only be a second fd
    return ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, program_fd) < 0 ? -errno : event_fd;
  struct bpf_link_create_perf_attr attr = {
      .prog_fd = (uint32_t)program_fd, .target_fd = (uint32_t)event_fd, .attach_type = BPF_PERF_EVENT, .bpf_cookie = cookie};
  return bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int attach_perf_event(struct perf_event_attr *attr, int pid, int cpu, int program_fd, uint64_t cookie) {
  attr->size = sizeof(*attr);
  int event_fd = perf_event_open(attr, pid, cpu);
  if (event_fd < 0)
    return event_fd;
  int fd = attach_program(event_fd, program_fd, cookie);
  if (fd >= 0 && ioctl(event_fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
    int err = -errno;
    if (fd != event_fd)
      close(fd);
    fd = err;
  }
  if (fd != event_fd)  // a link holds the event itself
    close(event_fd);
  return fd;
}

// What cannot be attached is an error only if the script says so, or says nothing; and one match of a pattern never is: the script
// does not know what it matches.
static bool is_error(const struct tracer *tracer, const struct target *target) {
  return tracer->resources->config->missing_probes == PB_MISSING_PROBES_ERROR &&
         !tracer->resources->probes[target->probe].has_wildcard && !tracer->resources->probes[target->probe].is_match;
}

void attach_report_cause(const struct tracer *tracer, const struct target *target, const char *component, const char *cause) {
  if (tracer->resources->config->missing_probes == PB_MISSING_PROBES_IGNORE)
    return;
  report(is_error(tracer, target) ? REPORT_ERROR : REPORT_WARNING, tracer->resources, tracer->resources->probes[target->probe].span,
         "%s: attach %s: %s", component, target->name, cause);
}

void attach_report(const struct tracer *tracer, const struct target *target, const char *component, int err) {
  char cause[256];
  if (err == -ENOENT)
    small_snprintf(cause, sizeof(cause), "not on this kernel (%s)", host_release());
  else
    small_snprintf(cause, sizeof(cause), "%s%s", report_cause(err), report_privilege_hint(err));
  attach_report_cause(tracer, target, component, cause);
}

// Whether the failure is that of the host or of its user, not of the target: then there is no sense in going on.
static bool is_fatal(int err) {
  return err == -EPERM || err == -EACCES || err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

static int attach_one(struct tracer *tracer, const struct pb_probe *probe, struct target *target) {
  int program_fd = target->program_fd >= 0 ? target->program_fd : tracer->programs[probe->program].fd;
  int err = -EINVAL;  // its program could not be loaded
  if (tracer->options.verbose)
    report_line("Attaching %s", target->name);
  if (program_fd >= 0)
    err = attach_family_of(probe)->attach(tracer, probe, program_fd, target);
  target->is_attached = !err;
  if (!err || is_fatal(err))
    return err;
  if (is_error(tracer, target)) {
    report(REPORT_ERROR, NULL, 0,
           "Unable to attach probe: %s. If this is expected, set the 'missing_probes' config variable to 'warn'.", target->name);
    return err;
  }
  if (tracer->resources->config->missing_probes != PB_MISSING_PROBES_IGNORE)
    report(REPORT_WARNING, NULL, 0, "Unable to attach probe: %s. Skipping.", target->name);
  return 0;
}

static int attach_probe(struct tracer *tracer, uint32_t index) {
  const struct pb_probe *probe = &tracer->resources->probes[index];
  const struct attach_family *family = attach_family_of(probe);
  uint32_t count;
  struct target *targets = attach_targets(tracer, index, &count);
  if (attach_has_one_link(tracer, probe, count)) {
    int err = family->attach_many(tracer, probe, tracer->programs[probe->program].fd, targets, count);
    for (uint32_t i = 0; i < count; i++)
      targets[i].is_attached = !err;
    return err;
  }
  int err = 0;
  for (uint32_t i = 0; !err && i < count; i++)
    err = attach_one(tracer, probe, &targets[i]);
  return err;
}

static bool has_special(const struct pb_required_resources *resources, uint32_t kind) {
  for (uint32_t i = 0; i < resources->probes_count; i++)
    if (resources->probes[i].attach_case == PB_PROBE_ATTACH_SPECIAL && resources->probes[i].special->kind == kind)
      return true;
  return false;
}

static void report_none(const struct tracer *tracer) {
  if (has_special(tracer->resources, PB_SPECIAL_TEST))
    report(REPORT_ERROR, NULL, 0, "No probes attached; use --test to run test probes.");
  else if (has_special(tracer->resources, PB_SPECIAL_BENCH))
    report(REPORT_ERROR, NULL, 0, "No probes attached; use --bench to run benchmark probes.");
  else
    report(REPORT_ERROR, NULL, 0, "Attachment failed for all probes.");
}

// Every target may take a file descriptor, its programs and maps some more. If the limit cannot be raised, attaching says so.
static void raise_file_limit(rlim_t targets) {
  enum { OTHERS = 512 };
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= targets + OTHERS)
    return;
  limit.rlim_cur = targets + OTHERS;
  if (limit.rlim_max < limit.rlim_cur)
    limit.rlim_max = limit.rlim_cur;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int attach_all(struct tracer *tracer) {
  uint32_t count = tracer->resources->probes_count;
  int err = 0;
  raise_file_limit(tracer->targets_count);
  for (uint32_t i = 0; !err && i < count; i++)
    if (!runs_last_first(&tracer->resources->probes[i]))
      err = attach_probe(tracer, i);
  for (uint32_t i = count; !err && i > 0; i--)
    if (runs_last_first(&tracer->resources->probes[i - 1]))
      err = attach_probe(tracer, i - 1);
  int attached = 0;
  for (uint32_t i = 0; i < tracer->targets_count; i++)
    attached += tracer->targets[i].is_attached;
  if (!err && !attached) {
    report_none(tracer);
    err = -ENOENT;
  }
  return err ? err : attached;
}

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void disable_target(struct target *target) {
  if (target->fd >= 0)
    ioctl(target->fd, PERF_EVENT_IOC_DISABLE, 0);
  for (uint32_t i = 0; i < target->more_count; i++)
    ioctl(target->more[i], PERF_EVENT_IOC_DISABLE, 0);
}

void detach_target(struct target *target) {
  close_fd(&target->fd);
  while (target->more_count)
    close_fd(&target->more[--target->more_count]);
  target->is_attached = false;
}

void detach_all(struct tracer *tracer) {
  // Closing the perf event of a tracepoint or kprobe waits for an RCU grace period (some 65 ms each, one after the other, since
  // the kernel holds a lock meanwhile). Timers are disabled first, so that they do not go on all that time. The others
  // run until they are closed: disabling stops an event's samples, not its program. (Links answer ENOTTY.)
  for (uint32_t i = 0; i < tracer->targets_count; i++)
    disable_target(&tracer->targets[i]);
  for (uint32_t i = tracer->targets_count; i > 0; i--)
    detach_target(&tracer->targets[i - 1]);
}
