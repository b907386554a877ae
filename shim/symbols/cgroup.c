// Ids of cgroups as paths: "unified:/system.slice/ssh.service". An id is the file handle of the cgroup's folder, which the kernel
// opens directly: no hierarchy is searched.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/host.h"
#include "shim/output/value.h"
#include "shim/report.h"
#include "shim/small_printf.h"

enum { MAX_HIERARCHIES = 64, FILE_ID_KERNFS = 0xfe };

struct hierarchy {
  const char *name;   // "unified" for cgroup2, else the last part of the mount point
  const char *mount;
  bool is_unified;
};

struct hierarchies {
  char *text;  // of /proc/mounts, which the others point into
  size_t count;
  struct hierarchy list[MAX_HIERARCHIES];
};

// Those of cgroup2 first, then the others by name.
static bool comes_before(const struct hierarchy *a, const struct hierarchy *b) {
  if (a->is_unified != b->is_unified)
    return a->is_unified;
  return !a->is_unified && strcmp(a->name, b->name) < 0;
}

static void add_hierarchy(struct hierarchies *hierarchies, const char *mount, bool is_unified) {
  if (hierarchies->count == MAX_HIERARCHIES)
    return;
  const char *slash = strrchr(mount, '/');
  struct hierarchy added = {is_unified || !slash ? "unified" : slash + 1, mount, is_unified};
  size_t at = hierarchies->count++;
  for (; at && comes_before(&added, &hierarchies->list[at - 1]); at--)
    hierarchies->list[at] = hierarchies->list[at - 1];
  hierarchies->list[at] = added;
}

// A line of /proc/mounts is "device mount_point type ...".
static int read_hierarchies(struct hierarchies *hierarchies) {
  size_t size;
  int err = host_read_file("/proc/mounts", &hierarchies->text, &size);
  if (err)
    return err;
  char *rest;
  for (char *line = strtok_r(hierarchies->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *in_line;
    const char *device = strtok_r(line, " ", &in_line);
    const char *mount = device ? strtok_r(NULL, " ", &in_line) : NULL;
    const char *type = mount ? strtok_r(NULL, " ", &in_line) : NULL;
    if (type && (!strcmp(type, "cgroup") || !strcmp(type, "cgroup2")))
      add_hierarchy(hierarchies, mount, !strcmp(type, "cgroup2"));
  }
  return 0;
}

// In a pattern `*` is any text.
static bool matches(const char *pattern, const char *name) {
  for (; *pattern && *pattern != '*'; pattern++, name++)
    if (*pattern != *name)
      return false;
  if (!*pattern)
    return !*name;
  for (; *name; name++)
    if (matches(pattern + 1, name))
      return true;
  return matches(pattern + 1, name);
}

// The path of a cgroup inside a hierarchy. Returns its size, 0 if the hierarchy has no such cgroup, or a negative errno.
static ssize_t find_path(const struct hierarchy *hierarchy, uint64_t id, char path[PATH_MAX]) {
  union {
    struct file_handle handle;
    char room[sizeof(struct file_handle) + sizeof(id)];
  } file = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILE_ID_KERNFS}};
  memcpy(file.room + sizeof(struct file_handle), &id, sizeof(id));
  int mount = open(hierarchy->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0)
    return -errno;
  int fd = open_by_handle_at(mount, &file.handle, O_PATH | O_CLOEXEC);
  ssize_t size = fd < 0 ? -errno : 0;
  close(mount);
  if (fd < 0)
    return size == -ESTALE ? 0 : size;
  char link[sizeof("/proc/self/fd/") + 12];
  small_snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  size = readlink(link, path, PATH_MAX);
  if (size < 0)
    size = -errno;
  close(fd);
  size_t mount_size = strlen(hierarchy->mount);
  if (size < 0 || (size_t)size < mount_size || memcmp(path, hierarchy->mount, mount_size) != 0)
    return size < 0 ? size : 0;  // outside of what is mounted here
  if ((size_t)size == mount_size) {
    path[0] = '/';
    return 1;
  }
  memmove(path, path + mount_size, (size_t)size - mount_size);
  return size - (ssize_t)mount_size;
}

static void report_once(ssize_t err) {
  static bool is_reported;
  if (!is_reported)
    report(REPORT_WARNING, NULL, 0, "cgroup_path: find path: %s; it stays empty", report_cause((int)err));
  is_reported = true;
}

void shim_print_cgroup_path(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  static struct hierarchies hierarchies;
  static char text[2 * PATH_MAX];
  char path[PATH_MAX];
  const struct pb_required_resources *resources = printer->tracer->resources;
  uint64_t filter = load_unsigned(data + 8, 8);
  int err = hierarchies.text ? 0 : read_hierarchies(&hierarchies);
  if (err)
    report_once(err);
  size_t used = 0;
  for (size_t i = 0; i < hierarchies.count && filter < resources->cgroup_filters_count; i++) {
    const struct hierarchy *hierarchy = &hierarchies.list[i];
    if (!matches(resources->cgroup_filters[filter], hierarchy->name))
      continue;
    ssize_t size = find_path(hierarchy, load_unsigned(data, 8), path);
    if (size < 0)
      report_once(size);
    size_t name_size = strlen(hierarchy->name);
    if (size <= 0 || used + name_size + (size_t)size + 2 > sizeof(text))
      continue;
    if (used)
      text[used++] = ',';
    memcpy(text + used, hierarchy->name, name_size);
    used += name_size;
    text[used++] = ':';
    memcpy(text + used, path, (size_t)size);
    used += (size_t)size;
  }
  printer->format->string(printer, text, used, "");
}
