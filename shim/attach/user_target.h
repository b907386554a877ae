// The files that a user-space probe is in.
#ifndef SHIM_ATTACH_USER_TARGET_H
#define SHIM_ATTACH_USER_TARGET_H

#include <stdbool.h>

#include "shim/tracer.h"
#include "shim/user/elf.h"

// Adds the targets of a probe that are in one file. Returns 0, or a negative errno after reporting.
typedef int user_target_search(struct tracer *tracer, uint32_t probe, const char *path, const struct elf *elf);

// Whether a script's path means one file, under the name that is shown too; not one of many, or whatever a process has.
bool user_target_is_named(const char *path);

// Calls `search` with the file that `name` means (see user_path_find), or with each that it matches. ARCHIVE!/MEMBER means what is
// stored in a ZIP archive: `path` is the archive's. An empty name means the program that the process of -p runs. To be returned by
// expand() of an attach_family: what is wrong with the file is reported.
int user_target_expand(struct tracer *tracer, uint32_t probe, const char *name, user_target_search *search);

#endif
