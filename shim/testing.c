// The script's own tests and benchmarks (--test, --bench): XDP programs, because of the program types that the kernel runs on demand
// this is the one that it repeats and times.
#include "shim/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/bpf.h"
#include "shim/load.h"
#include "shim/report.h"
#include "shim/small_printf.h"

struct run {
  uint32_t result;       // what the probe returned
  uint32_t nanoseconds;  // of one run, on average
  bool has_failed;       // it reported an error, or called exit() with one
};

// What a probe prints while it runs goes to another file, be it output or message.
struct redirection {
  int output;
  int messages;
};

static int redirect(struct tracer *tracer, int fd, struct redirection *before) {
  writer_flush(&tracer->out);
  before->output = tracer->out.fd;
  before->messages = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (before->messages < 0 || dup2(fd, STDERR_FILENO) < 0)
    return -errno;
  tracer->out.fd = fd;
  return 0;
}

static void restore(struct tracer *tracer, const struct redirection *before) {
  writer_flush(&tracer->out);
  tracer->out.fd = before->output;
  if (before->messages >= 0) {
    dup2(before->messages, STDERR_FILENO);
    close(before->messages);
  }
}

static int run_program(const struct tracer *tracer, const struct target *target, uint32_t times, struct run *run) {
  static const uint8_t packet[14];  // an Ethernet header: the kernel wants a packet that is at least so long
  const struct pb_probe *probe = &tracer->resources->probes[target->probe];
  struct bpf_test_run_attr attr = {
      .prog_fd = (uint32_t)tracer->programs[probe->program].fd,
      .data_in = bpf_pointer(packet),
      .data_size_in = sizeof(packet),
      .repeat = times,
  };
  int err = bpf_call(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
  *run = (struct run){.result = attr.retval, .nanoseconds = attr.duration};
  return err;
}

// Runs a probe, and the actions of the events that it sends, with their output in the file `fd`.
static int run_target(struct tracer *tracer, struct events *events, const struct target *target, uint32_t times, int fd,
                      struct run *run) {
  struct redirection before;
  uint32_t errors = tracer->errors;
  *run = (struct run){0};
  int ran = 0, err = redirect(tracer, fd, &before);
  if (!err)
    ran = run_program(tracer, target, times, run);
  if (!err)
    err = events_drain(tracer, events);
  restore(tracer, &before);
  run->has_failed = tracer->exit_code || tracer->errors != errors;
  tracer->exiting = false;
  tracer->exit_code = 0;
  if (ran)
    report(REPORT_ERROR, tracer->resources, tracer->resources->probes[target->probe].span, "%s: run: %s", target->name,
           report_cause(ran));
  return ran ? ran : err;
}

static const char *name_of(const struct tracer *tracer, const struct target *target) {
  return tracer->resources->probes[target->probe].special->name;
}

__attribute__((format(printf, 2, 3))) static void print(struct tracer *tracer, const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  small_vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  writer_text(&tracer->out, line);
}

// Copies a failed test's output, without empty lines.
static int print_file(struct tracer *tracer, int fd) {
  char buffer[1024];
  ssize_t size;
  bool in_line = false;
  for (off_t at = 0; (size = pread(fd, buffer, sizeof(buffer), at)) > 0; at += size) {
    for (ssize_t i = 0; i < size; i++) {
      if (buffer[i] != '\n' || in_line)
        writer_put(&tracer->out, &buffer[i], 1);
      in_line = buffer[i] != '\n';
    }
  }
  if (in_line)
    writer_text(&tracer->out, "\n");
  return size < 0 ? -errno : 0;
}

static int run_test(struct tracer *tracer, struct events *events, struct target *target, bool *has_passed) {
  static const struct {
    const char *name;
    uint32_t nanoseconds;
  } units[] = {{"s", 1000000000}, {"ms", 1000000}, {"μs", 1000}, {"ns", 1}};
  struct run run;
  int fd = memfd_create("output", MFD_CLOEXEC);
  if (fd < 0)
    return -errno;
  print(tracer, "\033[32m[ RUN      ]\033[0m %s\n", name_of(tracer, target));
  int err = run_target(tracer, events, target, 1, fd, &run);
  *has_passed = !err && !run.result && !run.has_failed;
  if (!err && !*has_passed)
    err = print_file(tracer, fd);
  close(fd);
  if (err)
    return err;
  int unit = 0;
  while (units[unit].nanoseconds > 1 && run.nanoseconds < units[unit].nanoseconds)
    unit++;
  const char *verdict = *has_passed ? "\033[32m[       OK ]" : "\033[31m[  FAILED  ]";
  print(tracer, "%s\033[0m %s (%u %s)\n", verdict, name_of(tracer, target), run.nanoseconds / units[unit].nanoseconds,
        units[unit].name);
  return writer_settle(&tracer->out);
}

static const char *tests(uint32_t count) {
  return count == 1 ? "test" : "tests";
}

static void print_summary(struct tracer *tracer, struct target *const *targets, const bool *passed, uint32_t count) {
  uint32_t good = 0;
  for (uint32_t i = 0; i < count; i++)
    good += passed[i];
  print(tracer, "\033[32m[==========]\033[0m %u %s ran.\n", count, tests(count));
  print(tracer, "\033[32m[  PASSED  ]\033[0m %u %s.\n", good, tests(good));
  if (good < count)
    print(tracer, "\033[31m[  FAILED  ]\033[0m %u %s, listed below:\n", count - good, tests(count - good));
  for (uint32_t i = 0; i < count; i++)
    if (!passed[i])
      print(tracer, "\033[31m[  FAILED  ]\033[0m %s\n", name_of(tracer, targets[i]));
}

static int run_tests(struct tracer *tracer, struct events *events, struct target *const *targets, uint32_t count) {
  bool *passed = calloc(count, sizeof(*passed));
  if (!passed)
    return -ENOMEM;
  print(tracer, "\033[32m[==========]\033[0m Running %u tests.\n", count);
  int err = 0;
  bool all = true;
  for (uint32_t i = 0; !err && i < count; i++) {
    err = run_test(tracer, events, targets[i], &passed[i]);
    all &= passed[i];
  }
  if (!err)
    print_summary(tracer, targets, passed, count);
  free(passed);
  tracer->exit_code = all ? 0 : 1;
  return err ? err : writer_settle(&tracer->out);
}

// How many times more the probe has to run so that the time is more than noise; 1 if it is that already.
static uint32_t times_more(uint64_t nanoseconds) {
  static const struct {
    uint32_t below, factor;
  } steps[] = {{1000, 1000}, {10000, 100}, {100000, 10}, {1000000, 2}};
  for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
    if (nanoseconds < steps[i].below)
      return steps[i].factor;
  return 1;
}

static int run_benchmark(struct tracer *tracer, struct events *events, const struct target *target, int fd, uint32_t *times,
                         struct run *run) {
  enum { MOST = 100000000 };  // of a probe that takes no time
  for (*times = 1;;) {
    int err = run_target(tracer, events, target, *times, fd, run);
    uint32_t factor = times_more((uint64_t)run->nanoseconds * *times);
    if (err || run->result || run->has_failed || factor == 1 || *times >= MOST)
      return err;
    *times *= factor;
  }
}

static void print_padded(struct tracer *tracer, const char *text, size_t width) {
  size_t size = strlen(text);
  writer_put(&tracer->out, text, size);
  writer_fill(&tracer->out, ' ', width > size ? width - size : 0);
}

static int run_benchmarks(struct tracer *tracer, struct events *events, struct target *const *targets, uint32_t count) {
  enum { LEAST_NAME_WIDTH = 41, TIME_WIDTH = 15 };
  static const char iterations[] = "Iterations";
  size_t name_width = LEAST_NAME_WIDTH;
  for (uint32_t i = 0; i < count; i++)
    if (strlen(name_of(tracer, targets[i])) + 1 > name_width)
      name_width = strlen(name_of(tracer, targets[i])) + 1;
  int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  int err = 0;
  bool has_header = false;
  for (uint32_t i = 0; !err && i < count; i++) {
    struct run run;
    uint32_t times;
    err = run_benchmark(tracer, events, targets[i], fd, &times, &run);
    if (err || (run.result && !run.has_failed))  // a benchmark skips itself by a result
      continue;
    if (run.has_failed) {
      report(REPORT_ERROR, NULL, 0, "Benchmark '%s' failed.", name_of(tracer, targets[i]));
      tracer->exit_code = 1;
      continue;
    }
    if (!has_header) {
      print_padded(tracer, "Benchmark", name_width);
      print_padded(tracer, "Time(ns)", TIME_WIDTH);
      print(tracer, "%s\n", iterations);
      writer_fill(&tracer->out, '-', name_width + TIME_WIDTH + sizeof(iterations) - 1);
      writer_text(&tracer->out, "\n");
      has_header = true;
    }
    char time[16];
    small_snprintf(time, sizeof(time), "%u", run.nanoseconds);
    print_padded(tracer, name_of(tracer, targets[i]), name_width);
    print_padded(tracer, time, TIME_WIDTH);
    print(tracer, "%u\n", times);
    err = writer_settle(&tracer->out);
  }
  close(fd);
  return err;
}

int shim_run_tests(struct tracer *tracer, struct events *events) {
  struct target **targets = calloc(tracer->targets_count + 1, sizeof(struct target *));
  if (!targets)
    return -ENOMEM;
  uint32_t kind = tracer->options.mode == MODE_TEST ? PB_SPECIAL_TEST : PB_SPECIAL_BENCH, count = 0;
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[tracer->targets[i].probe];
    if (probe->attach_case == PB_PROBE_ATTACH_SPECIAL && probe->special->kind == kind)
      targets[count++] = &tracer->targets[i];
  }
  int err = events_drain(tracer, events);  // what BEGIN has printed is not the first test's
  if (!err && count)
    err = kind == PB_SPECIAL_TEST ? run_tests(tracer, events, targets, count) : run_benchmarks(tracer, events, targets, count);
  free(targets);
  return err;
}
