// Ids of cgroups, as bpf_get_current_cgroup_id() gives them: the file handle of the folder in cgroup2's file system.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "shim/constants.h"
#include "shim/report.h"

static int resolve_cgroup(struct tracer *tracer, const struct pb_constant *constant, struct constant_value *value) {
  union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + sizeof(uint64_t)];
  } id = {.handle.handle_bytes = sizeof(uint64_t)};
  int mount_id;
  if (name_to_handle_at(AT_FDCWD, constant->cgroup_id->path, &id.handle, &mount_id, 0) < 0) {
    int err = -errno;
    report(REPORT_ERROR, tracer->resources, constant->span, "cgroup: find id of %s: %s", constant->cgroup_id->path,
           err == -EOVERFLOW ? "not a folder of cgroup2" : report_cause(err));  // others have longer handles
    return err;
  }
  memcpy(&value->immediate, id.room + sizeof(struct file_handle), sizeof(uint64_t));
  return 0;
}

const struct constant_family shim_constant_cgroup_id = {.resolve = resolve_cgroup};
