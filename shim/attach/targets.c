// The targets of the probes: found before anything is loaded.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/host.h"
#include "shim/probe_filter.h"
#include "shim/report.h"
#include "shim/small_printf.h"

#pragma weak shim_filter_targets  // a feature: see features.h

bool target_matches(const char *pattern, const char *text) {
  // The last `*` takes as little as makes the rest match; if that fails, one character more.
  const char *star = NULL, *resume = NULL;
  while (*text) {
    if (*pattern == '*') {
      star = pattern++;
      resume = text;
    } else if (*pattern == *text) {
      pattern++;
      text++;
    } else if (star) {
      pattern = star + 1;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*')
    pattern++;
  return !*pattern;
}

int target_add(struct tracer *tracer, uint32_t probe, const char *name, const char *group, const char *symbol, uint64_t address) {
  uint32_t count = tracer->targets_count;
  if (!(count & (count - 1))) {  // a power of two: full
    struct target *larger = realloc(tracer->targets, (count ? 2 * (size_t)count : 1) * sizeof(*larger));
    if (!larger)
      return -ENOMEM;
    tracer->targets = larger;
  }
  size_t name_size = strlen(name) + 1, group_size = strlen(group) + 1, symbol_size = strlen(symbol) + 1;
  char *texts = malloc(name_size + group_size + symbol_size);  // one allocation, which `name` owns
  if (!texts)
    return -ENOMEM;
  struct target *target = &tracer->targets[tracer->targets_count++];
  *target = (struct target){.probe = probe,
                            .name = texts,
                            .group = texts + name_size,
                            .symbol = texts + name_size + group_size,
                            .address = address,
                            .program_fd = -1,
                            .fd = -1};
  memcpy(target->name, name, name_size);
  memcpy(target->group, group, group_size);
  memcpy(target->symbol, symbol, symbol_size);
  return 0;
}

struct target *attach_targets(const struct tracer *tracer, uint32_t probe, uint32_t *count) {
  uint32_t first = 0;
  while (first < tracer->targets_count && tracer->targets[first].probe < probe)
    first++;
  *count = 0;
  while (first + *count < tracer->targets_count && tracer->targets[first + *count].probe == probe)
    ++*count;
  return tracer->targets + first;
}

// What upstream calls the target of a probe: its name without the type, which a blank follows instead.
static void report_missing(const struct tracer *tracer, const struct pb_probe *probe) {
  const struct pb_required_resources *resources = tracer->resources;
  char type[32];
  size_t size = strcspn(probe->name, ":");
  const char *rest = probe->name[size] ? probe->name + size + 1 : "";
  small_snprintf(type, sizeof(type), "%s", probe->name);
  if (size < sizeof(type))
    type[size] = 0;
  bool is_of_program = probe->attach_case == PB_PROBE_ATTACH_UPROBE || probe->attach_case == PB_PROBE_ATTACH_USDT ||
                       (probe->attach_case == PB_PROBE_ATTACH_FENTRY && !strcmp(probe->fentry->module, "bpf"));
  uint32_t missing_probes = resources->config->missing_probes;
  if (missing_probes == PB_MISSING_PROBES_IGNORE || (probe->is_match && probe->has_wildcard))
    return;
  if (missing_probes == PB_MISSING_PROBES_WARN || probe->is_match)
    report(REPORT_WARNING, resources, probe->span, "No matches for %s %s. Skipping.", type, rest);
  else if (is_of_program)
    report(REPORT_ERROR, resources, probe->span, "No matches for %s %s.", type, rest);
  else
    report(REPORT_ERROR, resources, probe->span, "%s: attach %s: not on this kernel (%s)", type, probe->name, host_release());
}

// BEGIN and END run in every mode, tests and benchmarks in their own, everything else when tracing.
static bool runs_in_mode(const struct pb_probe *probe, enum tracer_mode mode) {
  if (probe->attach_case != PB_PROBE_ATTACH_SPECIAL)
    return mode == MODE_TRACE;
  switch (probe->special->kind) {
    case PB_SPECIAL_TEST:
      return mode == MODE_TEST;
    case PB_SPECIAL_BENCH:
      return mode == MODE_BENCH;
    case PB_SPECIAL_SELF_SIGNAL:
      return mode == MODE_TRACE;
    default:
      return true;
  }
}

// Whether a probe has no targets for another reason than that they are missing.
static bool may_be_unused(const struct pb_probe *probe, enum tracer_mode mode) {
  return !runs_in_mode(probe, mode) ||
         (probe->attach_case == PB_PROBE_ATTACH_KPROBE && probe->kprobe->session != PB_KPROBE_NO_SESSION);
}

static void report_unused_programs(const struct tracer *tracer) {
  const struct pb_required_resources *resources = tracer->resources;
  for (uint32_t program = 0; program < resources->programs_count; program++) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < tracer->targets_count; i++)
      count += resources->probes[tracer->targets[i].probe].program == program;
    for (uint32_t i = 0; i < resources->probes_count; i++)
      count += resources->probes[i].program == program && may_be_unused(&resources->probes[i], tracer->options.mode);
    if (!count)
      report(REPORT_WARNING, resources, resources->programs[program].span,
             "Probe has no valid attach points. It is being removed which may cause issues with program behavior.");
  }
}

// For the limit of the script: what one link holds is one.
static uint32_t count_probes(const struct tracer *tracer) {
  uint32_t probes = 0;
  for (uint32_t i = 0; i < tracer->resources->probes_count; i++) {
    const struct pb_probe *probe = &tracer->resources->probes[i];
    uint32_t count;
    attach_targets(tracer, i, &count);
    probes += attach_has_one_link(tracer, probe, count) ? 1 : count;
  }
  return probes;
}

int attach_expand(struct tracer *tracer) {
  const struct pb_required_resources *resources = tracer->resources;
  int result = 0;
  uint32_t idle = 0;
  for (uint32_t i = 0; i < resources->probes_count; i++) {
    const struct pb_probe *probe = &resources->probes[i];
    if (!runs_in_mode(probe, tracer->options.mode)) {
      idle++;
      continue;
    }
    const struct attach_family *family = attach_family_of(probe);
    int err = 0;
    if (family->complete) {
      err = family->complete(tracer, i);
      family = attach_family_of(probe);
    }
    if (!err)
      err = family->expand ? family->expand(tracer, i) : target_add(tracer, i, probe->name, "", "", 0);
    if (err == -ENOENT) {
      report_missing(tracer, probe);
      err = resources->config->missing_probes == PB_MISSING_PROBES_ERROR && !probe->is_match ? err : 0;
    }
    if (err && !result)  // go on: the user wants to know of all that are missing
      result = err;
  }
  const char *filter = tracer->options.probe_filter ? tracer->options.probe_filter : resources->config->probe_filter;
  if (!result && *filter)
    result = shim_filter_targets(tracer, filter);
  if (result)
    return result;
  if (resources->config->missing_probes == PB_MISSING_PROBES_WARN)
    report_unused_programs(tracer);
  if (!tracer->targets_count && !idle) {
    if (!tracer->options.quiet)
      report_line("No probes to attach");
    return -ENOENT;
  }
  uint32_t probes = resources->config->max_probes ? count_probes(tracer) : 0;
  if (probes > resources->config->max_probes) {
    report(REPORT_ERROR, NULL, 0,
           "Can't attach to %u probes because it exceeds the current limit of %llu probes.\nYou can increase the limit through the "
           "config variable max_probes, but BE CAREFUL since a high number of probes attached can cause your system to crash.",
           probes, (unsigned long long)resources->config->max_probes);
    return -E2BIG;
  }
  return 0;
}

// One block of targets_allocate(); they are in a list.
struct allocation {
  struct allocation *next;
  max_align_t data[];
};

void *targets_allocate(struct tracer *tracer, size_t size) {
  struct allocation *allocation = calloc(1, sizeof(*allocation) + size);
  if (!allocation)
    return NULL;
  allocation->next = tracer->targets_memory;
  tracer->targets_memory = allocation;
  return allocation->data;
}

void targets_free(struct tracer *tracer) {
  while (tracer->targets_memory) {
    struct allocation *next = tracer->targets_memory->next;
    free(tracer->targets_memory);
    tracer->targets_memory = next;
  }
  for (uint32_t i = 0; i < tracer->targets_count; i++) {
    if (tracer->targets[i].program_fd >= 0)
      close(tracer->targets[i].program_fd);
    free(tracer->targets[i].name);
    free(tracer->targets[i].more);
  }
  free(tracer->targets);
  tracer->targets = NULL;
  tracer->targets_count = 0;
}
