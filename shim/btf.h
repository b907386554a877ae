// Reads BTF (Documentation/bpf/btf.rst): the kernel's, and the local one of the payload. Nothing in it is trusted.
#ifndef SHIM_BTF_H
#define SHIM_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/kernel.h"

struct btf {
  const struct btf *base;  // of a module's: vmlinux, whose ids and strings its own follow; NULL for one that stands alone
  const uint8_t *types;
  const char *strings;     // ends with NUL
  uint32_t strings_size;
  uint32_t first;          // own ids begin here: behind those of the base, or with the void type 0
  uint32_t count;          // of types, with the base's and the void type; ids are below it
  uint32_t *offsets;       // of each own type in `types`, by id - first
  void *data;              // what btf_close() gives back; NULL if the data is borrowed
  size_t data_size;
  bool is_mapped;
};

// Indexes BTF data, which stays in place as long as the btf is used. Returns 0, -EINVAL if it is malformed, or -ENOMEM.
int btf_index(struct btf *btf, const void *data, size_t size);
void btf_close(struct btf *btf);

// Reads the BTF of a loaded module, whose types refer to those of `base`, the kernel's. Close it with btf_close(). Returns 0 or a
// negative errno: -ENOENT if there is no such module, or it has none.
int btf_open_module(const char *module, const struct btf *base, struct btf *btf);

// The BTF of the running kernel, read when first asked for (some milliseconds, and as many megabytes before 6.16) and kept until
// btf_release_kernel(). Returns 0 or a negative errno.
int btf_open_kernel(const struct btf **btf);
void btf_release_kernel(void);

// The type with an id; the void type (kind 0) for ids that are out of range. The data behind the type is complete.
const struct btf_type *btf_type(const struct btf *btf, uint32_t id);
// The string at an offset; "" if it is out of range.
const char *btf_string(const struct btf *btf, uint32_t offset);
// Follows typedefs, const, volatile, restrict and type tags; bounded, so it may end at one of these in a malformed BTF.
uint32_t btf_skip_modifiers(const struct btf *btf, uint32_t id);
// Size of a value of the type in bytes, or -1 if it has none.
int64_t btf_size(const struct btf *btf, uint32_t id);

// The id of the first type behind `after` (0: from the start) of a kind in `kinds` (a mask of 1 << BTF_KIND_*) whose name is
// the first `length` characters of `name`, alone or followed by a flavour ("___" and anything). 0 if there is none.
uint32_t btf_find(const struct btf *btf, const char *name, size_t length, uint32_t kinds, uint32_t after);

static inline uint32_t btf_kind(const struct btf_type *type) {
  return type->info >> 24 & 0x1f;
}

static inline uint32_t btf_vlen(const struct btf_type *type) {
  return type->info & 0xffff;
}

static inline bool btf_kind_flag(const struct btf_type *type) {
  return type->info >> 31;
}

// Length of a name without its flavour.
size_t btf_essential_length(const char *name);

#endif
