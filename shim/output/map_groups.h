// Maps whose entries belong together: a histogram has an entry for every bucket, a time series one for every interval. The key of
// an entry is the key that the script gave (nothing for a map without keys), then the bucket's number as u64.
#ifndef SHIM_OUTPUT_MAP_GROUPS_H
#define SHIM_OUTPUT_MAP_GROUPS_H

#include <stdint.h>

#include "shim/maps.h"
#include "shim/output/printer.h"

// Prints such a map; `div` is not 0. Returns 0 or a negative errno.
typedef int groups_printer(struct printer *printer, const struct map *map, const struct map_heading *heading,
                           const struct map_contents *contents, uint32_t top, uint32_t div);

struct map_groups {
  const struct map_contents *contents;
  uint32_t bucket_offset;  // in a key
  uint32_t count;          // of groups
  uint32_t *entries;       // sorted by the script's key, and by the bucket's number in each group
  uint32_t *begins;        // of every group, its first index into `entries`; one more at the end
};

// Returns 0 or a negative errno; on success release with map_groups_free().
int map_groups_make(struct map_groups *groups, const struct map *map, const struct map_contents *contents);
void map_groups_free(struct map_groups *groups);

// The number of an entry's bucket.
uint64_t map_groups_bucket(const struct map_groups *groups, uint32_t entry);

#endif
