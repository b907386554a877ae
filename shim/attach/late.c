// Attach points that positional parameters complete. They are taken apart here in the way in which the compiler takes apart the
// others, and become probes of another kind before their targets are looked for.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/attach/attach.h"
#include "shim/parameters.h"
#include "shim/report.h"
#include "shim/small_printf.h"

enum { MAX_PARTS = 8, NSECS_PER_SEC = 1000000000, LEAST_PERIOD_NS = 1000 };

// An attach point on its way: `texts` are its parts behind the probe type. What it becomes is allocated with the texts.
struct completion {
  struct pb_probe *probe;
  bool unsafe;
  unsigned count;
  char *texts[MAX_PARTS];
  union {
    struct pb_interval interval;
    struct pb_perf_event perf_event;
    struct pb_tracepoint tracepoint;
    struct pb_raw_tracepoint raw_tracepoint;
    struct pb_kprobe kprobe;
    struct pb_fentry fentry;
    struct pb_uprobe uprobe;
    struct pb_usdt usdt;
    struct pb_watchpoint watchpoint;
  };
  char text[];
};

// A probe type. `complete` fills the message of the probe; it returns NULL, or what is wrong.
struct probe_type {
  const char *names[3];
  uint32_t attach_case;
  uint32_t program_type, attach_type;
  bool is_return;
  const char *(*complete)(struct completion *completion, bool is_return);
};

static const char *parse_number(const char *text, uint64_t *number) {
  int64_t value;
  const char *problem = *text == '-' ? "invalid integer" : parameter_parse_integer(text, &value);
  *number = problem ? 0 : (uint64_t)value;
  return problem;
}

// The period of a timer; of one in hz, the frequency too.
static const char *parse_rate(const struct completion *completion, uint64_t *period_ns, uint64_t *frequency) {
  static const struct {
    char name[3];
    uint64_t nsecs;
  } units[] = {{"s", NSECS_PER_SEC}, {"ms", 1000000}, {"us", 1000}};
  if (completion->count != 1 && completion->count != 2)
    return "a timer has one or two parts";
  uint64_t rate;
  const char *problem = parse_number(completion->texts[completion->count - 1], &rate);
  if (problem)
    return problem;
  if (completion->count == 1) {
    *period_ns = rate / 1000 * 1000;
    return rate < LEAST_PERIOD_NS ? "the least rate is 1000 or 1us" : NULL;
  }
  if (!rate)
    return "frequency should be a positive integer";
  const char *unit = completion->texts[0];
  for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
    if (strcmp(unit, units[i].name) != 0)
      continue;
    *period_ns = rate * units[i].nsecs;
    return rate > UINT64_MAX / units[i].nsecs ? "value is out of range" : NULL;
  }
  if (strcmp(unit, "hz") != 0)
    return "the units of time are s, ms, us and hz";
  *frequency = rate;
  *period_ns = NSECS_PER_SEC / rate;
  return rate > NSECS_PER_SEC ? "value is out of range" : NULL;
}

static const char *complete_interval(struct completion *completion, bool is_return) {
  (void)is_return;
  uint64_t period_ns = 0, frequency = 0;
  const char *problem = parse_rate(completion, &period_ns, &frequency);
  completion->interval = (struct pb_interval){.period_ns = period_ns};
  completion->probe->interval = &completion->interval;
  return problem;
}

static const char *complete_profile(struct completion *completion, bool is_return) {
  (void)is_return;
  uint64_t period_ns = 0, frequency = 0;
  const char *problem = parse_rate(completion, &period_ns, &frequency);
  completion->perf_event = (struct pb_perf_event){.perf_type = PERF_TYPE_SOFTWARE,
                                                  .perf_config = PERF_COUNT_SW_CPU_CLOCK,
                                                  .period = frequency ? 0 : period_ns,
                                                  .frequency = frequency};
  completion->probe->perf_event = &completion->perf_event;
  return problem;
}

static const char *complete_tracepoint(struct completion *completion, bool is_return) {
  (void)is_return;
  if (completion->count != 2)
    return "a tracepoint has a category and an event";
  // They go into a path.
  for (int i = 0; i < 2; i++)
    if (!*completion->texts[i] || *completion->texts[i] == '.' || strchr(completion->texts[i], '/'))
      return "no name of a tracepoint";
  completion->tracepoint = (struct pb_tracepoint){.category = completion->texts[0], .event = completion->texts[1]};
  completion->probe->tracepoint = &completion->tracepoint;
  return NULL;
}

// [MODULE:]NAME
static const char *split_module(const struct completion *completion, const char **module, char **name) {
  if (completion->count != 1 && completion->count != 2)
    return "it has one or two parts";
  *module = completion->count == 2 ? completion->texts[0] : "";
  *name = completion->texts[completion->count - 1];
  return **name ? NULL : "it has no function";
}

static const char *complete_raw_tracepoint(struct completion *completion, bool is_return) {
  (void)is_return;
  char *event = NULL;
  completion->raw_tracepoint = (struct pb_raw_tracepoint){0};
  const char *problem = split_module(completion, &completion->raw_tracepoint.module, &event);
  completion->raw_tracepoint.event = event;
  completion->probe->raw_tracepoint = &completion->raw_tracepoint;
  return problem;
}

static const char *complete_fentry(struct completion *completion, bool is_return) {
  char *function = NULL;
  completion->fentry = (struct pb_fentry){.is_exit = is_return};
  const char *problem = split_module(completion, &completion->fentry.module, &function);
  completion->fentry.function = function;
  completion->probe->fentry = &completion->fentry;
  return problem;
}

// FUNCTION[+OFFSET] or ADDRESS; cuts the text at the offset.
static const char *parse_place(char *text, bool is_return, uint64_t *offset, uint64_t *address) {
  char *plus = strchr(text, '+');
  if (*text >= '0' && *text <= '9' && !plus)
    return parse_number(text, address);
  if (!plus)
    return NULL;
  if (is_return)
    return "offset not allowed";
  *plus = 0;
  return *text ? parse_number(plus + 1, offset) : "invalid offset";
}

static const char *complete_kprobe(struct completion *completion, bool is_return) {
  char *function = NULL;
  struct pb_kprobe *kprobe = &completion->kprobe;
  *kprobe = (struct pb_kprobe){.is_return = is_return};
  const char *problem = split_module(completion, &kprobe->module, &function);
  if (!problem)
    problem = parse_place(function, is_return, &kprobe->offset, &kprobe->address);
  if (!problem && kprobe->address && !completion->unsafe)
    problem = "probing by address requires --unsafe when it is compiled";
  kprobe->function = kprobe->address ? "" : function;
  completion->probe->kprobe = kprobe;
  return problem;
}

static const char *complete_uprobe(struct completion *completion, bool is_return) {
  // A path and a function, or a function of the process of -p.
  unsigned count = completion->count;
  if ((count != 1 && count != 2) || !*completion->texts[0] || !*completion->texts[count - 1])
    return "it has a path and a function";
  char *place = completion->texts[count - 1];
  struct pb_uprobe *uprobe = &completion->uprobe;
  *uprobe = (struct pb_uprobe){.path = count == 2 ? completion->texts[0] : "", .is_return = is_return, .unsafe = completion->unsafe};
  const char *problem = parse_place(place, is_return, &uprobe->offset, &uprobe->address);
  if (!problem && uprobe->offset && !completion->unsafe)
    problem = "probing at an offset requires --unsafe when it is compiled";
  uprobe->function = uprobe->address ? "" : place;
  completion->probe->uprobe = uprobe;
  return problem;
}

static const char *complete_usdt(struct completion *completion, bool is_return) {
  (void)is_return;
  unsigned count = completion->count;
  if (!count || count > 3 || !*completion->texts[count - 1])
    return "it has a path and a name";
  completion->usdt = (struct pb_usdt){.path = count > 1 ? completion->texts[0] : "",
                                      .provider = count == 3 ? completion->texts[1] : "",
                                      .name = completion->texts[count - 1]};
  completion->probe->has_wildcard |= !*completion->usdt.path;
  completion->probe->usdt = &completion->usdt;
  return NULL;
}

static const char *complete_watchpoint(struct completion *completion, bool is_return) {
  (void)is_return;
  if (completion->count != 3)
    return "it has an address, a length and a mode";
  uint64_t address, length;
  const char *problem = parse_number(completion->texts[0], &address);
  if (!problem)
    problem = parse_number(completion->texts[1], &length);
  if (problem)
    return problem;
  const char *mode = completion->texts[2];
  if (!address)
    return "watchpoint must be attached to a non-zero address";
  if (length != 1 && length != 2 && length != 4 && length != 8)
    return "watchpoint length must be one of (1,2,4,8)";
  if (strcmp(mode, "rw") != 0 && strcmp(mode, "wr") != 0 && strcmp(mode, "w") != 0 && strcmp(mode, "x") != 0)
    return "the modes of watchpoints are rw, w and x";
  completion->watchpoint = (struct pb_watchpoint){.address = address, .length = (uint32_t)length, .mode = mode};
  completion->probe->watchpoint = &completion->watchpoint;
  return NULL;
}

static const struct probe_type types[] = {
    {{"interval", "i"}, PB_PROBE_ATTACH_INTERVAL, BPF_PROG_TYPE_PERF_EVENT, 0, false, complete_interval},
    {{"profile", "p"}, PB_PROBE_ATTACH_PERF_EVENT, BPF_PROG_TYPE_PERF_EVENT, 0, false, complete_profile},
    {{"tracepoint", "t"}, PB_PROBE_ATTACH_TRACEPOINT, BPF_PROG_TYPE_TRACEPOINT, 0, false, complete_tracepoint},
    {{"rawtracepoint", "rt"}, PB_PROBE_ATTACH_RAW_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, false, complete_raw_tracepoint},
    {{"kprobe", "k"}, PB_PROBE_ATTACH_KPROBE, BPF_PROG_TYPE_KPROBE, 0, false, complete_kprobe},
    {{"kretprobe", "kr"}, PB_PROBE_ATTACH_KPROBE, BPF_PROG_TYPE_KPROBE, 0, true, complete_kprobe},
    {{"fentry", "f", "kfunc"}, PB_PROBE_ATTACH_FENTRY, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, false, complete_fentry},
    {{"fexit", "fr", "kretfunc"}, PB_PROBE_ATTACH_FENTRY, BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, true, complete_fentry},
    {{"uprobe", "u"}, PB_PROBE_ATTACH_UPROBE, BPF_PROG_TYPE_KPROBE, 0, false, complete_uprobe},
    {{"uretprobe", "ur"}, PB_PROBE_ATTACH_UPROBE, BPF_PROG_TYPE_KPROBE, 0, true, complete_uprobe},
    {{"usdt", "U"}, PB_PROBE_ATTACH_USDT, BPF_PROG_TYPE_KPROBE, 0, false, complete_usdt},
    {{"watchpoint", "w"}, PB_PROBE_ATTACH_WATCHPOINT, BPF_PROG_TYPE_PERF_EVENT, 0, false, complete_watchpoint},
};

static const struct probe_type *find_type(const char *name) {
  for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
    for (size_t j = 0; j < sizeof(types[i].names) / sizeof(*types[i].names) && types[i].names[j]; j++)
      if (!strcmp(types[i].names[j], name))
        return &types[i];
  return NULL;
}

static const char *piece_text(const struct tracer *tracer, const struct pb_late_piece *piece) {
  if (!piece->is_parameter)
    return piece->text;
  const char *word = tracer->parameters[piece->parameter].string;
  return word ? word : "";
}

static size_t written_size(const struct tracer *tracer, const struct pb_late_attach_point *late) {
  size_t size = 1;
  for (uint32_t i = 0; i < late->parts_count; i++) {
    size++;
    for (uint32_t j = 0; j < late->parts[i].pieces_count; j++)
      size += strlen(piece_text(tracer, &late->parts[i].pieces[j]));
  }
  return size;
}

// Writes the attach point into `text`, with a NUL between its parts. Returns their number, 0 if there are too many.
static unsigned divide(const struct tracer *tracer, const struct pb_late_attach_point *late, char *text, char *parts[MAX_PARTS + 1]) {
  unsigned count = 0;
  for (uint32_t i = 0; i < late->parts_count; i++) {
    if (count > MAX_PARTS)
      return 0;
    parts[count++] = text;
    for (uint32_t j = 0; j < late->parts[i].pieces_count; j++) {
      const struct pb_late_piece *piece = &late->parts[i].pieces[j];
      for (const char *from = piece_text(tracer, piece); *from; from++) {
        if (*from != ':' || !piece->is_parameter) {
          *text++ = *from;
          continue;
        }
        if (count > MAX_PARTS)
          return 0;
        *text++ = 0;
        parts[count++] = text;
      }
    }
    *text++ = 0;
  }
  return count;
}

// What the builtin `probe` shows: the probe type in full, and the parts as they are written.
static void write_name(char *name, size_t size, const struct probe_type *type, const struct completion *completion) {
  size_t used = (size_t)small_snprintf(name, size, "%s", type->names[0]);
  for (unsigned i = 0; i < completion->count && used < size; i++)
    used += (size_t)small_snprintf(name + used, size - used, ":%s", completion->texts[i]);
}

static int complete(struct tracer *tracer, uint32_t index) {
  // As in settings.c: the decoded message is memory of our own.
  struct pb_probe *probe = (struct pb_probe *)&tracer->resources->probes[index];
  const struct pb_late_attach_point *late = probe->late;
  size_t written = written_size(tracer, late), longest_type = sizeof("rawtracepoint");
  struct completion *completion = targets_allocate(tracer, sizeof(*completion) + 2 * written + longest_type);
  if (!completion)
    return -ENOMEM;
  char *parts[MAX_PARTS + 1];
  unsigned count = divide(tracer, late, completion->text, parts);
  const struct probe_type *type = count ? find_type(parts[0]) : NULL;
  if (!type || !attach_is_linked(type->attach_case)) {
    report(REPORT_ERROR, tracer->resources, probe->span, "attach point %s: %s", probe->name,
           count ? "no probe type that parameters may say" : "it has too many parts");
    return -EINVAL;
  }
  if (!*late->probe_type && tracer->options.pid) {
    // The program does not know whether it has to look at the process by itself.
    report(REPORT_ERROR, tracer->resources, probe->span, "-p needs a script that says itself what type its probes have");
    return -EINVAL;
  }
  completion->probe = probe;
  completion->unsafe = late->unsafe;
  completion->count = count - 1;
  memcpy(completion->texts, parts + 1, sizeof(*parts) * (count - 1));
  char *name = completion->text + written;
  write_name(name, written + longest_type, type, completion);
  probe->has_wildcard = strchr(name, '*') != NULL;
  const char *problem = type->complete(completion, type->is_return);
  if (problem) {
    report(REPORT_ERROR, tracer->resources, probe->span, "%s: %s", name, problem);
    return -EINVAL;
  }
  probe->name = name;
  probe->attach_case = type->attach_case;
  struct pb_program *program = (struct pb_program *)&tracer->resources->programs[probe->program];
  program->bpf_type = type->program_type;
  program->expected_attach_type = type->attach_type;
  return 0;
}

const struct attach_family shim_attach_late = {.complete = complete};
