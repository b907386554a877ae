// The memory of processes that may be executed, and the files that it is mapped from.
#ifndef SHIM_USER_MAPPINGS_H
#define SHIM_USER_MAPPINGS_H

#include <stdint.h>

struct mapping {
  uint64_t begin;
  uint64_t end;
  uint64_t offset;   // in the file
  uint64_t device;
  uint64_t inode;    // 0 for memory without a file
  const char *path;
};

struct mappings {
  struct mapping *list;  // by address; those of the history newest first
  uint32_t count;
  char *text;            // of /proc/PID/maps, which the paths point into
};

// Reads those of a process. Returns 0 or a negative errno, -ESRCH for a process that has no memory any more. Release with
// mappings_free().
int mappings_read(uint32_t pid, struct mappings *mappings);
// The same of a text in their form, which becomes theirs. It returns 0 or -ENOMEM.
int mappings_parse(char *text, struct mappings *mappings);
void mappings_free(struct mappings *mappings);

// Opens the file of a mapping: calls `open` with a path, and the root of the file system that the process sees, until it returns 0 or
// an error that another path would not change. Returns what it returned last.
typedef int mapping_opener(const char *path, const char *root, void *file);
int mapping_open(uint32_t pid, const struct mapping *mapping, mapping_opener *open, void *file);

#endif
