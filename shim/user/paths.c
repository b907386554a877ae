#include "shim/user/paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/host.h"
#include "shim/small_printf.h"

static int compare_names(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

static int add(struct paths *paths, const char *name) {
  if (!(paths->count & (paths->count - 1))) {  // a power of two: full
    char **larger = realloc(paths->names, (paths->count ? 2 * (size_t)paths->count : 1) * sizeof(char *));
    if (!larger)
      return -ENOMEM;
    paths->names = larger;
  }
  char *copy = strdup(name);
  if (!copy)
    return -ENOMEM;
  paths->names[paths->count++] = copy;
  return 0;
}

static void sort(struct paths *paths) {
  uint32_t kept = 0;
  if (paths->count)
    qsort(paths->names, paths->count, sizeof(char *), compare_names);
  for (uint32_t i = 0; i < paths->count; i++) {
    if (kept && !strcmp(paths->names[kept - 1], paths->names[i]))
      free(paths->names[i]);
    else
      paths->names[kept++] = paths->names[i];
  }
  paths->count = kept;
}

// A file that a process has mapped may be one of another mount namespace: then the way to it is through procfs.
static int add_mapped(struct paths *paths, int pid, const char *name) {
  char path[PATH_MAX];
  if (access(name, F_OK) == 0)
    return add(paths, name);
  if ((size_t)small_snprintf(path, sizeof(path), "/proc/%d/root%s", pid, name) < sizeof(path) && access(path, F_OK) == 0)
    return add(paths, path);
  return 0;  // it is gone
}

// A line of /proc/PID/maps: "begin-end r-xp offset device inode   path".
static int add_line(struct paths *paths, int pid, const char *pattern, char *line) {
  char *permissions = strchr(line, ' ');
  char *path = strchr(line, '/');
  if (!permissions || strlen(permissions) < 5 || permissions[3] != 'x' || !path || !target_matches(pattern, path))
    return 0;
  return add_mapped(paths, pid, path);
}

static int add_process(struct paths *paths, int pid, const char *pattern) {
  char name[32], *text;
  size_t size;
  small_snprintf(name, sizeof(name), "/proc/%d/maps", pid);
  if (host_read_file(name, &text, &size))
    return 0;  // it has ended
  int err = 0;
  for (char *line = text; line && !err;) {
    char *end = strchr(line, '\n');
    if (end)
      *end = 0;
    err = add_line(paths, pid, pattern, line);
    line = end ? end + 1 : NULL;
  }
  free(text);
  sort(paths);  // now and then: processes share most of their files
  return err;
}

static int add_all_processes(struct paths *paths, const char *pattern) {
  DIR *folder = opendir("/proc");
  if (!folder)
    return -errno;
  int err = 0;
  const struct dirent *entry;
  while (!err && (entry = readdir(folder)))
    if (*entry->d_name >= '1' && *entry->d_name <= '9')
      err = add_process(paths, (int)strtol(entry->d_name, NULL, 10), pattern);
  closedir(folder);
  return err;
}

static bool is_file(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

// Goes down the file system: `path` holds the folders that are found already, `rest` is what is still to be matched.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the pattern has slashes
static int add_files(struct paths *paths, char path[PATH_MAX], size_t length, const char *rest) {
  const char *slash = strchrnul(rest, '/');
  if (*slash && slash == rest) {  // the root, or a doubled slash
    if (length + 2 > PATH_MAX)
      return 0;
    path[length] = '/';
    path[length + 1] = 0;
    return add_files(paths, path, length + 1, rest + 1);
  }
  char component[NAME_MAX + 1];
  size_t size = (size_t)(slash - rest);
  if (size > NAME_MAX)
    return 0;
  memcpy(component, rest, size);
  component[size] = 0;
  DIR *folder = strchr(component, '*') ? opendir(length ? path : ".") : NULL;
  int err = 0;
  if (!folder && strchr(component, '*'))
    return 0;
  do {
    const struct dirent *entry = folder ? readdir(folder) : NULL;
    if (folder && !entry)
      break;
    const char *name = entry ? entry->d_name : component;
    if (entry && ((*name == '.' && *component != '.') || !target_matches(component, name)))
      continue;
    if (length + strlen(name) + 1 > PATH_MAX)
      continue;
    memcpy(path + length, name, strlen(name) + 1);
    if (*slash)
      err = add_files(paths, path, length + strlen(name), slash);
    else if (is_file(path))
      err = add(paths, path);
  } while (folder && !err);
  path[length] = 0;
  if (folder)
    closedir(folder);
  return err;
}

static int add_programs(struct paths *paths, const char *pattern) {
  int err = 0;
  for (const char *folder = getenv("PATH"); folder && *folder && !err;) {
    size_t length = strcspn(folder, ":");
    char path[PATH_MAX];
    if (length + 2 < sizeof(path)) {
      memcpy(path, folder, length);
      path[length] = '/';
      path[length + 1] = 0;
      err = add_files(paths, path, length + 1, pattern);
    }
    folder += length + (folder[length] == ':');
  }
  return err;
}

int paths_find(const char *pattern, int pid, struct paths *paths) {
  *paths = (struct paths){0};
  bool is_any = !strcmp(pattern, "*");
  int err = 0;
  if (pid)
    err = add_process(paths, pid, pattern);
  else if (is_any)
    err = add_all_processes(paths, pattern);
  if (!err && !is_any) {
    char path[PATH_MAX] = "";
    err = add_files(paths, path, 0, pattern);
    if (!err && !strchr(pattern, '/'))
      err = add_programs(paths, pattern);
  }
  sort(paths);
  return err;
}

void paths_free(struct paths *paths) {
  for (uint32_t i = 0; i < paths->count; i++)
    free(paths->names[i]);
  free(paths->names);
  *paths = (struct paths){0};
}
