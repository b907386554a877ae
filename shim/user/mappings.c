#include "shim/user/mappings.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/host.h"
#include "shim/small_printf.h"
#include "shim/user/lines.h"

enum { PATH_ROOM = PATH_MAX + 64 };

// A line is "begin-end rwxp offset major:minor inode path".
static bool parse_mapping(char *line, struct mapping *mapping) {
  char *at = line;
  mapping->begin = line_read_hex(&at);
  mapping->end = line_read_hex(&at);
  if (strlen(at) < 5)
    return false;
  bool is_executable = at[2] == 'x';
  at += 5;
  mapping->offset = line_read_hex(&at);
  mapping->device = line_read_hex(&at) << 32;
  mapping->device |= line_read_hex(&at);
  mapping->inode = strtoull(at, &at, 10);
  while (*at == ' ')
    at++;
  mapping->path = at;
  return is_executable;
}

int mappings_parse(char *text, struct mappings *mappings) {
  *mappings = (struct mappings){.text = text, .list = malloc(lines_count(text) * sizeof(*mappings->list))};
  if (!mappings->list) {
    mappings_free(mappings);
    return -ENOMEM;
  }
  char *rest;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    mappings->count += parse_mapping(line, &mappings->list[mappings->count]);
  return 0;
}

int mappings_read(uint32_t pid, struct mappings *mappings) {
  char path[64];
  char *text;
  size_t size;
  *mappings = (struct mappings){0};
  small_snprintf(path, sizeof(path), "/proc/%u/maps", pid);
  int err = host_read_file(path, &text, &size);
  if (!err && !size) {
    free(text);
    err = -ESRCH;
  }
  return err ? err : mappings_parse(text, mappings);
}

void mappings_free(struct mappings *mappings) {
  free(mappings->list);
  free(mappings->text);
  *mappings = (struct mappings){0};
}

// By the kernel's own link to the mapped file, which leads to deleted files too; else by its path in the process's file system.
int mapping_open(uint32_t pid, const struct mapping *mapping, mapping_opener *open, void *file) {
  char path[PATH_ROOM], root[64];
  small_snprintf(root, sizeof(root), "/proc/%u/root", pid);
  small_snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", pid, (unsigned long long)mapping->begin,
                 (unsigned long long)mapping->end);
  int err = open(path, root, file);
  if (err == -ENOEXEC || err == -ENOMEM)
    return err;
  if (err) {
    small_snprintf(path, sizeof(path), "%s%s", root, mapping->path);
    err = open(path, root, file);
  }
  // The process may have ended. What its path means here is the same file only if it has the same inode.
  struct stat status;
  if (err && !stat(mapping->path, &status) && status.st_ino == mapping->inode)
    err = open(mapping->path, "", file);
  return err;
}
