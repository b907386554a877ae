// Whether a binary on this host is the build that the compiler has seen.
#ifndef SHIM_ATTACH_BUILD_H
#define SHIM_ATTACH_BUILD_H

#include <stdbool.h>

#include "shim/resources.h"
#include "shim/tracer.h"
#include "shim/user/elf.h"

// A feature, see features.h: only probes with a build id need it.
#pragma weak shim_check_build

// Compares the file's build id with that of the probe, `wanted`, and sets `is_same`. Returns 0, or a negative errno after
// reporting that it is another build. Where the tracer may run with others, that is a warning, but not if the probe
// `has_address`: in another build, something else is there.
int shim_check_build(const struct tracer *tracer, const struct pb_probe *probe, struct pb_bytes wanted, bool has_address,
                     const struct elf *elf, const char *path, bool *is_same);

#endif
