#include "shim/sort.h"

#include <string.h>

// Merges the sorted runs [begin, middle) and [middle, end) of `from` into `to`.
static void merge(const uint32_t *from, uint32_t *to, uint32_t begin, uint32_t middle, uint32_t end, sort_after *after,
                  const void *context) {
  uint32_t left = begin;
  uint32_t right = middle;
  for (uint32_t i = begin; i < end; i++) {
    bool take_right = left == middle || (right < end && after(context, from[left], from[right]));
    to[i] = take_right ? from[right++] : from[left++];
  }
}

void sort_indices(uint32_t *indices, uint32_t count, uint32_t *scratch, sort_after *after, const void *context) {
  uint32_t *from = indices;
  uint32_t *to = scratch;
  for (uint64_t run = 1; run < count; run *= 2) {
    for (uint64_t begin = 0; begin < count; begin += 2 * run) {
      uint64_t middle = begin + run < count ? begin + run : count;
      uint64_t end = middle + run < count ? middle + run : count;
      merge(from, to, (uint32_t)begin, (uint32_t)middle, (uint32_t)end, after, context);
    }
    uint32_t *sorted = to;
    to = from;
    from = sorted;
  }
  if (from != indices)
    memcpy(indices, from, (size_t)count * sizeof(*indices));
}
