// Resolves CO-RE relocations in user space, for kernels that do not do it themselves (before 5.17).
#ifndef SHIM_CORE_RELO_H
#define SHIM_CORE_RELO_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/btf.h"
#include "shim/resources.h"

struct core_result {
  bool is_absent;  // the target has no such type, field or enumerator
  uint64_t value;
};

// Finds what `relocation`, whose types are in `local`, means in `target`. Returns 0; -EINVAL if the relocation does not fit the
// local BTF; -ENOTUNIQ if two types of the target with the right name give different values.
int core_relo_resolve(const struct btf *local, const struct btf *target, const struct pb_core_relocation *relocation,
                      struct core_result *result);

#endif
