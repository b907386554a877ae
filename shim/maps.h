// The maps of the tracer: created from their descriptions, read for printing, cleared, removed.
#ifndef SHIM_MAPS_H
#define SHIM_MAPS_H

#include <stdint.h>

#include "shim/kernel.h"
#include "shim/resources.h"

struct map {
  const struct pb_map *info;
  int fd;
  uint32_t value_stride;  // bytes between the values of two CPUs in a map_contents entry: value_size rounded up to 8
  uint32_t cpus;          // values per key: the possible CPUs for a per-CPU map, else 1
};

// Of the arrays in a map of maps: each has its own number of entries (5.10), and user space can write to their memory (5.5).
enum { MAPS_INNER_FLAGS = BPF_F_INNER_MAP | BPF_F_MMAPABLE };

struct tracer;

// Creates all maps of the resources in tracer->maps, fills and freezes global data. `btf_fd` is the loaded local BTF, or -1 if no map
// needs it. Reports what fails. Returns 0 or a negative errno; maps_close() is due in both cases.
int maps_create(struct tracer *tracer, int btf_fd);
void maps_close(struct tracer *tracer);

// Everything in a map at one moment: `count` entries of `entry_size` bytes in one allocation. An entry is the key
// (key_size bytes, padded to 8), then `cpus` values, `value_stride` bytes apart.
struct map_contents {
  uint32_t count;
  uint32_t entry_size;
  uint32_t key_stride;
  uint32_t value_stride;
  uint32_t cpus;
  uint8_t *data;
};

// Reads all entries, in the kernel's order. Entries that vanish meanwhile are left out. Returns 0 or a negative errno;
// on success release with map_contents_free().
int map_read(const struct map *map, struct map_contents *contents);
void map_contents_free(struct map_contents *contents);

static inline const uint8_t *map_contents_key(const struct map_contents *contents, uint32_t index) {
  return contents->data + (uint64_t)index * contents->entry_size;
}

static inline const uint8_t *map_contents_value(const struct map_contents *contents, uint32_t index, uint32_t cpu) {
  return map_contents_key(contents, index) + contents->key_stride + (uint64_t)cpu * contents->value_stride;
}

// Reads one value into `values` (cpus * value_stride bytes). -ENOENT if the key is absent.
int map_lookup(const struct map *map, const void *key, void *values);
// Removes all keys (`clear`); array maps are zeroed.
int map_clear(const struct map *map);
// Sets all values to zero and keeps the keys (`zero`).
int map_zero(const struct map *map);

#endif
