#include "shim/attach/user_target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/command.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/user/path.h"
#include "shim/user/paths.h"
#include "shim/user/zip.h"

#pragma weak shim_zip_find  // a feature: see features.h

static void report_problem(const struct tracer *tracer, uint32_t probe, const char *name, const char *problem) {
  const struct pb_probe *description = &tracer->resources->probes[probe];
  report(REPORT_ERROR, tracer->resources, description->span, "%s: attach %s: target file '%s' %s",
         description->attach_case == PB_PROBE_ATTACH_USDT ? "usdt" : "uprobe", description->name, name, problem);
}

static int report_file(const struct tracer *tracer, uint32_t probe, const char *name, int err) {
  report_problem(tracer, probe, name,
                 err == -ENOENT    ? "does not exist or is not executable"
                 : err == -ENOEXEC ? "is no ELF file of this machine"
                                   : report_cause(err));
  return err == -ENOENT ? -ENODEV : err;
}

// ARCHIVE!/MEMBER: sets `path` to that of the archive. Returns 0, -ENOENT if it is none, or -EINVAL after reporting.
static int find_member(const struct tracer *tracer, uint32_t probe, const char *name, char path[PATH_MAX], uint64_t *start) {
  const char *separator = strstr(name, "!/");
  char archive[PATH_MAX];
  if (!separator || !shim_zip_find || (size_t)(separator - name) >= sizeof(archive))
    return -ENOENT;
  memcpy(archive, name, (size_t)(separator - name));
  archive[separator - name] = 0;
  int err = user_path_find(archive, command_target_pid(tracer), path, PATH_MAX);
  if (err)
    return err;
  const char *problem = shim_zip_find(path, separator + strlen("!/"), start);
  if (problem)
    report_problem(tracer, probe, name, problem);
  return problem ? -EINVAL : 0;
}

// Of the many files that a pattern matches, some are no programs, and some do not have the place.
static int search_all(struct tracer *tracer, uint32_t probe, const char *pattern, user_target_search *search) {
  struct paths paths;
  uint32_t first = tracer->targets_count;
  int err = paths_find(pattern, tracer->options.pid, &paths);
  if (err)
    report_file(tracer, probe, pattern, err);
  for (uint32_t i = 0; !err && i < paths.count; i++) {
    struct elf elf;
    if (elf_open(paths.names[i], &elf))
      continue;
    err = search(tracer, probe, paths.names[i], &elf);
    elf_close(&elf);
  }
  bool has_files = paths.count;
  paths_free(&paths);
  if (!err && !has_files)
    return report_file(tracer, probe, pattern, -ENOENT);
  if (err)
    return err;
  return tracer->targets_count > first ? 0 : -ENOENT;
}

bool user_target_is_named(const char *path) {
  return *path && !strchr(path, '*');
}

// By the way through procfs, as the process sees the file.
static int find_program(const struct tracer *tracer, uint32_t probe, char path[PATH_MAX]) {
  int pid = tracer->options.pid;
  if (!pid) {
    const struct pb_probe *description = &tracer->resources->probes[probe];
    report(REPORT_ERROR, tracer->resources, description->span, "attach %s: a probe without a path needs a process: -p PID", description->name);
    return -EINVAL;
  }
  char link[64];
  small_snprintf(link, sizeof(link), "/proc/%d/exe", pid);
  size_t size = (size_t)small_snprintf(path, PATH_MAX, "/proc/%d/root", pid);
  ssize_t length = readlink(link, path + size, PATH_MAX - size - 1);
  if (length > 0)
    path[size + (size_t)length] = 0;
  if (length > 0 && access(path, F_OK) == 0)
    return 0;
  report_problem(tracer, probe, length > 0 ? path : link, report_cause(-errno));
  return -EINVAL;
}

int user_target_expand(struct tracer *tracer, uint32_t probe, const char *name, user_target_search *search) {
  if (strchr(name, '*'))
    return search_all(tracer, probe, name, search);
  char path[PATH_MAX];
  struct elf elf;
  uint64_t start = 0;
  int err = *name ? user_path_find(name, command_target_pid(tracer), path, sizeof(path)) : find_program(tracer, probe, path);
  if (err == -ENOENT)
    err = find_member(tracer, probe, name, path, &start);
  if (err == -EINVAL)
    return err;
  if (!err)
    err = elf_open_at(path, start, &elf);
  if (err)
    return report_file(tracer, probe, name, err);
  uint32_t first = tracer->targets_count;
  err = search(tracer, probe, path, &elf);
  elf_close(&elf);
  for (uint32_t i = first; i < tracer->targets_count; i++)
    tracer->targets[i].start = start;
  return err ? err : tracer->targets_count > first ? 0 : -ENOENT;
}
