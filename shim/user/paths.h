// Which files of this host a pattern in the place of a path stands for.
#ifndef SHIM_USER_PATHS_H
#define SHIM_USER_PATHS_H

#include <stdint.h>

struct paths {
  char **names;  // sorted, each once
  uint32_t count;
};

// Finds the files: of `*` alone, all that processes have mapped to execute, or that the one with the `pid` has; else those in the file
// system, where `*` matches no `/`, and with a `pid` those that it has mapped too. Release with paths_free() in any case. Returns 0
// or a negative errno.
int paths_find(const char *pattern, int pid, struct paths *paths);
void paths_free(struct paths *paths);

#endif
