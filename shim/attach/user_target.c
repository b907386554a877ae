#include "shim/attach/user_target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "shim/command.h"
#include "shim/report.h"
#include "shim/user/path.h"
#include "shim/user/paths.h"

static int report_file(const struct tracer *tracer, uint32_t probe, const char *name, int err) {
  const struct pb_probe *description = &tracer->resources->probes[probe];
  report(REPORT_ERROR, tracer->resources, description->span, "%s: attach %s: target file '%s' %s",
         description->attach_case == PB_PROBE_ATTACH_USDT ? "usdt" : "uprobe", description->name, name,
         err == -ENOENT    ? "does not exist or is not executable"
         : err == -ENOEXEC ? "is no ELF file of this machine"
                           : report_cause(err));
  return err == -ENOENT ? -ENODEV : err;
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

int user_target_expand(struct tracer *tracer, uint32_t probe, const char *name, user_target_search *search) {
  if (strchr(name, '*'))
    return search_all(tracer, probe, name, search);
  char path[PATH_MAX];
  struct elf elf;
  int err = user_path_find(name, command_target_pid(tracer), path, sizeof(path));
  if (!err)
    err = elf_open(path, &elf);
  if (err)
    return report_file(tracer, probe, name, err);
  uint32_t first = tracer->targets_count;
  err = search(tracer, probe, path, &elf);
  elf_close(&elf);
  return err ? err : tracer->targets_count > first ? 0 : -ENOENT;
}
