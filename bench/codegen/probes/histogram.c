#include "common.h"

MAP(histogram, "@");

static inline u64 log2_bucket(s64 value) {
  if (value < 0)
    return 0;
  if (value < 1)
    return 1;
  u64 rest = (u64)value;
  u64 position = 0;
  for (int i = 5; i >= 0; i--) {
    u64 shift = (u64)(rest >= 1ull << (1 << i)) << i;
    rest >>= shift;
    position += shift;
  }
  return position + 2;
}

PROGRAM long probe(const u64 *ctx) {
  u64 key = log2_bucket((s64)ctx[2]);
  count(&histogram, &key);
  return 1;
}
