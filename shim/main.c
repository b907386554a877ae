// A tracer's life, from the payload that the linker put beside this code to the maps that are printed at the end.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/attach/iterator.h"
#include "shim/btf.h"
#include "shim/command.h"
#include "shim/constants.h"
#include "shim/events.h"
#include "shim/load.h"
#include "shim/maps.h"
#include "shim/options.h"
#include "shim/output/output.h"
#include "shim/parameters.h"
#include "shim/payload.h"
#include "shim/report.h"
#include "shim/settings.h"
#include "shim/testing.h"
#include "shim/tracer.h"
#include "shim/unwind/unwind.h"

// Defined by the tracer object.
extern const uint8_t bpftrace_payload[];
extern const uint8_t bpftrace_payload_end[];

// Parts that a tracer may do without (shim/features.h).
#pragma weak shim_print_map
#pragma weak shim_run_special
#pragma weak shim_run_tests
#pragma weak shim_run_iterators
#pragma weak btf_release_kernel
#pragma weak shim_unwind_open

enum { EXIT_TROUBLE = 1 };

static int open_output(struct tracer *tracer) {
  int fd = STDOUT_FILENO;
  const char *file = tracer->options.output_file;
  if (file) {
    fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
      int err = -errno;
      report(REPORT_ERROR, NULL, 0, "Failed to open output file: \"%s\": %s", file, report_cause(err));
      return err;
    }
  }
  writer_init(&tracer->out, fd, tracer->options.buffer_mode);
  return 0;
}

// Brings everything into the kernel, so that only running and attaching are left.
static int load(struct tracer *tracer) {
  int err = attach_expand(tracer);
  if (!err)
    err = load_btf(tracer);
  if (!err)
    err = maps_create(tracer, tracer->btf_fd);
  if (!err)
    err = shim_unwind_open ? shim_unwind_open(tracer) : 0;
  if (!err)
    err = constants_resolve(tracer);
  if (!err)
    err = load_programs(tracer);
  if (btf_release_kernel)
    btf_release_kernel();
  return err;
}

static int run_special(struct tracer *tracer, uint32_t kind) {
  return shim_run_special ? shim_run_special(tracer, kind) : 0;
}

static void announce_attached(struct tracer *tracer, int count) {
  static const char notice[] = "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n";
  if (!tracer->options.quiet && tracer->options.mode == MODE_TRACE)
    report_line("Attached %d probe%s", count, count == 1 ? "" : "s");
  // Test frameworks wait for this line before they start what is to be traced.
  if (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED") && write(STDOUT_FILENO, notice, sizeof(notice) - 1) < 0)
    report_line("cannot notify: %s", report_cause(errno));
}

// Whether anything but BEGIN, END and iterators is attached, so that there are events to wait for.
static bool waits_for_events(const struct tracer *tracer) {
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[tracer->targets[i].probe];
    if (probe->attach_case == PB_PROBE_ATTACH_ITERATOR)
      return false;  // and there is nothing else
    if (probe->attach_case != PB_PROBE_ATTACH_SPECIAL || probe->special->kind == PB_SPECIAL_SELF_SIGNAL)
      return true;
  }
  return false;
}

static int trace(struct tracer *tracer, struct events *events) {
  bool dry_run = tracer->options.dry_run;
  int err = dry_run ? 0 : run_special(tracer, PB_SPECIAL_BEGIN);
  if (err)
    return err;
  int attached = attach_all(tracer);
  if (attached < 0)
    return attached;
  if (dry_run)
    return 0;
  err = command_run(tracer);
  if (!err && tracer->options.mode != MODE_TRACE && shim_run_tests)
    err = shim_run_tests(tracer, events);
  if (err)
    return err;
  announce_attached(tracer, attached);
  if (shim_run_iterators)
    err = shim_run_iterators(tracer, events);
  if (err)
    return err;
  return waits_for_events(tracer) ? events_wait(tracer, events) : events_drain(tracer, events);
}

// What is left to do after the last event: END, which sees the probes gone, and the maps.
static int finish(struct tracer *tracer, struct events *events) {
  detach_all(tracer);
  int err = events_drain(tracer, events);
  tracer->exiting = tracer->interrupted = false;  // the events of END count again
  if (!err)
    err = run_special(tracer, PB_SPECIAL_END);
  if (!err)
    err = events_drain(tracer, events);
  if (err)
    return err;
  events_report_total_loss(tracer, events);
  writer_text(&tracer->out, "\n\n");
  bool prints_maps = tracer->resources->config->print_maps_on_exit && tracer->options.mode == MODE_TRACE;
  for (uint32_t i = 0; i < tracer->resources->maps_count && prints_maps; i++) {
    if (tracer->maps[i].info->role != PB_MAP_USER)
      continue;
    err = shim_print_map(tracer, &tracer->maps[i], 0, 0);
    if (tracer->out.error)
      break;  // run() reports it
    if (err)
      report(REPORT_ERROR, NULL, 0, "map: print %s: %s", tracer->maps[i].info->name, report_cause(err));
  }
  return writer_flush(&tracer->out);
}

static int run(struct tracer *tracer) {
  struct events *events = NULL;
  int err = command_open(tracer);
  events_catch_signals();
  if (!err)
    err = load(tracer);
  if (!err)
    err = events_open(tracer, &events);
  if (!err)
    err = trace(tracer, events);
  if (!err && !tracer->options.dry_run)
    err = finish(tracer, events);
  if (tracer->out.error)
    report(REPORT_ERROR, NULL, 0, "output: write: %s", report_cause(tracer->out.error));
  detach_all(tracer);
  command_close(tracer);
  targets_free(tracer);
  events_close(events);
  load_close(tracer);
  maps_close(tracer);
  return err;
}

int main(int argc, char **argv) {
  static struct tracer tracer;
  tracer.btf_fd = -1;
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  tracer.start_time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;

  int status = EXIT_TROUBLE;
  struct pb_required_resources *resources;
  if (payload_open(bpftrace_payload, (size_t)(bpftrace_payload_end - bpftrace_payload), &resources))
    return EXIT_TROUBLE;
  tracer.resources = resources;
  switch (options_parse(&tracer.options, resources, &argc, argv)) {
    case OPTIONS_RUN:
      if (!settings_read_environment(resources) && !parameters_parse(&tracer, argc - 1, argv + 1) &&
          !open_output(&tracer) && !run(&tracer))
        status = tracer.exit_code;
      break;
    case OPTIONS_DONE:
      status = 0;
      break;
    case OPTIONS_WRONG:
      break;
  }
  free(tracer.constants);
  free(tracer.parameters);
  free(resources);
  return status;
}
