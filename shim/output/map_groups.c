#include "shim/output/map_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/output/value.h"
#include "shim/sort.h"

enum { BUCKET_SIZE = 8 };

uint64_t map_groups_bucket(const struct map_groups *groups, uint32_t entry) {
  return load_unsigned(map_contents_key(groups->contents, entry) + groups->bucket_offset, BUCKET_SIZE);
}

static bool entry_after(const void *context, uint32_t a, uint32_t b) {
  const struct map_groups *groups = context;
  const uint8_t *left = map_contents_key(groups->contents, a);
  const uint8_t *right = map_contents_key(groups->contents, b);
  int order = memcmp(left, right, groups->bucket_offset);
  return order ? order > 0 : map_groups_bucket(groups, a) > map_groups_bucket(groups, b);
}

int map_groups_make(struct map_groups *groups, const struct map *map, const struct map_contents *contents) {
  size_t room = (size_t)contents->count + 1;
  *groups = (struct map_groups){.contents = contents, .bucket_offset = map->info->key_size - BUCKET_SIZE};
  groups->entries = malloc(2 * room * sizeof(uint32_t));
  if (!groups->entries)
    return -ENOMEM;
  groups->begins = groups->entries + room;
  for (uint32_t i = 0; i < contents->count; i++)
    groups->entries[i] = i;
  sort_indices(groups->entries, contents->count, groups->begins, entry_after, groups);
  const uint8_t *previous = NULL;
  for (uint32_t i = 0; i < contents->count; i++) {
    const uint8_t *key = map_contents_key(contents, groups->entries[i]);
    if (!previous || memcmp(previous, key, groups->bucket_offset) != 0)
      groups->begins[groups->count++] = i;
    previous = key;
  }
  groups->begins[groups->count] = contents->count;
  return 0;
}

void map_groups_free(struct map_groups *groups) {
  free(groups->entries);
}
