// Tracepoints: a perf event with the id that tracefs gives.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"

static int report_no_tracefs(const struct tracer *tracer, uint32_t probe) {
  report(REPORT_ERROR, tracer->resources, tracer->resources->probes[probe].span,
         "tracepoint: attach %s: tracefs is not mounted (mount -t tracefs tracefs /sys/kernel/tracing)",
         tracer->resources->probes[probe].name);
  return -ENODEV;
}

static int add_target(struct tracer *tracer, uint32_t probe, const char *category, const char *event) {
  char name[300];
  small_snprintf(name, sizeof(name), "tracepoint:%s:%s", category, event);
  return target_add(tracer, probe, name, category, event, 0);
}

static int compare_names(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

// The folders in a folder whose names match, sorted, ended by NULL; release with free_names(). Returns 0 or a negative errno.
static int list_folders(const char *path, const char *pattern, char ***names, size_t *count) {
  *names = NULL;
  *count = 0;
  DIR *folder = opendir(path);
  if (!folder)
    return -errno;
  int err = 0;
  for (struct dirent *entry; !err && (entry = readdir(folder));) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || !target_matches(pattern, entry->d_name))
      continue;
    char **larger = realloc(*names, (*count + 1) * sizeof(**names));
    if (larger)
      *names = larger;
    char *copy = larger ? strdup(entry->d_name) : NULL;
    if (copy)
      (*names)[(*count)++] = copy;
    else
      err = -ENOMEM;
  }
  closedir(folder);
  if (*count)
    qsort(*names, *count, sizeof(**names), compare_names);
  return err;
}

static void free_names(char **names, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(names[i]);
  free(names);
}

static int expand_category(struct tracer *tracer, uint32_t probe, const char *events, const char *category) {
  const struct pb_tracepoint *tracepoint = tracer->resources->probes[probe].tracepoint;
  char path[512], **names;
  size_t count;
  small_snprintf(path, sizeof(path), "%s/%s", events, category);
  int err = list_folders(path, tracepoint->event, &names, &count);
  for (size_t i = 0; !err && i < count; i++) {
    char id[800];
    small_snprintf(id, sizeof(id), "%s/%s/id", path, names[i]);
    if (access(id, F_OK) == 0)  // "ftrace:*" has events that are none
      err = add_target(tracer, probe, category, names[i]);
  }
  free_names(names, count);
  return err;
}

static int expand_tracepoint(struct tracer *tracer, uint32_t probe) {
  const struct pb_probe *info = &tracer->resources->probes[probe];
  const char *tracefs = host_tracefs();
  if (!tracefs)
    return report_no_tracefs(tracer, probe);
  if (!info->has_wildcard) {
    char path[256];
    small_snprintf(path, sizeof(path), "%s/events/%s/%s/id", tracefs, info->tracepoint->category, info->tracepoint->event);
    if (access(path, F_OK) < 0 && errno == ENOENT)  // whatever else it is, attaching will say it
      return -ENOENT;
    return target_add(tracer, probe, info->name, info->tracepoint->category, info->tracepoint->event, 0);
  }
  char events[64], **categories;
  size_t count;
  uint32_t before = tracer->targets_count;
  small_snprintf(events, sizeof(events), "%s/events", tracefs);
  int err = list_folders(events, info->tracepoint->category, &categories, &count);
  for (size_t i = 0; !err && i < count; i++)
    err = expand_category(tracer, probe, events, categories[i]);
  free_names(categories, count);
  if (err)
    report(REPORT_ERROR, tracer->resources, info->span, "tracepoint: list %s: %s%s", events, report_cause(err),
           report_closed_hint(err));
  return err ? err : tracer->targets_count > before ? 0 : -ENOENT;
}

// Returns the id, or a negative errno.
static int64_t read_id(const struct target *target) {
  char path[600], *text;
  size_t size;
  small_snprintf(path, sizeof(path), "%s/events/%s/%s/id", host_tracefs(), target->group, target->symbol);
  int err = host_read_file(path, &text, &size);
  if (err)
    return err;
  int64_t id = strtol(text, NULL, 10);
  free(text);
  return id > 0 ? id : -EINVAL;
}

static int attach_tracepoint(struct tracer *tracer, const struct pb_probe *probe, int program_fd, struct target *target) {
  (void)probe;
  int64_t id = read_id(target);
  if (id >= 0) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT,
        .config = (uint64_t)id,
        .sample_period = 1,
        .flags = PERF_ATTR_FLAG_DISABLED,
    };
    // On CPU 0, yet for all: with a program attached the kernel runs it before it looks at the event's CPU.
    target->fd = attach_perf_event(&attr, -1, 0, program_fd, attach_cookie(tracer, target));
    id = target->fd;
  }
  if (id < 0)
    attach_report(tracer, target, "tracepoint", (int)id);
  return id < 0 ? (int)id : 0;
}

const struct attach_family shim_attach_tracepoint = {.expand = expand_tracepoint, .attach = attach_tracepoint};
